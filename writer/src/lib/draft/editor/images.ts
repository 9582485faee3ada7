import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { hold } from "$lib/citing/marks.svelte";

/** An image that was pasted or dropped: kept, and named in the text where it came. */
export function images(add: (bytes: Blob) => Promise<string>, failed: (error: unknown) => void): Extension {
	const take = (view: EditorView, data: DataTransfer | null, at: number | null): boolean => {
		// Word and Excel lay a picture of the text beside the text: it is the text that is meant.
		if (data?.getData("text/plain").trim()) return false;
		const files = [...(data?.files ?? [])].filter((file) => file.type.startsWith("image/"));
		if (files.length === 0) return false;
		const place = hold(view, at ?? view.state.selection.main.from);
		if (at === null) view.dispatch(view.state.replaceSelection(""));
		void (async () => {
			for (const file of files) {
				try {
					const name = await add(file);
					const alt = file.name.replace(/\.[^.]*$/, "").replace(/[[\]\\]/g, " ");
					const insert = `![${alt === "image" ? "" : alt}](images/${name})`;
					const from = place.at;
					// The cursor comes along, unless one has gone on writing elsewhere meanwhile.
					const isThere = at !== null || view.state.selection.main.head === from;
					view.dispatch({
						changes: { from, insert },
						...(isThere ? { selection: { anchor: from + insert.length } } : {}),
						userEvent: "input.paste",
						scrollIntoView: isThere,
					});
				} catch (error) {
					failed(error);
				}
			}
			place.release();
		})();
		return true;
	};
	return EditorView.domEventHandlers({
		paste: (event, view) => take(view, event.clipboardData, null),
		drop: (event, view) => take(view, event.dataTransfer, view.posAtCoords({ x: event.clientX, y: event.clientY })),
	});
}
