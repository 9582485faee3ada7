import { StateEffect, type Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import type { Reference } from "./models";

/** Completion of citations, fetched with the first `@` that is typed: many drafts have none, and it is a tenth of the script. */
export function completionWhenAsked(references: () => readonly Reference[]): Extension {
	let asked = false;
	return EditorView.updateListener.of(({ view, docChanged, transactions }) => {
		if (asked || !docChanged || !transactions.some((one) => one.isUserEvent("input.type"))) return;
		const { head } = view.state.selection.main;
		if (!view.state.sliceDoc(Math.max(0, head - 2), head).includes("@")) return;
		asked = true;
		import("./completion").then(
			({ citationCompletion, startCompletion }) => {
				view.dispatch({ effects: StateEffect.appendConfig.of(citationCompletion(references)) });
				startCompletion(view);
			},
			() => (asked = false), // the next `@` tries again
		);
	});
}
