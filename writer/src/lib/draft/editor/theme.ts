import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

/** The draft's looks, from the tokens: the editor makes style sheets of its own, under the page's nonce. */
const looks = EditorView.theme({
	"&": { blockSize: "100%", color: "var(--ink)", backgroundColor: "transparent" },
	"&.cm-focused": { outline: "none" },
	".cm-scroller": {
		fontFamily: "var(--draft-face)",
		fontSize: "var(--draft-size)",
		lineHeight: "1.65",
		overflow: "auto",
		scrollbarGutter: "stable",
	},
	".cm-content": {
		maxInlineSize: "calc(var(--draft-measure) * 1ch + 2 * var(--space-5))",
		inlineSize: "100%",
		marginInline: "auto",
		padding: "var(--space-6) var(--space-5) 45vh",
		caretColor: "var(--accent)",
	},
	".cm-line": { padding: "0" },
	".cm-cursor": { borderInlineStartColor: "var(--accent)", borderInlineStartWidth: "2px" },
	".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": {
		backgroundColor: "var(--accent-soft)",
	},
	".cm-placeholder": { color: "var(--ink-soft)" },
	".cm-searchMatch": { backgroundColor: "var(--mark)", borderRadius: "2px" },
	".cm-searchMatch-selected": { outline: "2px solid var(--accent)" },
	".cm-panels": { backgroundColor: "var(--paper-raised)", color: "var(--ink)", borderColor: "var(--line)" },
	".cm-panels-top": { borderBlockEnd: "1px solid var(--line)" },
	".cm-panel.cm-search": {
		display: "flex",
		flexWrap: "wrap",
		alignItems: "center",
		gap: "var(--space-2)",
		padding: "var(--space-2) var(--space-6) var(--space-2) var(--space-4)",
		fontFamily: "var(--sans)",
		fontSize: "var(--text-small)",
	},
	".cm-panel.cm-search br": { inlineSize: "100%", content: "''", display: "block" },
	".cm-panel.cm-search input, .cm-panel.cm-search button, .cm-panel.cm-search label": {
		margin: "0",
		fontSize: "inherit",
	},
	".cm-panel.cm-search label": { display: "inline-flex", alignItems: "center", gap: "var(--space-1)" },
	".cm-textfield": {
		minBlockSize: "2rem",
		minInlineSize: "12rem",
		border: "1px solid var(--line-strong)",
		borderRadius: "var(--radius)",
		backgroundColor: "var(--paper)",
		padding: "0 var(--space-2)",
	},
	".cm-button": {
		minBlockSize: "2rem",
		border: "1px solid var(--line-strong)",
		borderRadius: "var(--radius)",
		backgroundImage: "none",
		backgroundColor: "var(--paper-raised)",
		padding: "0 var(--space-3)",
	},
	".cm-panel.cm-search [name=close]": {
		inset: "var(--space-2) var(--space-2) auto auto", // of one kind: those of the library's own theme are
		inlineSize: "2rem",
		blockSize: "2rem",
		fontSize: "1.25rem",
	},
	".cm-tooltip": {
		border: "1px solid var(--line)",
		borderRadius: "var(--radius)",
		backgroundColor: "var(--paper-raised)",
		color: "var(--ink)",
		boxShadow: "var(--shadow)",
	},
	// Headings, quotes and the rest, as `live.ts` names them.
	".md-h": { fontWeight: "650", lineHeight: "1.3" },
	".md-h1": { fontSize: "1.6em", paddingBlockStart: "0.4em" },
	".md-h2": { fontSize: "1.3em", paddingBlockStart: "0.5em" },
	".md-h3": { fontSize: "1.12em", paddingBlockStart: "0.4em" },
	".md-quote": {
		borderInlineStart: "3px solid var(--line-strong)",
		paddingInlineStart: "1em",
		color: "var(--ink-soft)",
	},
	".md-item": { paddingInlineStart: "1.5em", textIndent: "-1.5em" },
	".md-bullet": { display: "inline-block", inlineSize: "1.5em", textIndent: "0", color: "var(--ink-soft)" },
	".md-code, .md-table, .md-front": { fontFamily: "var(--mono)", fontSize: "0.85em" },
	".md-code": { backgroundColor: "var(--paper-sunken)", paddingInline: "var(--space-3)" },
	".md-front": { color: "var(--ink-soft)" },
	".md-task": { marginInlineEnd: "0.5em", textIndent: "0" },
	".md-rule": { display: "block", borderBlockStart: "1px solid var(--line-strong)", marginBlock: "0.8em" },
	".md-image": {
		display: "block",
		maxInlineSize: "100%",
		maxBlockSize: "28rem",
		marginBlock: "0.5em",
		borderRadius: "var(--radius)",
	},
	".md-image-missing": { color: "var(--danger)", fontSize: "0.85em" },
	// In focus mode all but the paragraph that is written steps back; it stays readable (4.5 : 1).
	"&.focusing .cm-line:not(.cm-near)": { color: "var(--ink-soft)" },
});

const colours = HighlightStyle.define([
	{ tag: tags.strong, fontWeight: "700" },
	{ tag: tags.emphasis, fontStyle: "italic" },
	{ tag: tags.strikethrough, textDecoration: "line-through" },
	{ tag: tags.link, color: "var(--accent)", textDecoration: "underline", textUnderlineOffset: "0.2em" },
	{ tag: tags.url, color: "var(--ink-soft)" },
	{ tag: tags.monospace, fontFamily: "var(--mono)", fontSize: "0.88em" },
	{ tag: tags.processingInstruction, color: "var(--ink-soft)" },
	{ tag: tags.contentSeparator, color: "var(--ink-soft)" },
	{ tag: tags.labelName, color: "var(--ink-soft)" },
]);

export const theme: Extension = [looks, syntaxHighlighting(colours)];
