/**
 * Pandoc's citations in Markdown: `[see @a, p. 3; -@b]`, `@a [p. 3]`, `@{https://…}`.
 *
 * What is text and what is code is told by a Markdown tree (the editor has one at hand); within the text, the rules are
 * those of Pandoc's own reader (Text.Pandoc.Readers.Markdown, `cite`). We differ in one thing: the address in a bare
 * `https://x.com/@name` is an address.
 */

import type { SyntaxNodeRef, Tree } from "@lezer/common";
import { GFM, parser } from "@lezer/markdown";
import { remembering } from "$lib/remembering";

export interface CitedItem {
	id: string;
	/** Of the id with its `@`, and the `-` before it. */
	from: number;
	to: number;
	prefix: string;
	/** What follows the id, without the comma. */
	locator: string;
	/** `-@id`: the text itself has said who. */
	suppressesAuthor: boolean;
	/** `@id` as a part of the sentence. */
	inText: boolean;
}

/** One citation: what a style would render as one. Offsets are UTF-16 units. */
export interface Citation {
	from: number;
	to: number;
	items: readonly CitedItem[];
}

const MARKDOWN = parser.configure(GFM);
/** Blocks that hold text of which inlines are made. */
const LEAVES = new Set(["Paragraph", "Task", "TableCell", "SetextHeading1", "SetextHeading2"]);
/** What stands in them and is no text. */
const MASKED = new Set([
	"Escape",
	"InlineCode",
	"HTMLTag",
	"Comment",
	"ProcessingInstruction",
	"Autolink",
	"URL",
	"LinkTitle",
]);
/** Stands for a unit that is no text; in no citation's syntax, and no letter. */
const MASK = "\uFFFC";

/** Those of a whole text, ascending. */
export function findCitations(text: string): Citation[] {
	return citationsIn(MARKDOWN.parse(text), (from, to) => text.slice(from, to), 0, text.length);
}

/** How often each id is cited. */
export function countCited(citations: Iterable<Citation>): Map<string, number> {
	const counts = new Map<string, number>();
	for (const { items } of citations) for (const { id } of items) counts.set(id, (counts.get(id) ?? 0) + 1);
	return counts;
}

/** Those of the blocks that touch a range, ascending. */
export function citationsIn(
	tree: Tree,
	read: (from: number, to: number) => string,
	from: number,
	to: number,
): Citation[] {
	const found: Citation[] = [];
	const text = matterEnd(read, tree.length);
	tree.iterate({
		from,
		to,
		enter(node) {
			if (!isLeaf(node, read)) return node.name !== "LinkReference";
			// Metadata is the draft's, not its text. Markdown's grammar knows nothing of it.
			const raw = node.from >= text ? read(node.from, node.to) : "";
			if (raw.includes("@")) found.push(...scanned(node, raw, read).map((citation) => moved(citation, node.from)));
			return false;
		},
	});
	return found;
}

/** From the first to the last unit of the blocks of text that touch a range: what one edit there may change. */
export function blocksAt(tree: Tree, from: number, to: number): { from: number; to: number } {
	const whole = { from, to };
	tree.iterate({
		from,
		to,
		enter(node) {
			if (!LEAVES.has(node.name) && !node.name.startsWith("ATXHeading") && node.name !== "LinkReference") return true;
			whole.from = Math.min(whole.from, node.from);
			whole.to = Math.max(whole.to, node.to);
			return false;
		},
	});
	return whole;
}

function isLeaf(node: SyntaxNodeRef, read: (from: number, to: number) => string): boolean {
	// To Pandoc `[^1]: @a` is a note, to CommonMark a link named `^1`.
	if (node.name === "LinkReference") return read(node.from, node.from + 2) === "[^";
	return LEAVES.has(node.name) || node.name.startsWith("ATXHeading");
}

/** Where the text begins: after `---`, a few lines of YAML, `---`. */
function matterEnd(read: (from: number, to: number) => string, length: number): number {
	if (!/^---[ \t]*\r?\n/.test(read(0, Math.min(length, 8)))) return 0;
	const found = /^---[ \t]*\r?\n[^]*?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/.exec(read(0, Math.min(length, 20_000)));
	return found?.[0].length ?? 0;
}

