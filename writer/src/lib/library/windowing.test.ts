import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { frameOf, HIGHEST, scrollTo } from "./windowing";

const ROW = 56;
const VIEW = 800;

describe("the rows in view", () => {
	test("are those at the place, with some above and below", () => {
		expect(frameOf(100_000, ROW, VIEW, 0)).toEqual({ height: 5_600_000, first: 0, last: 27, offset: 0 });
		const middle = frameOf(100_000, ROW, VIEW, 56_000);
		expect(middle.first).toBeLessThan(1000);
		expect(middle.last).toBeGreaterThan(1014);
		expect(middle.offset).toBe(middle.first * ROW);
	});

	test("every row of a list of any length can be reached, and is then in view", () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 3_000_000 }),
				fc.double({ min: 0, max: 1, noNaN: true }),
				(total, share) => {
					const index = Math.min(total - 1, Math.floor(share * total));
					const scrolled = scrollTo(index, total, ROW, VIEW, 0) ?? 0;
					const frame = frameOf(total, ROW, VIEW, scrolled);
					expect(frame.height).toBeLessThanOrEqual(HIGHEST);
					expect(scrolled).toBeLessThanOrEqual(Math.max(0, frame.height - VIEW) + 1);
					expect(frame.first).toBeLessThanOrEqual(index);
					expect(frame.last).toBeGreaterThan(index);
					const top = frame.offset + (index - frame.first) * ROW - scrolled;
					expect(top).toBeGreaterThanOrEqual(-1);
					expect(top + ROW).toBeLessThanOrEqual(Math.max(VIEW, ROW) + 1);
				},
			),
		);
	});

	test("a row that is in view already moves nothing", () => {
		expect(scrollTo(5, 100, ROW, VIEW, 0)).toBeNull();
	});
});
