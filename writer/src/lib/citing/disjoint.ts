import { newId } from "./ids";
import { key } from "./insert";
import type { Reference } from "./models";
import { findCitations } from "./syntax";

/**
 * A text and its references, none of whose ids means something else in another bibliography.
 *
 * Two who cite different posts of one author on one day both call theirs `holm2024long`. Then this side's is given another id,
 * in its text, too.
 */
export function disjoint<Written extends { text: string; references: readonly Reference[] }>(
	written: Written,
	others: readonly Reference[],
): Written {
	const known = new Map(others.map((one) => [one.id, one]));
	const taken = new Set([...known.keys(), ...written.references.map(({ id }) => id)]);
	const renamed = new Map<string, string>();
	const references = written.references.map((one) => {
		const other = known.get(one.id);
		if (!other || meansSame(one, other)) return one;
		const id = newId(one, taken);
		taken.add(id);
		renamed.set(one.id, id);
		return { ...one, id };
	});
	return renamed.size > 0 ? { ...written, text: rewritten(written.text, renamed), references } : written;
}

/** Ids that a person gave are theirs: only of what we made do we know what it is. */
function meansSame(one: Reference, other: Reference): boolean {
	const [mine, theirs] = [one.custom?.extrophi, other.custom?.extrophi];
	return mine?.document_id === theirs?.document_id && (mine?.part ?? null) === (theirs?.part ?? null);
}

function rewritten(text: string, renamed: ReadonlyMap<string, string>): string {
	const items = findCitations(text)
		.flatMap((citation) => citation.items)
		.sort((one, other) => other.from - one.from);
	for (const { id, from, to, suppressesAuthor } of items) {
		const now = renamed.get(id);
		if (now !== undefined) text = `${text.slice(0, from)}${suppressesAuthor ? "-" : ""}${key(now)}${text.slice(to)}`;
	}
	return text;
}
