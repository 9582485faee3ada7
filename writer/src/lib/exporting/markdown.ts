import type { Reference } from "$lib/citing/models";
import { isOutside } from "$lib/shell/shell";
import { findCitations, type Citation } from "$lib/citing/syntax";
import { bodyStart } from "./front";
import { ended, type Piece, type Style } from "./notes";
import { oneLine } from "$lib/printable";
import { Citing, signAfter } from "./resolve";

/**
 * A draft's own Markdown, its citations become footnotes, its bibliography at the end: for Pandoc and GitHub alike.
 *
 * All else stays to the letter, the front matter too.
 *
 * Args:
 *     heading: What the bibliography is called.
 */
export function writeMarkdown(text: string, references: readonly Reference[], style: Style, heading: string): string {
	const citing = new Citing(references, style);
	const start = bodyStart(text);
	const body = text.slice(start);
	const labels = new Labels(body);
	const notes: string[] = [];
	const inNote = footnoteSpans(body);

	let written = "";
	let at = 0;
	for (const citation of findCitations(body)) {
		const name = citing.name(citation);
		const note = citing.note(citation);
		if (!note) continue;
		written += body.slice(at, citation.from);
		at = citation.to;
		if (inNote(citation)) {
			written += `${md(name)}${name.length > 0 ? " " : ""}(${md(note)})`;
			continue;
		}
		const label = labels.next();
		notes.push(`[^${label}]: ${atStart(md(ended(note)))}`);
		if (name.length > 0) written += md(name);
		else {
			written = closedUp(written);
			const sign = signAfter(body.slice(at));
			written += sign;
			at += sign.length;
		}
		written += `[^${label}]`;
	}
	written += body.slice(at);

	const parts = [text.slice(0, start) + written.trimEnd()];
	const cited = citing.cited;
	if (cited.length > 0) {
		parts.push(`${"#".repeat(headingLevel(body))} ${escaped(heading)}`);
		parts.push(cited.map((reference) => `- ${atStart(md(style.entry(reference)))}`).join("\n"));
	}
	if (notes.length > 0) parts.push(notes.join("\n\n"));
	return `${parts.join("\n\n")}\n`;
}

/** How a reference reads, in Markdown. */
export function md(pieces: readonly Piece[]): string {
	return pieces
		.map(({ text, as }) => {
			if (as === "work") return `*${escaped(text)}*`;
			if (as !== "address") return escaped(text);
			return isOutside(text) && !/[\s<>\\]/.test(text) ? `<${text}>` : escaped(text);
		})
		.join("");
}

/** A text that means nothing in Markdown, neither Pandoc's nor GitHub's: collected words stay words. */
export function escaped(text: string): string {
	// An ideographic or other space at an end would be taken away; those inside are kept.
	const [, before = "", inside = "", after = ""] = /^(\s*)([\s\S]*?)(\s*)$/.exec(text) ?? [];
	return (
		before +
		oneLine(inside).replace(
			/[\\`*_{}[\]<>#~|@^$&]|--|\.\.\.|:(?=[\w+-]+:)|(?<=https?|ftp):(?=\/\/)|(?<=www)\./g,
			escape,
		) +
		after
	);
}

const escape = (signs: string): string => signs.replace(/./g, "\\$&");

/** At the start of a block some words would begin a list, a heading or a rule. */
export function atStart(written: string): string {
	return written
		.replace(/^[-+=]|^(\d+|\(?[a-zA-Z#]|[ivxlcdmIVXLCDM]+)(?=[.)])/, (found) =>
			/^[-+=]/.test(found) ? `\\${found}` : found,
		)
		.replace(/^(\(?\w+)([.)])(?=\s|$)/, "$1\\$2");
}

/** Without the space before a note's mark, where there are words before it on its line. */
function closedUp(written: string): string {
	const line = written.slice(written.lastIndexOf("\n") + 1);
	return /^[\s>*+\-\d.)|]*$/.test(line) ? written : written.replace(/[ \t]+$/, "");
}

/** Labels of notes that the draft does not use itself. */
class Labels {
	#last = 0;

	constructor(readonly body: string) {}

	next(): string {
		do this.#last += 1;
		while (this.body.includes(`[^${this.#last}]`));
		return String(this.#last);
	}
}

/** Whether a citation lies in one of the draft's own footnotes: a note has no notes. */
function footnoteSpans(body: string): (citation: Citation) => boolean {
	const definitions = /^ {0,3}\[\^[^\]\s]+\]:.*(?:\n(?!\s*\n|\s*\[\^).*|(?:\n[ \t]*)+\n(?: {4}|\t).*)*/gm;
	const spans = [...body.matchAll(definitions)].map((found) => [found.index, found.index + found[0].length] as const);
	return ({ from, to }) => {
		if (spans.some(([start, end]) => start <= from && to <= end)) return true;
		const paragraph = body.slice(body.lastIndexOf("\n\n", from) + 1, from);
		const open = paragraph.lastIndexOf("^[");
		return open >= 0 && unclosed(paragraph.slice(open));
	};
}

function unclosed(text: string): boolean {
	let depth = 0;
	for (const sign of text.replace(/\\./g, "")) depth += sign === "[" ? 1 : sign === "]" ? -1 : 0;
	return depth > 0;
}

/** The bibliography is a section like the draft's own: below its one title, or beside several. */
function headingLevel(body: string): number {
	const levels = [...body.replace(/^(```|~~~)[\s\S]*?^\1/gm, "").matchAll(/^ {0,3}(#{1,6})[ \t]/gm)].map(
		(found) => found[1]?.length ?? 1,
	);
	const tops = levels.filter((level) => level === 1).length;
	if (tops > 0) return tops === 1 ? 2 : 1;
	return Math.min(2, ...levels);
}
