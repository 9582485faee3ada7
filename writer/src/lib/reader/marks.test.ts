import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { segmentsOf, type Highlight, type Mark } from "./marks";

const highlight = (id: string): Highlight => ({ id }) as Highlight;

describe("marks", () => {
	test("a passage without marks is whole", () => {
		expect(segmentsOf(10, 20, [{ start: 20, end: 30, highlight: null }])).toHaveLength(1);
	});

	test("marks that overlap are cut where one of them begins or ends, and the later one is on top", () => {
		const [one, two] = [highlight("one"), highlight("two")];
		const marks: Mark[] = [
			{ start: 0, end: 8, highlight: one },
			{ start: 4, end: 6, highlight: two },
			{ start: 5, end: 12, highlight: null },
		];
		const found = segmentsOf(2, 10, marks);
		expect(found.map(({ start, end }) => [start, end])).toEqual([
			[2, 4],
			[4, 5],
			[5, 6],
			[6, 8],
			[8, 10],
		]);
		expect(found.map((segment) => segment.highlight?.id ?? null)).toEqual(["one", "two", "two", "one", null]);
		expect(found.map((segment) => segment.isCited)).toEqual([false, false, true, true, true]);
		expect(found.map((segment) => segment.ending.map(({ id }) => id))).toEqual([[], [], ["two"], ["one"], []]);
	});

	test("segments are the passage, in order and without gaps", () => {
		const span = fc.tuple(fc.nat(50), fc.nat(50)).map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) + 1 }));
		fc.assert(
			fc.property(span, fc.array(span, { maxLength: 6 }), ({ start, end }, spans) => {
				const found = segmentsOf(
					start,
					end,
					spans.map((one, n) => ({ ...one, highlight: highlight(String(n)) })),
				);
				expect(found[0]?.start).toBe(start);
				expect(found.at(-1)?.end).toBe(end);
				for (const [n, segment] of found.entries()) expect(segment.start).toBe(found[n - 1]?.end ?? start);
			}),
		);
	});
});
