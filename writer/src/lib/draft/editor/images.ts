import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

/** An image that was pasted or dropped: kept, and named in the text where it came. */
export function images(add: (bytes: Blob) => Promise<string>, failed: (error: unknown) => void): Extension {
	const take = (view: EditorView, data: DataTransfer | null, at: number | null): boolean => {
		const files = [...(data?.files ?? [])].filter((file) => file.type.startsWith("image/"));
		if (files.length === 0) return false;
		void (async () => {
			for (const file of files) {
				try {
					const name = await add(file);
					const alt = file.name.replace(/\.[^.]*$/, "").replace(/[[\]\\]/g, " ");
					const { from, to } = at === null ? view.state.selection.main : { from: at, to: at };
					const insert = `![${alt === "image" ? "" : alt}](images/${name})`;
					view.dispatch({
						changes: { from, to, insert },
						selection: { anchor: from + insert.length },
						userEvent: "input.paste",
						scrollIntoView: true,
					});
				} catch (error) {
					failed(error);
				}
			}
		})();
		return true;
	};
	return EditorView.domEventHandlers({
		paste: (event, view) => take(view, event.clipboardData, null),
		drop: (event, view) => take(view, event.dataTransfer, view.posAtCoords({ x: event.clientX, y: event.clientY })),
	});
}
