/**
 * Which rows of a long list are drawn, and where.
 *
 * Rows are of one height, so this is arithmetic; a library for it would be larger than it, and would measure. Browsers draw
 * no element higher than some 17 million px (Firefox): a list that would be higher is squeezed, and the place in it is a share.
 */
export interface Frame {
	/** Of the element that is scrolled through. */
	height: number;
	/** The first row drawn, and the one after the last. */
	first: number;
	last: number;
	/** Where the first one is, from the start of the element. */
	offset: number;
}

export const HIGHEST = 15_000_000;
const SPARE = 12; // rows above and below the view: what a turn of a wheel shows before the next frame

export function frameOf(total: number, row: number, view: number, scrolled: number): Frame {
	const whole = total * row;
	const height = Math.min(whole, HIGHEST);
	const at = placeOf(scrolled, whole, height, view);
	const first = Math.max(0, Math.floor(at / row) - SPARE);
	const last = Math.min(total, Math.ceil((at + view) / row) + SPARE);
	return { height, first, last, offset: scrolled + first * row - at };
}

/** How far to scroll so that a row is in view; null where it is already. */
export function scrollTo(index: number, total: number, row: number, view: number, scrolled: number): number | null {
	const whole = total * row;
	const height = Math.min(whole, HIGHEST);
	const at = placeOf(scrolled, whole, height, view);
	const wanted = index * row < at ? index * row : (index + 1) * row > at + view ? (index + 1) * row - view : at;
	if (wanted === at) return null;
	return whole === height ? wanted : (wanted / (whole - view)) * (height - view);
}

const placeOf = (scrolled: number, whole: number, height: number, view: number): number =>
	whole === height || height <= view ? scrolled : (scrolled / (height - view)) * (whole - view);
