/**
 * Offsets: code points on the wire, UTF-16 units in the browser. This module is the only place that converts.
 *
 * A lone surrogate counts as one code point on both sides, as `String.prototype.codePointAt` and Python have it. A place
 * between the two halves of a pair is none on the wire: it is moved to the pair's start.
 */

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/** Whether the unit at `at` is the second half of a pair. */
const splitsPair = (text: string, at: number): boolean =>
	at > 0 && at < text.length && isLow(text.charCodeAt(at)) && isHigh(text.charCodeAt(at - 1));

/** How many code points a text has. */
export function codePoints(text: string): number {
	return toCodePoint(text, text.length);
}

/** The code points before the unit `at`; a place outside the text is moved to its nearer end. */
export function toCodePoint(text: string, at: number): number {
	let end = Math.max(0, Math.min(at, text.length));
	if (splitsPair(text, end)) end -= 1;
	let pairs = 0;
	for (let unit = 1; unit < end; unit++) if (splitsPair(text, unit)) pairs += 1;
	return end - pairs;
}

/** Of one text, many places at once: text is walked once for all, whatever their order. */
export class Offsets {
	/** The unit after each pair, ascending. Empty for most texts, whose two kinds of offsets are then the same. */
	readonly #pairEnds: number[] = [];

	constructor(readonly text: string) {
		for (let unit = 1; unit < text.length; unit++) {
			if (splitsPair(text, unit)) this.#pairEnds.push(unit + 1);
		}
	}

	/** Code points before a UTF-16 unit. */
	toCodePoint(unit: number): number {
		const end = Math.max(0, Math.min(unit, this.text.length));
		const pairs = count(this.#pairEnds, (pairEnd) => pairEnd <= end);
		return splitsPair(this.text, end) ? end - 1 - pairs : end - pairs;
	}

	/** The UTF-16 unit at which a code point begins. */
	toUnit(codePoint: number): number {
		const at = Math.max(0, codePoint);
		// The n-th pair (from 0) begins at code point pairEnds[n] - 2 - n.
		const pairs = count(this.#pairEnds, (pairEnd, n) => pairEnd - 2 - n < at);
		return Math.min(at + pairs, this.text.length);
	}

	/** The part of the text between two places counted in code points, as Python's `text[start:end]`. */
	slice(start: number, end: number): string {
		return this.text.slice(this.toUnit(start), this.toUnit(end));
	}
}

/** How many of the first entries hold, in a list where those that hold come first. */
function count(sorted: readonly number[], holds: (entry: number, index: number) => boolean): number {
	let low = 0;
	let high = sorted.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (holds(sorted[middle] as number, middle)) low = middle + 1;
		else high = middle;
	}
	return low;
}
