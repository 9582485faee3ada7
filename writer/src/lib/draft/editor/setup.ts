import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { deleteMarkupBackward, insertNewlineContinueMarkup, markdownLanguage } from "@codemirror/lang-markdown";
import { LanguageSupport, syntaxTree } from "@codemirror/language";
import { search, searchKeymap } from "@codemirror/search";
import { Annotation, EditorState, Transaction, type Extension } from "@codemirror/state";
import { drawSelection, dropCursor, EditorView, keymap, placeholder, type Command } from "@codemirror/view";
import { diffIndices } from "node-diff3";
import { compared, LINES } from "../comparing";
import type { TextPort } from "../session.svelte";
import { theme } from "./theme";

/** Of a change that did not come from the person at this window. */
const fromElsewhere = Annotation.define<boolean>();

/** Keys of the editor's own that mean something else here, or that writers press by mistake. */
const NOT_OURS = new Set([
	"Mod-i",
	"Alt-ArrowUp",
	"Alt-ArrowDown",
	"Shift-Alt-ArrowUp",
	"Shift-Alt-ArrowDown",
	"Shift-Mod-k",
	"Mod-Enter",
]);

export interface EditorTexts {
	name: string;
	placeholder: string;
	/** The find panel's, by what the library calls them. */
	phrases: Readonly<Record<string, string>>;
}

/** The editor itself: Markdown, undo, find and replace. What Extrophi adds comes beside it. */
export function bare(texts: EditorTexts): Extension {
	return [
		EditorView.cspNonce.of(document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? ""),
		history(),
		drawSelection(),
		dropCursor(),
		EditorView.lineWrapping,
		EditorView.perLineTextDirection.of(true),
		EditorState.phrases.of(texts.phrases),
		EditorView.contentAttributes.of({
			"aria-label": texts.name,
			autocapitalize: "sentences",
			autocorrect: "on",
			// It has the focus without, too: checkers that look at what scrolls know no other way to tell.
			tabindex: "0",
		}),
		placeholder(texts.placeholder),
		search({ top: true }),
		// Not `markdown()`: it brings parsers of HTML, CSS and JavaScript, 80 KB of script that no draft needs.
		new LanguageSupport(markdownLanguage),
		keymap.of([
			{ key: "Enter", run: insertNewlineContinueMarkup },
			{ key: "Backspace", run: deleteMarkupBackward },
			{ key: "Tab", run: inList(indentMore), shift: inList(indentLess) },
			...defaultKeymap.filter((binding) => !NOT_OURS.has(binding.key ?? "")),
			...historyKeymap,
			...searchKeymap.filter((binding) => ["Mod-f", "F3", "Mod-g", "Escape"].includes(binding.key ?? "")),
		]),
		theme,
	];
}

/** Tab is the way out for who uses the keyboard, as everywhere; within a list it indents. */
function inList(command: Command): Command {
	return (view) => {
		const node = syntaxTree(view.state).resolveInner(view.state.selection.main.head, -1);
		for (let at: typeof node | null = node; at; at = at.parent) if (at.name === "ListItem") return command(view);
		return false;
	};
}

/** Calls when the person wrote, and when the cursor moved. */
export function watching(wrote: () => void, moved: (view: EditorView) => void): Extension {
	return EditorView.updateListener.of((update) => {
		const isOurs = update.transactions.some((one) => one.docChanged && !one.annotation(fromElsewhere));
		if (isOurs) wrote();
		if (update.docChanged || update.selectionSet) moved(update.view);
	});
}

/** The editor's text, for the session. */
export function port(view: EditorView): TextPort {
	return {
		read: () => view.state.doc.toString(),
		replace(text, undoable) {
			const changes = lineChanges(view.state.doc.toString(), text);
			const annotations = [fromElsewhere.of(true), ...(undoable ? [] : [Transaction.addToHistory.of(false)])];
			view.dispatch({ changes, annotations });
		},
	};
}

/** The changes that make one text of another, line by line: what is around them, and the cursor in it, stands still. */
export function lineChanges(before: string, after: string): { from: number; to: number; insert: string }[] {
	const found = compared([before, after], LINES);
	if (!found) return [change(0, before, after)];
	const [old = [], now = []] = found.rows.map((row) => [...row]);
	const starts = [found.head.length];
	for (const one of old) starts.push((starts.at(-1) ?? 0) + one.length);
	return diffIndices(old, now).map(({ buffer1: [at], buffer1Content, buffer2Content }) =>
		change(starts[at] ?? before.length, buffer1Content.join(""), buffer2Content.join("")),
	);
}

/** What was at a place and what is there now, without what both begin and end with. */
function change(from: number, was: string, is: string): { from: number; to: number; insert: string } {
	let head = 0;
	while (head < was.length && head < is.length && was[head] === is[head]) head += 1;
	let tail = 0;
	while (tail < was.length - head && tail < is.length - head && was.at(-1 - tail) === is.at(-1 - tail)) tail += 1;
	return { from: from + head, to: from + was.length - tail, insert: is.slice(head, is.length - tail) };
}
