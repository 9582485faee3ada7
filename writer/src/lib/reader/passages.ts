import type { Schemas } from "$lib/api/client";
import type { Offsets } from "$lib/offsets";

export type ReadDocument = Schemas["DocumentOut"];

/** What is said of a place of the text: where it is in the original, and whose words stand there. */
export interface Place {
	page?: number;
	seconds?: number;
	url?: string;
	author?: string;
	published_at?: string;
	/** Of a comment: 0 answers the document itself. */
	depth?: number;
	score?: number;
	state?: "deleted" | "removed";
}

/** Somebody's words beginning: a comment, a post of a thread, what a post quotes. */
export interface Voice {
	place: Place;
	kind: "comment" | "post" | "quoted";
	/** The first passage after it and all that answers it, by its number. */
	until: number;
	/** How many comments answer it, and those, and so on. */
	replies: number;
}

/** A heading or a paragraph. Offsets are units of the browser's, not code points. */
export interface Passage {
	/** Its number, from 0. */
	index: number;
	start: number;
	end: number;
	/** A heading's, or 0. */
	level: number;
	/** Told where it begins. */
	page: number | null;
	/** The second of the first words in it. */
	seconds: number | null;
	/** Who begins to speak with it. */
	voice: Voice | null;
	/** Of the comment that it is in. */
	depth: number | null;
	isQuoted: boolean;
	/** Its lines end where the writer's editor broke them, and mean nothing. */
	flows: boolean;
}

