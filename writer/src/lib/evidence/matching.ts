import { Offsets } from "$lib/offsets";
import type { Hit } from "./evidence.svelte";

/** A stretch of text, marked where it shares a word with the passage. */
export interface Stretch {
	text: string;
	shared: boolean;
}

/** Characters of a hit shown on either side of its quote. */
const AROUND = 140;
/** Letters that two words must share from their start to count as one: what most endings leave. */
const STEM = 5;
const WORD = /[\p{L}\p{N}\p{M}]+/gu;

/** The quoted sentence within what stands around it. */
export function surroundings(hit: Hit): { before: string; quote: string; after: string } {
	const offsets = new Offsets(hit.text);
	const from = hit.citation.quote_start - hit.start;
	const to = hit.citation.quote_end - hit.start;
	const before = offsets.slice(0, from);
	const after = offsets.slice(to, Number.MAX_SAFE_INTEGER);
	return {
		before: before.length > AROUND ? `… ${afterFirstWord(before.slice(-AROUND))}` : before,
		quote: hit.citation.quote,
		after: after.length > AROUND ? `${beforeLastWord(after.slice(0, AROUND))} …` : after,
	};
}

const afterFirstWord = (text: string): string => text.slice(text.search(/\s/) + 1);
const beforeLastWord = (text: string): string => text.replace(/\s+\S*$/, "");

/** A text in stretches, by whether their words are in the passage, too. Short words tell nothing. */
export function shared(text: string, passage: string): Stretch[] {
	const stems = new Set(Array.from(passage.matchAll(WORD), ([word]) => stem(word)).filter((one) => one !== null));
	const found: Stretch[] = [];
	let at = 0;
	for (const { 0: word, index } of text.matchAll(WORD)) {
		const key = stem(word);
		if (key === null || !stems.has(key)) continue;
		if (index > at) found.push({ text: text.slice(at, index), shared: false });
		found.push({ text: word, shared: true });
		at = index + word.length;
	}
	if (at < text.length) found.push({ text: text.slice(at), shared: false });
	return found;
}

/** What tells a word; null for one that tells nothing. Of scripts without spaces, the word as it stands. */
function stem(word: string): string | null {
	const folded = word.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
	if (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(folded)) return folded.length > 1 ? folded : null;
	return folded.length < 4 ? null : folded.slice(0, STEM);
}

/** The words that a hit and the passage share, as the hit has them: why it was found. None: it was found by meaning. */
export function sharedWords(hit: Hit, passage: string): string[] {
	const words = shared(hit.text, passage).flatMap((stretch) => (stretch.shared ? [stretch.text.toLowerCase()] : []));
	return [...new Set(words)].slice(0, 6);
}
