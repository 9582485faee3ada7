import { ensureSyntaxTree } from "@codemirror/language";
import type { EditorState } from "@codemirror/state";

export interface Heading {
	level: number;
	text: string;
	/** UTF-16 units from the draft's start. */
	at: number;
}

/** The headings of a draft, as far as it can be read within 50 ms. */
export function headings(state: EditorState): Heading[] {
	const found: Heading[] = [];
	ensureSyntaxTree(state, state.doc.length, 50)?.iterate({
		enter: ({ name, from, to }) => {
			const level = Number(/^(?:ATX|Setext)Heading(\d)$/.exec(name)?.[1] ?? 0);
			if (level > 0) {
				const text = state.sliceDoc(from, to).split("\n", 1)[0] ?? "";
				found.push({
					level,
					text: text
						.replace(/^#+\s*|\s+#+\s*$/g, "")
						.replace(/[*_`]/g, "")
						.trim(),
					at: from,
				});
			}
			// Headings lie at the top, or in quotes and lists; never inside paragraphs.
			return !["Paragraph", "FencedCode", "Table", "HTMLBlock"].includes(name);
		},
	});
	return found;
}
