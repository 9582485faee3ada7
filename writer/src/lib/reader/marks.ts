import type { Schemas } from "$lib/api/client";

export type Highlight = Schemas["HighlightOut"];
export type Colour = Highlight["colour"];
export const COLOURS: readonly Colour[] = ["yellow", "green", "blue", "pink", "purple"];

/** What is marked in the text shown. Offsets are the browser's units. */
export interface Mark {
	start: number;
	end: number;
	/** Null: the passage that was asked for. */
	highlight: Highlight | null;
}

/** A part of a passage in which the same marks hold. */
export interface Segment {
	start: number;
	end: number;
	isCited: boolean;
	/** Of several, the one that began last: it is the smaller one, most often. */
	highlight: Highlight | null;
	/** Those that end here. */
	ending: readonly Highlight[];
}

/** A passage cut where marks begin and end; whole where there are none. */
export function segmentsOf(start: number, end: number, marks: readonly Mark[]): Segment[] {
	const touching = marks.filter((mark) => mark.start < end && mark.end > start);
	if (touching.length === 0) return [{ start, end, isCited: false, highlight: null, ending: [] }];
	const inside = touching.flatMap((mark) => [mark.start, mark.end]).filter((at) => at > start && at < end);
	const places = [...new Set([start, ...inside, end])].sort((a, b) => a - b);
	return places.slice(0, -1).map((from, n) => {
		const to = places[n + 1] as number;
		const here = touching.filter((mark) => mark.start <= from && mark.end >= to);
		const highlights = here.filter((mark) => mark.highlight).sort((a, b) => b.start - a.start || a.end - b.end);
		return {
			start: from,
			end: to,
			isCited: here.some((mark) => mark.highlight === null),
			highlight: highlights[0]?.highlight ?? null,
			ending: touching.flatMap((mark) => (mark.highlight && mark.end === to ? [mark.highlight] : [])),
		};
	});
}
