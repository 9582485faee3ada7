import type { ChangeSpec, StateCommand } from "@codemirror/state";
import { EditorSelection } from "@codemirror/state";

/** Put marks around what is selected, or the word one is in; take them away where they are. */
export function wrap(mark: string): StateCommand {
	return ({ state, dispatch }) => {
		const change = state.changeByRange((range) => {
			const { from, to } = range.empty ? (state.wordAt(range.head) ?? range) : range;
			const [before, after] = [state.sliceDoc(from - mark.length, from), state.sliceDoc(to, to + mark.length)];
			const n = mark.length;
			if (before === mark && after === mark) {
				const changes: ChangeSpec = [
					{ from: from - n, to: from },
					{ from: to, to: to + n },
				];
				return { changes, range: EditorSelection.range(range.anchor - n, range.head - n) };
			}
			const changes: ChangeSpec = [
				{ from, insert: mark },
				{ from: to, insert: mark },
			];
			return { changes, range: EditorSelection.range(range.anchor + n, range.head + n) };
		});
		dispatch(state.update(change, { userEvent: "input", scrollIntoView: true }));
		return true;
	};
}

/** `[what is selected](|)`; an address that is selected becomes the link's. */
export const link: StateCommand = ({ state, dispatch }) => {
	const change = state.changeByRange((range) => {
		const { from, to } = range.empty ? (state.wordAt(range.head) ?? range) : range;
		const text = state.sliceDoc(from, to);
		const isAddress = /^https?:\/\/\S+$/.test(text);
		const insert = isAddress ? `[](${text})` : `[${text}]()`;
		const cursor = isAddress ? from + 1 : from + insert.length - 1;
		return { changes: { from, to, insert }, range: EditorSelection.cursor(cursor) };
	});
	dispatch(state.update(change, { userEvent: "input", scrollIntoView: true }));
	return true;
};
