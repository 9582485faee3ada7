/**
 * How well a name answers to what was typed, or null where it does not.
 *
 * Each typed word must begin the name, begin a word of it, or stand in it; or all letters are the first ones of its
 * words (“gttl” is “Go to the library”). What looks alike but is none of these is left out: a list that one can foresee
 * is typed into blindly after a week.
 */
export function match(typed: string, name: string): number | null {
	const [wanted, has] = [folded(typed), folded(name)];
	const words = has.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
	let score = 0;
	for (const word of wanted.split(/\s+/).filter(Boolean)) {
		if (has.startsWith(word)) score += 4;
		else if (words.some((one) => one.startsWith(word))) score += 3;
		else if (word.length > 1 && has.includes(word)) score += 2;
		else
			return words.length > 1 &&
				words
					.map((one) => one[0])
					.join("")
					.startsWith(wanted.trim())
				? 1
				: null;
	}
	return score;
}

/** Those that answer to what was typed, best first; of equal ones, as they came. */
export function ranked<Item>(typed: string, items: readonly Item[], name: (item: Item) => string): Item[] {
	return items
		.map((item) => ({ item, score: match(typed, name(item)) }))
		.filter((one): one is { item: Item; score: number } => one.score !== null)
		.sort((one, other) => other.score - one.score)
		.map((one) => one.item);
}

/** As people type it in haste: without capitals and accents. */
function folded(text: string): string {
	return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
