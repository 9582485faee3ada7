/** Why a hit is evidence for a passage, as far as the two texts show it; and what of the hit is drawn. */

import { shared } from "$lib/citing/words";
import { Offsets } from "$lib/offsets";
import type { Hit } from "./models";

export interface Part {
	text: string;
	isQuote: boolean;
	/** A word that the passage has, too. */
	isShared: boolean;
}

/** UTF-16 units of the text around a quote. */
const AROUND = 140;
const MOST_WORDS = 5;

/** The quote within its surroundings, cut at words, in parts that are drawn alike. */
export function parts(hit: Hit, stems: ReadonlySet<string>): Part[] {
	const text = flowing(hit);
	const offsets = new Offsets(text);
	const from = offsets.toUnit(hit.citation.quote_start - hit.start);
	const to = offsets.toUnit(hit.citation.quote_end - hit.start);
	const [start, end] = [wordStart(text, from - AROUND, from), wordEnd(text, to + AROUND, to)];
	const words = shared(text.slice(start, end), stems).map((word) => ({ from: word.from + start, to: word.to + start }));
	const edges = [start, from, to, end, ...words.flatMap((word) => [word.from, word.to])];
	const cuts = [...new Set(edges)].filter((at) => at >= start && at <= end).sort((one, other) => one - other);
	const found = cuts.slice(1).map((cut, n) => {
		const at = cuts[n] ?? 0;
		return {
			text: text.slice(at, cut),
			isQuote: at >= from && cut <= to,
			isShared: words.some((word) => word.from <= at && cut <= word.to),
		};
	});
	const cut = (part: string): Part => ({ text: part, isQuote: false, isShared: false });
	return [...(start > 0 ? [cut("… ")] : []), ...found, ...(end < text.length ? [cut(" …")] : [])];
}

/** A hit's text without the line breaks that mean a space, every character in its place. Lines of a post are its own. */
function flowing({ text, citation }: Hit): string {
	return citation.platform === "web" || citation.platform === "files"
		? text.replace(/(?<!\n)\n(?![\n|#>*+-]|\d+[.)])/g, " ")
		: text;
}

/** The words that both have, as the hit writes them, each once, those of its quote first. */
export function sharedWords(hit: Hit, stems: ReadonlySet<string>): string[] {
	const found = [hit.citation.quote, hit.text].flatMap((text) =>
		shared(text, stems).map((word) => text.slice(word.from, word.to).toLowerCase()),
	);
	return [...new Set(found)].slice(0, MOST_WORDS);
}

function wordStart(text: string, at: number, latest: number): number {
	if (at <= 0) return 0;
	const space = text.indexOf(" ", at);
	return space >= 0 && space < latest ? space + 1 : latest;
}

function wordEnd(text: string, at: number, earliest: number): number {
	if (at >= text.length) return text.length;
	const space = text.lastIndexOf(" ", at);
	return space > earliest ? space : earliest;
}
