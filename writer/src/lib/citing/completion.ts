import {
	autocompletion,
	type Completion,
	type CompletionContext,
	type CompletionResult,
} from "@codemirror/autocomplete";
import { syntaxTree } from "@codemirror/language";
import { EditorState, type Extension } from "@codemirror/state";
import { day } from "./fields";
import { key } from "./insert";
import type { Reference } from "./models";
import { authorsShown } from "./references";

export { startCompletion } from "@codemirror/autocomplete";

/** What is being typed after an `@` that no word, and no other id, ends with. */
const TYPED = /(?<![\p{L}\p{N}.\\@])@([\p{L}\p{N}_:.#$%&\-+?<>~/]*)$/u;
/** Where Markdown has no citations. */
const CODE = new Set(["InlineCode", "FencedCode", "CodeText", "CodeBlock", "URL", "Autolink", "HTMLTag", "HTMLBlock"]);

/** The draft's references after `@`, found by what begins a word of their id, title or authors. */
export function citationCompletion(references: () => readonly Reference[]): Extension {
	const complete = (context: CompletionContext): CompletionResult | null => {
		const line = context.state.doc.lineAt(context.pos);
		const typed = TYPED.exec(line.text.slice(0, context.pos - line.from));
		if (!typed || CODE.has(syntaxTree(context.state).resolveInner(context.pos, -1).name)) return null;
		const options = ranked(references(), typed[1] ?? "").map(option);
		return options.length > 0 ? { from: context.pos - typed[0].length, options, filter: false } : null;
	};
	return [autocompletion({ icons: false }), EditorState.languageData.of(() => [{ autocomplete: complete }])];
}

function option(reference: Reference): Completion {
	const year = day(reference, "issued")?.[0];
	const detail = [authorsShown(reference), year, reference.title].filter(Boolean).join(", ");
	return { label: key(reference.id), detail: detail.length > 70 ? `${detail.slice(0, 69)}…` : detail };
}

/** Those in which each part of what was typed begins a word; an id that begins with it first. */
export function ranked(references: readonly Reference[], typed: string): Reference[] {
	const wanted = typed.toLowerCase();
	const begins = (text: string): boolean =>
		text
			.toLowerCase()
			.split(/[^\p{L}\p{N}]+/u)
			.some((word) => word.startsWith(wanted));
	const byId = references.filter(({ id }) => id.toLowerCase().startsWith(wanted));
	const byWords = references.filter(
		(reference) => !byId.includes(reference) && begins(`${authorsShown(reference)} ${reference.title ?? ""}`),
	);
	return [...byId, ...byWords];
}
