import { EditorView } from "@codemirror/view";

/** A sign behind a mark, so that its colour is not all that tells; what is said of it aloud follows the slash. */
const sign = (character: string): Record<string, string> => ({
	content: `"${character}" / ""`,
	marginInlineStart: "0.15em",
	fontSize: "0.75em",
	verticalAlign: "super",
	lineHeight: "0",
	textDecoration: "none",
});

export const looks = EditorView.baseTheme({
	".cm-cited": {
		borderRadius: "3px",
		color: "var(--accent)",
		cursor: "pointer",
		textDecoration: "none",
	},
	".cm-cited:hover": { backgroundColor: "var(--accent-soft)" },
	".cm-cited *": { textDecoration: "inherit" },
	".cm-cited-missing": {
		color: "var(--ink-soft)",
		cursor: "text",
		textDecoration: "underline dotted var(--danger) 2px",
		textUnderlineOffset: "0.2em",
	},
	".cm-cited-changed": { color: "var(--warn)", textDecoration: "underline wavy 1px", textUnderlineOffset: "0.2em" },
	".cm-cited-changed::after": sign("≠"),
	".cm-cited-vanished, .cm-cited-deleted": {
		color: "var(--danger)",
		textDecoration: "underline dashed 1px",
		textUnderlineOffset: "0.2em",
	},
	".cm-cited-vanished::after, .cm-cited-deleted::after": sign("∅"),
	".cm-cited-gone": { textDecoration: "underline dashed 1px", textUnderlineOffset: "0.2em" },
	".cm-cited-gone::after": sign("†"),
	".cm-tooltip.cm-tooltip-hover": { zIndex: "30" },
	".cm-tooltip.cm-tooltip-autocomplete > ul": {
		fontFamily: "var(--sans)",
		fontSize: "var(--text-small)",
		maxInlineSize: "min(32rem, 90vw)",
	},
	".cm-tooltip.cm-tooltip-autocomplete > ul > li": {
		padding: "var(--space-1) var(--space-3)",
		overflow: "hidden",
		textOverflow: "ellipsis",
	},
	".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": {
		backgroundColor: "var(--accent-soft)",
		color: "var(--ink)",
	},
	".cm-completionLabel": { fontWeight: "600" },
	".cm-completionDetail": { fontStyle: "normal", color: "var(--ink-soft)" },
});