/** Characters. A longer paragraph is drawn in parts: a browser lays a paragraph out as a whole. */
const LONGEST = 8_000;
/** What makes a heading, an item or a quotation of a line of Markdown, at the end of what is before its words. */
const SIGNS = /(?:^|\n)([^\S\n]*(?:#{1,6}|[-*+>]|\d{1,9}[.)])[^\S\n]+)$/;
const BLANK_LINE = /\n[^\S\n]*\n\s*/g;

interface Stretch {
	start: number;
	end: number;
	level: number;
}

/** What an anchor says, and where in the text, in units. */
export interface Anchored {
	at: number;
	place: Place;
}

export function anchorsOf(document: ReadDocument, offsets: Offsets): Anchored[] {
	// OpenAPI tells a pair as a list of anything.
	const anchors = document.anchors as unknown as readonly [number, Place][];
	return anchors.map(([offset, place]) => ({ at: offsets.toUnit(offset), place }));
}

/**
 * The text in its parts, in order. All that is no white space is in one of them, whatever the blocks say, but for the signs
 * that make a heading of a line of Markdown.
 */
export function passagesOf(document: ReadDocument, offsets: Offsets): Passage[] {
	const anchors = anchorsOf(document, offsets);
	const voices = anchors.filter(({ place }) => speaks(place));
	const isMarkdown = document.format === "markdown";
	const stretches = cut(stretchesOf(document, offsets), new Set(voices.map(({ at }) => at)), document.text);
	const passages: Passage[] = [];
	let [anchor, voice] = [0, 0];
	let page: number | null = null;
	let here: Place | null = null;
	for (const { start, end, level } of stretches) {
		let begins: Place | null = null;
		for (let next = voices[voice]; next && next.at <= start; next = voices[++voice]) begins = here = next.place;
		let seconds: number | null = null;
		let shown: number | null = null;
		for (let next = anchors[anchor]; next && next.at < end; next = anchors[++anchor]) {
			if (next.place.seconds !== undefined) seconds ??= next.place.seconds;
			if (next.place.page !== undefined && next.place.page !== page) shown ??= page = next.place.page;
		}
		const kind = here && kindOf(here, document.author);
		passages.push({
			index: passages.length,
			start,
			end,
			// In a comment they are only large letters.
			level: kind === "comment" ? 0 : level || (isMarkdown ? headingAt(document.text, start, end) : 0),
			flows: isMarkdown && isProse(document.text.slice(start, end)),
			page: shown,
			seconds,
			voice: begins && kind && isTold(begins, passages.length) ? { place: begins, kind, until: 0, replies: 0 } : null,
			depth: here?.depth ?? null,
			isQuoted: kind === "quoted",
		});
	}
	countReplies(passages);
	return passages;
}

/** Documents that were pushed in have no blocks: the level of a heading of Markdown's, else 0. */
function headingAt(text: string, start: number, end: number): number {
	return /^(#{1,6})[ \t]+\S[^\n]*$/.exec(text.slice(start, Math.min(end, start + 300)))?.[1]?.length ?? 0;
}

/** Of Markdown, a paragraph: no list, table, quotation, code or front matter, and no line that was ended on purpose. */
function isProse(words: string): boolean {
	return words.includes("\n") && !/^([ \t]{2,}|[-*+>|#~`:]|\d+[.)]\s|\w+: )|( {2}|\\)$/m.test(words);
}

/** Not a place of the original alone (a page, a second). */
const speaks = (place: Place): boolean => place.page === undefined && place.seconds === undefined;

function kindOf(place: Place, author: string | null): Voice["kind"] {
	if (place.depth !== undefined) return "comment";
	return place.author === undefined || place.author === author ? "post" : "quoted";
}

/** The document's own first words need no line above them: its head says whose they are. */
function isTold(place: Place, index: number): boolean {
	if (place.depth !== undefined || place.state !== undefined) return true;
	return index > 0 && (place.author !== undefined || place.published_at !== undefined);
}

/** The document's blocks, and what stands between them; of a text without any, its paragraphs. */
function stretchesOf(document: ReadDocument, offsets: Offsets): Stretch[] {
	const { text } = document;
	const blocks = document.blocks as unknown as readonly [number, number, number][];
	const stretches: Stretch[] = [];
	const isMarkdown = document.format === "markdown";
	let at = 0;
	for (const [from, to, level] of blocks) {
		const [start, end] = [offsets.toUnit(from), offsets.toUnit(to)];
		if (end <= at) continue; // blocks are ascending and apart; those that are not are nobody's reason to show less
		// Markdown's blocks are their words: of the signs before them on the line, a heading's are seen by its size, and an
		// item's or a quotation's belong to it.
		const signs = isMarkdown ? (SIGNS.exec(text.slice(at, start))?.[1]?.length ?? 0) : 0;
		stretches.push(...paragraphs(text, at, start - signs));
		stretches.push({ start: Math.max(at, level > 0 ? start : start - signs), end, level });
		at = end;
	}
	stretches.push(...paragraphs(text, at, text.length));
	return stretches;
}

function* paragraphs(text: string, from: number, to: number): Generator<Stretch> {
	const between = text.slice(from, to);
	if (!between.trim()) return;
	let at = 0;
	for (const blank of [...between.matchAll(BLANK_LINE), null]) {
		const end = blank ? blank.index : between.length;
		const words = between.slice(at, end);
		if (words.trim()) {
			const start = from + at + words.length - words.trimStart().length;
			yield { start, end: from + at + words.trimEnd().length, level: 0 };
		}
		at = blank ? end + blank[0].length : end;
	}
}

/** Cut where somebody else begins to speak, and where a part is longer than a browser likes. */
function* cut(stretches: Iterable<Stretch>, voices: ReadonlySet<number>, text: string): Generator<Stretch> {
	const places = [...voices].sort((a, b) => a - b);
	let next = 0;
	for (const { start, end, level } of stretches) {
		let at = start;
		while ((places[next] ?? Infinity) <= at) next += 1;
		for (let place = places[next]; place !== undefined && place < end; place = places[++next]) {
			yield* pieces(at, place, level, text);
			at = place;
		}
		yield* pieces(at, end, level, text);
	}
}

function* pieces(start: number, end: number, level: number, text: string): Generator<Stretch> {
	let at = start;
	while (end - at > LONGEST) {
		const reach = text.slice(at, at + LONGEST);
		// After a line or else a word; where there is none, not between the halves of a pair.
		const space = Math.max(reach.lastIndexOf("\n"), reach.lastIndexOf(" ")) + 1;
		const length = space || (reach.charCodeAt(LONGEST - 1) >> 10 === 0x36 ? LONGEST - 1 : LONGEST);
		yield { start: at, end: at + length, level };
		at += length;
	}
	yield { start: at, end, level };
}

/** Comments come in their order, with their depths: what follows deeper answers. */
function countReplies(passages: readonly Passage[]): void {
	const open: Voice[] = [];
	const close = (depth: number, at: number): void => {
		for (let last = open.at(-1); last && (last.place.depth ?? -1) >= depth; last = open.at(-1)) {
			last.until = at;
			open.pop();
		}
	};
	for (const { voice, index } of passages) {
		if (!voice) continue;
		const depth = voice.place.depth ?? -1;
		close(depth, index);
		if (voice.kind !== "comment") {
			voice.until = index + 1;
			continue;
		}
		for (const one of open) one.replies += 1;
		open.push(voice);
	}
	close(-1, passages.length);
}

/** Those that are seen while some comments are folded: of these, their answers and their words are left out. */
export function unfolded(passages: readonly Passage[], folded: ReadonlySet<number>): readonly Passage[] {
	if (folded.size === 0) return passages;
	const seen: Passage[] = [];
	for (let at = 0; at < passages.length;) {
		const passage = passages[at] as Passage;
		seen.push(passage);
		at = folded.has(passage.index) && passage.voice ? Math.max(passage.voice.until, at + 1) : at + 1;
	}
	return seen;
}
