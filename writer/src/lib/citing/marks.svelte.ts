/**
 * Citations as one sees them in a draft: quiet marks.
 *
 * Only what is in view is marked. A keystroke looks at the blocks that it touched, and at nothing else; what it does to the
 * blocks below (a fence that was opened) is looked at when typing pauses.
 */

import { ensureSyntaxTree, syntaxTree } from "@codemirror/language";
import { StateEffect, type EditorState, type Extension, type Range } from "@codemirror/state";
import { Decoration, ViewPlugin, type DecorationSet, type EditorView, type ViewUpdate } from "@codemirror/view";
import { citationsBetween, meaning } from "./meaning";
import type { Reference } from "./models";
import type { Standing } from "./standing.svelte";
import { blocksAt, citationsIn, countCited } from "./syntax";

export interface MarkOptions {
	references: () => readonly Reference[];
	standing: Standing;
	/** How often the text cites each id, told when typing pauses. */
	oncounted: (counts: ReadonlyMap<string, number>) => void;
}

const QUIET = 300; // ms after the last keystroke
const PATIENCE = 40; // ms that counting may take of a pause

const again = StateEffect.define();

export const marks = ViewPlugin.fromClass(
	class {
		decorations: DecorationSet;
		/** Places that something is to be put at once it is known; they move with the text. */
		readonly held = new Set<{ at: number }>();
		#tree;
		#settling: ReturnType<typeof setTimeout> | undefined;
		readonly #stop: () => void;

		constructor(
			private readonly view: EditorView,
			private readonly options: MarkOptions,
		) {
			this.decorations = this.#visible(view);
			this.#tree = syntaxTree(view.state);
			this.#settle();
			// What is outside the text changes the marks, too: a reference that came, what became of a passage.
			this.#stop = $effect.root(() => {
				$effect(() => {
					options.references();
					options.standing.seen();
					queueMicrotask(() => this.view.dispatch({ effects: again.of(null) }));
				});
			});
		}

		update(update: ViewUpdate): void {
			if (update.docChanged) {
				for (const place of this.held) place.at = update.changes.mapPos(place.at, 1);
				this.decorations = this.decorations.map(update.changes);
				if (!update.view.composing) this.#touched(update);
				this.#settle();
			}
			const asked = update.transactions.some(({ effects }) => effects.some((effect) => effect.is(again)));
			const parsed = !update.docChanged && syntaxTree(update.state) !== this.#tree;
			if (asked || parsed || update.viewportChanged) this.decorations = this.#visible(update.view);
			this.#tree = syntaxTree(update.state);
		}

		destroy(): void {
			clearTimeout(this.#settling);
			this.#stop();
		}

		#visible(view: EditorView): DecorationSet {
			const ranges = view.visibleRanges.flatMap(({ from, to }) => this.#marks(view.state, from, to));
			return Decoration.set(ranges, true);
		}

		#touched({ state, changes, view }: ViewUpdate): void {
			changes.iterChangedRanges((_from, _to, from, to) => {
				const { from: first } = state.doc.lineAt(Math.max(from, view.viewport.from));
				const { to: last } = state.doc.lineAt(Math.max(first, Math.min(to, view.viewport.to)));
				const block = blocksAt(syntaxTree(state), first, last);
				this.decorations = this.decorations.update({
					filterFrom: block.from,
					filterTo: block.to,
					filter: () => false,
					add: this.#marks(state, block.from, block.to),
					sort: true,
				});
			});
		}

		#marks(state: EditorState, from: number, to: number): Range<Decoration>[] {
			const references = this.options.references();
			return citationsBetween(state, from, to).flatMap((citation) => [
				WHOLE.range(citation.from, citation.to),
				...citation.items.map((item) => {
					const { reference, mood } = meaning(state, item, references, this.options.standing);
					return mark(reference ? mood : "missing").range(item.from, item.to);
				}),
			]);
		}

		#settle(): void {
			clearTimeout(this.#settling);
			this.#settling = setTimeout(() => {
				const { state } = this.view;
				this.view.dispatch({ effects: again.of(null) });
				const tree = ensureSyntaxTree(state, state.doc.length, PATIENCE);
				if (!tree) return this.#settle(); // read on in the next pause
				const found = citationsIn(tree, (from, to) => state.sliceDoc(from, to), 0, state.doc.length);
				this.options.oncounted(countCited(found));
			}, QUIET);
		}
	},
	{ decorations: (plugin) => plugin.decorations },
);

const WHOLE = Decoration.mark({ class: "cm-citation" });
const MARKS = new Map<string, Decoration>();

function mark(mood: string): Decoration {
	const known = MARKS.get(mood) ?? Decoration.mark({ class: `cm-cited cm-cited-${mood}` });
	MARKS.set(mood, known);
	return known;
}

/** A place in the text that stays where it is while others are written around it, until it is released. */
export function hold(view: EditorView, at: number): { readonly at: number; release: () => void } {
	const place = { at, release: () => void plugin?.held.delete(place) };
	const plugin = view.plugin(marks);
	plugin?.held.add(place);
	return place;
}

export const markExtension = (options: MarkOptions): Extension => marks.of(options);
