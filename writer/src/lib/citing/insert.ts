/** The Markdown of what is put into a draft: a citation, a quotation. Collected text stays text in it, whatever it holds. */

import type { Facts } from "./facts";
import type { Cited, Reference, Span } from "./models";
import { withCited } from "./references";

export interface Insertion {
	markdown: string;
	/** The whole bibliography, with what the Markdown cites. */
	references: readonly Reference[];
}

/** `[@id, locator]`. */
export function citeMarkdown(references: readonly Reference[], cited: Cited, facts: Facts | null = null): Insertion {
	const found = withCited(references, cited, facts);
	return { markdown: citation(found.reference, found.span), references: found.references };
}

/** The quote as a block, and below it whose it is. Put it where a block may stand: see `blockAt`. */
export function quoteMarkdown(references: readonly Reference[], cited: Cited, facts: Facts | null = null): Insertion {
	const found = withCited(references, cited, facts);
	// Lines of a post are its own; those of a file or a page may be where some program broke them.
	const keepsLines = cited.platform === "twitter" || cited.platform === "reddit" || cited.platform === "youtube";
	const paragraphs = cited.quote.split(/\n[^\S\n]*\n\s*/u).map((paragraph) =>
		paragraph
			.split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/u)
			.map((line) => escaped(line.trim()))
			.filter((line) => line !== "")
			.map((line, n, lines) => `> ${line}${keepsLines && n < lines.length - 1 ? "\\" : ""}`)
			.join("\n"),
	);
	const said = `> — ${citation(found.reference, found.span)}`;
	const markdown = [...paragraphs.filter((paragraph) => paragraph !== ""), said].join("\n>\n");
	return { markdown, references: found.references };
}

function citation({ id }: Reference, { locator }: Span): string {
	return locator === "" ? `[${key(id)}]` : `[${key(id)}, ${locator}]`;
}

/** `@id`, or `@{id}` where the id would end too soon or not at all. */
export function key(id: string): string {
	const plain = /^[\p{L}\p{N}_](?:[\p{L}\p{N}_]|[:.#$%&\-+?<>~/](?=[\p{L}\p{N}_]))*$/u;
	return plain.test(id) ? `@${id}` : `@{${id}}`;
}

/**
 * A line of text as Markdown that says the same, to Pandoc and to CommonMark.
 *
 * What begins a block is escaped where it does, what begins an inline everywhere; the rest stays readable.
 */
export function escaped(line: string): string {
	return line
		.replace(/[\\`*[\]<>~^$@|{}]/g, "\\$&")
		.replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\_")
		.replace(/&(?=#?\w+;)/g, "\\&")
		.replace(/^(?:[#+=%:-]|\(?(?:\d+|[A-Za-z]|[ivxlcdmIVXLCDM]+|#)(?=[.)]))/, (start) =>
			/^[#+=%:-]/.test(start) ? `\\${start}` : `${start}\\`,
		)
		.replace(/^(\\?#)(?=[.)])/, "$1\\");
}

/** What to put at a place so that a block stands by itself: the empty lines that it lacks before and after. */
export function blockAt(before: string, block: string, after: string): string {
	const above = before === "" || /\n[^\S\n]*\n[^\S\n]*$/.test(before) ? "" : /\n[^\S\n]*$/.test(before) ? "\n" : "\n\n";
	const below = /^[^\S\n]*\n[^\S\n]*\n/.test(after) ? "" : /^[^\S\n]*\n/.test(after) ? "\n" : "\n\n";
	return above + block + below;
}

/**
 * Where a citation goes, seen from the cursor, and as what: after a blank; into the citation that ends just before.
 *
 * `back` is how many units before the cursor it is put.
 */
export function citationAt(before: string, markdown: string): { back: number; text: string } {
	const neighbour = /\[(?:[^[\]\n]*[\s;-])?@[^[\]\n]+(\][^\S\n]?)$/u.exec(before)?.[1];
	if (neighbour !== undefined) return { back: neighbour.length, text: `; ${markdown.slice(1, -1)}` };
	const last = before.at(-1) ?? "\n";
	return { back: 0, text: /[\s([{–—“‘"'/]/u.test(last) ? markdown : ` ${markdown}` };
}