/** A block's text with all that is none of it put out of sight, every place where it was. */
function masked(block: SyntaxNodeRef, read: (from: number, to: number) => string): string {
	let text = "";
	let at = block.from;
	const note = block.name === "LinkReference";
	block.node.cursor().iterate((node) => {
		if (node.from < at) return node.to > at || node.from === block.from;
		const isQuote = node.name === "QuoteMark";
		if (!isQuote && (note || !MASKED.has(node.name))) return true;
		// GFM takes `-@a.b` for an address of mail. In one that is, a letter is before the sign.
		if (node.name === "URL" && /^[^/:]*@/.test(read(node.from, node.to))) return true;
		text += read(at, node.from) + (isQuote ? " " : MASK).repeat(node.to - node.from);
		at = node.to;
		return false;
	});
	return text + read(at, block.to);
}

/** What was found in blocks, by what they are and say: what is in a block depends on nothing around it. */
const known = remembering<readonly Citation[]>(5_000);

/** A block's citations, seen from its start. */
const scanned = (block: SyntaxNodeRef, raw: string, read: (from: number, to: number) => string): readonly Citation[] =>
	known(`${block.name} ${raw}`, () => scan(raw, masked(block, read)));

/** Walks a block once; `raw` has the ids as written, `text` tells what is text. */
function scan(raw: string, text: string): Citation[] {
	const found: Citation[] = [];
	const scanner = new Scanner(raw, text);
	for (let at = 0; at < text.length;) {
		const read = scanner.citation(at);
		if (read) found.push(read);
		at = read?.to ?? at + 1;
	}
	return found;
}

function moved({ from, to, items }: Citation, by: number): Citation {
	return {
		from: from + by,
		to: to + by,
		items: items.map((item) => ({ ...item, from: item.from + by, to: item.to + by })),
	};
}

