import { learn, type Facts } from "$lib/citing/facts";
import { citeMarkdown } from "$lib/citing/insert";
import type { Reference } from "$lib/citing/models";
import type { Desk, Handed } from "$lib/desk.svelte";
import { to } from "$lib/route.svelte";
import { t } from "$lib/text";
import type { Block } from "./markdown";
import type { Numbered } from "./models";
import { escaped, writeBlocks } from "./writing";

/** An answer that is put into a draft. */
export interface Drop {
	question: string;
	blocks: readonly Block[];
	citations: readonly Numbered[];
	/** Of each citation, in their order: what its document tells of the place; null where that could not be had. */
	facts: readonly (Facts | null)[];
}

/** What is put into a draft, with all that its citations are to tell. */
export async function prepare(desk: Desk, drop: Omit<Drop, "facts">): Promise<Drop> {
	return { ...drop, facts: await Promise.all(drop.citations.map((cited) => learn(desk.api, cited))) };
}

interface Written {
	markdown: string;
	references: readonly Reference[];
}

/** The answer with a citation of the draft's for each number, and the references with which it goes, the draft's first. */
export function written(
	{ blocks, citations, facts }: Omit<Drop, "question">,
	references: readonly Reference[],
): Written {
	let known = references;
	const markdown = writeBlocks(blocks, (numbers) => {
		const cited = numbers.flatMap((n) => {
			const one = citations[n - 1];
			if (!one) return [];
			const made = citeMarkdown(known, one, facts[n - 1] ?? null);
			known = made.references;
			return made.markdown.replace(/^\[|\]$/g, "");
		});
		return cited.length > 0 ? `[${[...new Set(cited)].join("; ")}]` : "";
	});
	return { markdown, references: known };
}

/** Put it at the cursor of the draft that is open. False: none is. */
export function dropHere(desk: Desk, drop: Drop): boolean {
	if (!desk.draft) return false;
	const { markdown, references } = written(drop, desk.draft.references);
	desk.draft.insert(markdown, references);
	desk.toasts.tell(t.answer.dropped);
	return true;
}

/** Open a draft, which takes it at its end; null for a new one, which begins with the question. */
export function dropInto(desk: Desk, drop: Drop, draftId: string | null): void {
	const write: Handed = (known) => {
		const { markdown, references } = written(drop, known);
		const heading = draftId === null ? `# ${escaped(drop.question)}\n\n` : "";
		desk.toasts.tell(t.answer.dropped);
		return { markdown: `${heading}${markdown}\n`, references };
	};
	desk.handed = { draft: draftId, write };
	desk.route.go(to("drafts", draftId ?? "new"));
}
