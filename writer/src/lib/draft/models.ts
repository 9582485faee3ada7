import type { Reference } from "$lib/citing/models";

/** What a draft is made of, as far as it can be written. */
export interface Content {
	/** Markdown. */
	text: string;
	references: readonly Reference[];
	settings: DraftSettings;
}

export interface DraftSettings {
	/** Words that the person means to write. */
	goal?: number;
	/** BCP 47; for the browser's spell check. Left out: the interface's. */
	language?: string;
	[name: string]: unknown;
}

/** What tells two states of a draft apart: the server's number of them, or a file's stamp. */
export type Revision = number | string;

/** A draft's content as its master has it, and which state of it that is. */
export interface Saved extends Content {
	revision: Revision;
}

export const EMPTY: Content = { text: "", references: [], settings: {} };

/** Both changed the same words, and neither's may be lost. */
export interface Conflict {
	theirs: Saved;
	parts: readonly Part[];
}

/** A stretch of a merged text: one that both agree on, or what each made of the words they had in common. */
export type Part = { text: string } | { mine: string; base: string; theirs: string };

/** Whether two contents say the same. Settings and references are small beside the text. */
export function isSame(one: Content, other: Content): boolean {
	return (
		one.text === other.text &&
		(one.references === other.references || JSON.stringify(one.references) === JSON.stringify(other.references)) &&
		JSON.stringify(one.settings) === JSON.stringify(other.settings)
	);
}

/** A draft's title as the server derives it: front matter's, the first heading, or the first line; without Markdown's marks. */
export function titleOf(text: string): string {
	const body = text.replace(/^---\r?\n[\s\S]*?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/, "");
	const lines = body.split(/\r?\n/).filter((line) => line.trim() !== "");
	const heading = lines.find((line) => /^ {0,3}#{1,6}\s+\S/.test(line));
	return (heading ?? lines[0] ?? "")
		.replace(/^[\s#>*+-]+/, "")
		.replace(/\s#+\s*$/, "")
		.replace(/[*_`~]|!?\[([^\]]*)\]\([^)]*\)/g, "$1")
		.trim()
		.slice(0, 200);
}

// Words are what lies between spaces and punctuation; of scripts without spaces, each letter counts, as word processors
// have it. The server counts by the same rule: tests/data/words.json holds both to it.
const UNSPACED =
	"[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}]";
const SPACED = `(?!${UNSPACED})[\\p{L}\\p{N}\\p{M}]`;
const WORD = new RegExp(`(?=[\\p{L}\\p{N}])(?:${UNSPACED}|(?:${SPACED})+(?:['’.,_-](?:${SPACED})+)*)`, "gu");

export function countWords(text: string): number {
	return text.match(WORD)?.length ?? 0;
}
