/** What a citation in the text stands for: its references, the passages of them, and what became of those. */

import { syntaxTree } from "@codemirror/language";
import type { EditorState } from "@codemirror/state";
import type { Reference, Span } from "./models";
import { spansAt } from "./passages";
import { moodOf, worst, type Checked, type Mood, type Standing } from "./standing.svelte";
import { blocksAt, citationsIn, type Citation, type CitedItem } from "./syntax";

export interface Meant {
	item: CitedItem;
	reference: Reference | undefined;
	spans: readonly { span: Span; checked: Checked | undefined }[];
	mood: Mood;
}

/** UTF-16 units around a citation: their words may tell which passage it means. */
const AROUND = 2_000;

export function citationsBetween(state: EditorState, from: number, to: number): Citation[] {
	return citationsIn(syntaxTree(state), (start, end) => state.sliceDoc(start, end), from, to);
}

/** The citation at a place, and the item of it that is there; where the place is no item's, all of them. */
export function citationAt(state: EditorState, at: number): { citation: Citation; items: readonly CitedItem[] } | null {
	const line = state.doc.lineAt(at);
	const citation = citationsBetween(state, line.from, line.to).find(({ from, to }) => from <= at && at <= to);
	if (!citation) return null;
	const item = citation.items.find(({ from, to }) => from <= at && at <= to);
	return { citation, items: item ? [item] : citation.items };
}

export function meaning(
	state: EditorState,
	item: CitedItem,
	references: readonly Reference[],
	standing: Standing | undefined,
): Meant {
	const reference = references.find(({ id }) => id === item.id);
	if (!reference) return { item, reference, spans: [], mood: "same" };
	const around = (): string => {
		const { from, to } = blocksAt(syntaxTree(state), item.from, item.to);
		const text = state.sliceDoc(Math.max(from, item.from - AROUND), Math.min(to, item.to + AROUND));
		// Below a quotation it is the quotation that counts, which is a paragraph of its own there.
		return /^\W*@/.test(text) ? state.sliceDoc(Math.max(0, from - AROUND), from) : text;
	};
	const spans = spansAt(reference, item.locator, around).map((span) => ({
		span,
		checked: standing?.of(reference, span),
	}));
	return { item, reference, spans, mood: worst(spans.map(({ checked }) => moodOf(checked))) };
}
