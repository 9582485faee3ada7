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

const underlined = (style: string): Record<string, string> => ({
	textDecoration: `underline ${style}`,
	textUnderlineOffset: "0.2em",
});

export const looks = EditorView.theme({
	// To Markdown's own grammar a citation in brackets is a link: it is not drawn as one.
	".cm-citation, .cm-citation span": { color: "var(--ink-soft)", textDecoration: "none" },
	".cm-citation .cm-cited, .cm-citation .cm-cited span": { color: "var(--accent)" },
	".cm-citation .cm-cited": { borderRadius: "3px", cursor: "pointer" },
	".cm-citation .cm-cited:hover": { backgroundColor: "var(--accent-soft)" },
	".cm-citation .cm-cited-missing": { cursor: "text", ...underlined("dotted var(--danger) 2px") },
	".cm-citation .cm-cited-missing, .cm-citation .cm-cited-missing span": { color: "var(--ink-soft)" },
	".cm-citation .cm-cited-changed": underlined("wavy 1px"),
	".cm-citation .cm-cited-changed, .cm-citation .cm-cited-changed span": { color: "var(--warn)" },
	".cm-citation .cm-cited-changed::after": sign("≠"),
	".cm-citation .cm-cited-vanished, .cm-citation .cm-cited-deleted": underlined("dashed 1px"),
	".cm-citation :is(.cm-cited-vanished, .cm-cited-deleted), .cm-citation :is(.cm-cited-vanished, .cm-cited-deleted) span":
		{ color: "var(--danger)" },
	".cm-citation :is(.cm-cited-vanished, .cm-cited-deleted)::after": sign("∅"),
	".cm-citation .cm-cited-gone": underlined("dashed 1px"),
	".cm-citation .cm-cited-gone::after": sign("†"),
	".cm-tooltip.cm-tooltip-hover": { zIndex: "30" },
	".cm-tooltip.cm-tooltip-autocomplete > ul": {
		fontFamily: "var(--sans)",
		fontSize: "var(--text-small)",
		maxInlineSize: "min(32rem, 90vw)",
	},
	".cm-tooltip.cm-tooltip-autocomplete > ul > li": {
		padding: "var(--space-2) var(--space-3)",
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
