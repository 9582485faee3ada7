import { words } from "$lib/citing/words";
import { findCitations } from "$lib/citing/syntax";

/** Fewer say nothing that could be looked for. */
export const FEWEST_WORDS = 4;
/** Characters of a question to the API. What is nearest to the end is what is being written. */
const LONGEST = 4_000;

/** A paragraph of Markdown as it is looked for: its words, without citations, addresses and what marks it. */
export function passageOf(markdown: string): string {
	let text = "";
	let at = 0;
	for (const { from, to } of markdown.includes("@") ? findCitations(markdown) : []) {
		text += markdown.slice(at, from);
		at = to;
	}
	const plain = (text + markdown.slice(at))
		.replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
		.replace(/^[ \t]*(?:>[ \t]?|#{1,6}[ \t]+|[-*+][ \t]+|\d{1,9}[.)][ \t]+)+/gm, "")
		.replace(/[*`]+|\\(?=[^\p{L}\p{N}\s])/gu, "")
		.replace(/\s+/g, " ")
		.trim();
	return Array.from(plain).slice(-LONGEST).join("").trim();
}

export const saysEnough = (passage: string): boolean => words(passage).length >= FEWEST_WORDS;
