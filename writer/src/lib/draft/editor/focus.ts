import { Compartment, type Extension } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, type DecorationSet, type ViewUpdate } from "@codemirror/view";

const near = Decoration.line({ class: "cm-near" });

/** The paragraph that is written stands out, and stays in the middle. */
const focusing: Extension = [
	EditorView.editorAttributes.of({ class: "focusing" }),
	ViewPlugin.fromClass(
		class {
			decorations: DecorationSet;
			constructor(view: EditorView) {
				this.decorations = paragraph(view);
			}
			update(update: ViewUpdate): void {
				if (update.docChanged || update.selectionSet) this.decorations = paragraph(update.view);
			}
		},
		{ decorations: (plugin) => plugin.decorations },
	),
	EditorView.updateListener.of((update) => {
		if (!update.docChanged || update.view.composing) return;
		const { head } = update.state.selection.main;
		update.view.dispatch({ effects: EditorView.scrollIntoView(head, { y: "center" }) });
	}),
];

function paragraph(view: EditorView): DecorationSet {
	const { doc, selection } = view.state;
	const { from, to } = paragraphAt(doc, selection.main.head);
	const lines = [];
	for (let at = doc.lineAt(from); at.from <= to; at = doc.line(at.number + 1)) {
		lines.push(near.range(at.from));
		if (at.number === doc.lines) break;
	}
	return Decoration.set(lines);
}

/** The lines around a place, up to blank ones. A list's items and a quotation are one paragraph. */
export function paragraphAt(doc: EditorView["state"]["doc"], at: number): { from: number; to: number } {
	const here = doc.lineAt(at);
	if (here.text.trim() === "") return { from: here.from, to: here.to };
	let [first, last] = [here, here];
	while (first.number > 1 && doc.line(first.number - 1).text.trim() !== "") first = doc.line(first.number - 1);
	while (last.number < doc.lines && doc.line(last.number + 1).text.trim() !== "") last = doc.line(last.number + 1);
	return { from: first.from, to: last.to };
}

/** Focus mode, which can be turned on and off. */
export class FocusMode {
	readonly #compartment = new Compartment();
	readonly extension = this.#compartment.of([]);

	set(view: EditorView, on: boolean): void {
		view.dispatch({ effects: this.#compartment.reconfigure(on ? focusing : []) });
	}
}