const WORD = /[\p{L}\p{N}]/u;
const ID = /@([\p{L}\p{N}_*](?:[\p{L}\p{N}_]|[:.#$%&\-+?<>~/](?=[\p{L}\p{N}_])|[:/](?=\/))*)/uy;
const SPACES = /[ \t]*(?:\r?\n[ \t]*)?/y;
const SOURCE = /\([ \t\r\n]*(?:<[^<>\n]*>|(?:[^\s()]|\([^\s()]*\))*)(?:[ \t\r\n]+(?:"[^"]*"|'[^']*'))?[ \t\r\n]*\)/y;
const ATTRIBUTES = /\{[^{}\n]*\}/y;

type Read<Value> = (Value & { to: number }) | null;

class Scanner {
	/** Where each `[` that is closed is closed. */
	private readonly closings = new Map<number, number>();
	/** Where the last id ended: another may follow without a blank. */
	private keyEnd = -1;

	constructor(
		private readonly raw: string,
		private readonly text: string,
	) {
		const open: number[] = [];
		for (let at = 0; at < text.length; at++) {
			if (text[at] === "[") open.push(at);
			else if (text[at] === "]" && open.length > 0) this.closings.set(open.pop() as number, at);
		}
	}

	citation(at: number): Read<Citation> {
		if (this.text[at] === "[") return this.bracketed(at);
		const key = this.key(at);
		if (!key) return null;
		const first = { ...key, prefix: "", locator: "", inText: true };
		const next = this.skip(SPACES, key.to);
		const more = this.bracketed(next);
		if (more) return { from: at, to: more.to, items: [first, ...more.items] };
		const place = this.place(next);
		if (!place) return { from: at, to: key.to, items: [first] };
		return { from: at, to: place.to, items: [{ ...first, locator: place.locator }, ...place.items] };
	}

	/** `[see @a, p. 3; @b]`, but no link and no span with attributes. */
	private bracketed(at: number): Read<Citation> {
		const closing = this.closings.get(at);
		if (closing === undefined) return null;
		const list = this.list(at + 1);
		if (list?.to !== closing) return null;
		const to = closing + 1;
		const isOther = this.matches(SOURCE, to) || this.matches(ATTRIBUTES, to);
		if (isOther || (this.closings.has(to) && this.text[to + 1] !== "^")) return null;
		return { from: at, to, items: list.items };
	}

	/** `[p. 3; @b]` after an id in the sentence. */
	private place(at: number): Read<{ locator: string; items: readonly CitedItem[] }> {
		if (!this.closings.has(at) || this.text[at + 1] === "^") return null;
		const suffix = this.suffix(at + 1);
		const list = this.text[suffix.to] === ";" ? this.list(this.skip(SPACES, suffix.to + 1)) : null;
		const to = this.skip(SPACES, list?.to ?? suffix.to);
		if (this.text[to] !== "]" || this.text[to + 1] === "[" || this.text[to + 1] === "(") return null;
		return { locator: suffix.locator, items: [...suffix.items, ...(list?.items ?? [])], to: to + 1 };
	}

	private list(at: number): Read<{ items: readonly CitedItem[] }> {
		const items: CitedItem[] = [];
		for (let from = at; ;) {
			const key = this.firstKey(from);
			if (!key) return null;
			const suffix = this.suffix(key.to);
			const prefix = this.raw.slice(from, key.from).trim();
			items.push({ ...key, prefix, locator: suffix.locator, inText: false }, ...suffix.items);
			if (this.text[suffix.to] !== ";") return { items, to: suffix.to };
			from = this.skip(SPACES, suffix.to + 1);
		}
	}

	/** The first id from here on, before the bracket that is open closes. */
	private firstKey(from: number): ReturnType<Scanner["key"]> {
		for (let at = from; at < this.text.length && this.text[at] !== "]";) {
			const key = this.key(at);
			if (key) return key;
			if (this.text[at] === ";" && this.key(this.skip(SPACES, at + 1))) return null; // a part without an id
			at = this.after(at);
		}
		return null;
	}

	/** Until `;` or `]`. An id in it is cited, too. */
	private suffix(from: number): { locator: string; items: CitedItem[]; to: number } {
		const items: CitedItem[] = [];
		let at = from;
		while (at < this.text.length && this.text[at] !== ";" && this.text[at] !== "]") {
			const key = this.key(at);
			if (key) items.push({ ...key, prefix: "", locator: "", inText: true });
			at = key?.to ?? this.after(at);
		}
		const locator = this.raw
			.slice(from, at)
			.replace(/\s*\n[ \t]*(?:>[ \t]?)*|\s+/g, " ") // a line break may have a quotation's marks behind it
			.trim()
			.replace(/^,\s*/, "");
		return { locator, items, to: at };
	}

	/** Past a character, or past brackets that close again. */
	private after(at: number): number {
		return (this.closings.get(at) ?? at) + 1;
	}

	/** `@id`, `-@id` or `@{id}`; not within a word, as in an address of mail. */
	private key(at: number): Pick<CitedItem, "id" | "from" | "to" | "suppressesAuthor"> | null {
		const suppressesAuthor = this.text[at] === "-";
		const sign = suppressesAuthor ? at + 1 : at;
		if (this.text[sign] !== "@" || !this.beginsAt(at)) return null;
		const plain = this.match(ID, sign);
		if (plain) {
			this.keyEnd = sign + plain.length;
			return { id: this.raw.slice(sign + 1, sign + plain.length), from: at, to: sign + plain.length, suppressesAuthor };
		}
		const to = this.brace(sign + 1);
		if (to === null) return null;
		return { id: this.raw.slice(sign + 2, to - 1), from: at, to, suppressesAuthor };
	}

	private beginsAt(at: number): boolean {
		if (at === this.keyEnd) return true;
		const before = this.text.slice(Math.max(0, at - 3), at);
		if (before.endsWith("...")) return true; // an ellipsis ends the word
		const last = Array.from(before).at(-1) ?? "";
		return last !== "." && !WORD.test(last);
	}

	/** After `{…}` without blanks, its braces in pairs. Addresses in it may have been put out of sight. */
	private brace(at: number): number | null {
		if (this.text[at] !== "{") return null;
		for (let depth = 0; at < this.raw.length && !/\s/.test(this.raw[at] ?? ""); at++) {
			if (this.raw[at] === "{") depth += 1;
			else if (this.raw[at] === "}" && --depth === 0) return at + 1;
		}
		return null;
	}

	private match(pattern: RegExp, at: number): string | null {
		pattern.lastIndex = at;
		return pattern.exec(this.text)?.[0] ?? null;
	}

	private matches(pattern: RegExp, at: number): boolean {
		return this.match(pattern, at) !== null;
	}

	private skip(pattern: RegExp, at: number): number {
		return at + (this.match(pattern, at)?.length ?? 0);
	}
}
