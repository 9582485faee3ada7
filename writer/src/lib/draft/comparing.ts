/** Texts as rows of tokens, so that they can be compared in a time that a person does not notice. */

export type Tokens = readonly string[];
/** Ways to cut a text: the finer ones first. Joined again, the tokens are the text. */
export type Cut = (text: string) => Tokens;

const by =
	(token: RegExp): Cut =>
	(text) =>
		text.match(token) ?? [];

// Blank lines, and blanks between words, are all the same: comparing grows with the square of how many there are.
export const LINES = [by(/[^\n]*\n|[^\n]+$/g), by(/[^\n]*\n(?:[^\S\n]*\n)*|[^\n]+$/g)];
export const WORDS = [
	by(/\s+|[\p{L}\p{N}\p{M}]+|[^\s\p{L}\p{N}\p{M}]/gu),
	by(/\s+|[\p{L}\p{N}\p{M}]+\s*|[^\s\p{L}\p{N}\p{M}]\s*/gu),
];

/** Pairs of the same token, beyond which two texts are not compared: about a fifth of a second. */
const MOST_PAIRS = 400_000;

/**
 * The texts as the finest tokens that are compared quickly, without what they begin and end with in common; null where none
 * are. `texts[0]` is compared with each of the others.
 */
export function compared(
	texts: readonly string[],
	cuts: readonly Cut[],
): { head: string; rows: readonly Tokens[]; tail: string } | null {
	for (const cut of cuts) {
		const rows = texts.map(cut);
		const [first = [], ...others] = rows;
		const shortest = Math.min(...rows.map((row) => row.length));
		const isCommon = (at: number): boolean => rows.every((row) => row.at(at) === first.at(at));
		let head = 0;
		while (head < shortest && isCommon(head)) head += 1;
		let tail = 0;
		while (tail < shortest - head && isCommon(-1 - tail)) tail += 1;
		const inner = (row: Tokens): Tokens => row.slice(head, row.length - tail);
		if (others.some((other) => pairs(inner(first), inner(other)) > MOST_PAIRS)) continue;
		return {
			head: first.slice(0, head).join(""),
			rows: rows.map(inner),
			tail: first.slice(first.length - tail).join(""),
		};
	}
	return null;
}

/** How many pairs of them are the same: what Hunt and McIlroy's comparison (1976) grows with. */
function pairs(one: Tokens, other: Tokens): number {
	const counts = new Map<string, number>();
	for (const token of one) counts.set(token, (counts.get(token) ?? 0) + 1);
	return other.reduce((sum, token) => sum + (counts.get(token) ?? 0), 0);
}
