import type { Reference } from "$lib/citing/models";
import type { CitedItem } from "$lib/citing/syntax";
import { day, field, names, type Day, type Name } from "$lib/citing/fields";

/** A part of how a reference reads. A `work` stands by itself (a book, a film); a `title` is of something within another. */
export interface Piece {
	text: string;
	as: "text" | "title" | "work" | "address";
}

/**
 * How references read. This is the place where an engine for CSL styles goes: it has the same three questions to answer.
 */
export interface Style {
	/** In a note; `again` where an earlier note has it in full. */
	note(reference: Reference, item: CitedItem, again: boolean): Piece[];
	/** What stands in the sentence for “as Holm says”. */
	name(reference: Reference): Piece[];
	/** In the bibliography. */
	entry(reference: Reference): Piece[];
	/** The order of the bibliography. */
	compare(one: Reference, other: Reference): number;
}

/** The few words between what a reference says; `#` is where it goes. */
export interface Words {
	accessed: string;
	and: string;
	others: string;
	quoted: string;
	/** What something without a title is, by its type. */
	untitled: Readonly<Record<string, string>>;
	untitledElse: string;
}

const WORKS = new Set([
	"book",
	"motion_picture",
	"report",
	"thesis",
	"collection",
	"periodical",
	"software",
	"dataset",
]);
const TITLE_WORDS = 24; // of a post that is its own title; the bibliography's files have the whole
const SHORT_WORDS = 5;

/** Our own way: author, title, where it is, when, the place in it, the address and when we saw it. Nothing is made up. */
export class PlainStyle implements Style {
	readonly #order: Intl.Collator;

	constructor(
		readonly words: Words,
		readonly locale: string,
	) {
		this.#order = new Intl.Collator(locale, { numeric: true });
	}

	note(reference: Reference, item: CitedItem, again: boolean): Piece[] {
		const who = item.suppressesAuthor ? [] : [text(this.#names(names(reference), again))];
		const groups = again
			? [who, this.#title(reference, SHORT_WORDS), [text(item.locator)]]
			: [
					who,
					this.#title(reference, TITLE_WORDS),
					[text(container(reference))],
					[text(this.#day(day(reference, "issued")))],
					[text(item.locator)],
					this.#address(reference),
				];
		const told = joined(groups, ", ");
		return item.prefix ? [text(`${item.prefix} `), ...told] : told;
	}

	name(reference: Reference): Piece[] {
		const who = this.#names(names(reference), true);
		return who ? [text(who)] : this.#title(reference, SHORT_WORDS);
	}

	entry(reference: Reference): Piece[] {
		const where = joined([[text(container(reference))], [text(this.#day(day(reference, "issued")))]], ", ");
		const groups = [
			[text(this.#names(names(reference), false, true))],
			this.#title(reference, TITLE_WORDS),
			where,
			this.#address(reference),
		];
		return ended(joined(groups, ". "));
	}

	compare(one: Reference, other: Reference): number {
		const key = (reference: Reference) =>
			[...names(reference).map(({ family, given }) => `${family} ${given}`), field(reference, "title"), reference.id]
				.filter(Boolean)
				.join(" ");
		return this.#order.compare(key(one), key(other));
	}

	#names(who: readonly Name[], short: boolean, filed = false): string {
		const written = who.map(({ family, given }, n) => {
			if (short || !given) return family;
			return filed && n === 0 ? `${family}, ${given}` : `${given} ${family}`;
		});
		const [first = "", second, ...more] = written;
		if (second === undefined) return first;
		if (more.length > 1 || (short && more.length > 0)) return `${first} ${this.words.others}`;
		if (more[0] !== undefined) return `${first}, ${second} ${this.words.and} ${more[0]}`;
		return `${first} ${this.words.and} ${second}`;
	}

	#title(reference: Reference, most: number): Piece[] {
		const title = beginning(field(reference, "title"), most);
		const genre = field(reference, "genre");
		if (!title) return [text(genre || (this.words.untitled[reference.type] ?? this.words.untitledElse))];
		const [before = "", after = ""] = WORKS.has(reference.type) ? [] : this.words.quoted.split("#");
		const as = WORKS.has(reference.type) ? "work" : "title";
		const kind = genre && most > SHORT_WORDS ? ` [${genre}]` : "";
		return [text(before), { text: title, as } as const, text(after + kind)].filter((piece) => piece.text);
	}

	#address(reference: Reference): Piece[] {
		const address =
			field(reference, "URL") || (field(reference, "DOI") && `https://doi.org/${field(reference, "DOI")}`);
		const seen = day(reference, "accessed");
		if (!address) return [];
		const told = seen ? ` (${this.words.accessed.replace("#", this.#day(seen))})` : "";
		return [{ text: address, as: "address" }, text(told)];
	}

	#day(parts: Day | null): string {
		if (!parts) return "";
		const [year, month, date] = parts;
		const shape: Intl.DateTimeFormatOptions = { year: "numeric", timeZone: "UTC" };
		if (month) shape.month = "long";
		if (date) shape.day = "numeric";
		const moment = new Date(Date.UTC(2000, (month ?? 1) - 1, date ?? 1));
		moment.setUTCFullYear(year);
		return new Intl.DateTimeFormat(this.locale, shape).format(moment);
	}
}

const container = (reference: Reference): string =>
	field(reference, "container-title") || field(reference, "publisher");

/** Pieces as bare text. */
export const told = (pieces: readonly Piece[]): string => pieces.map((piece) => piece.text).join("");

export const text = (said: string): Piece => ({ text: said, as: "text" });

/** Those groups that say something, with a sign between; after a full stop, no second one. */
export function joined(groups: readonly (readonly Piece[])[], sign: string): Piece[] {
	const full = groups.map((group) => group.filter((piece) => piece.text)).filter((group) => group.length > 0);
	return full.flatMap((group, n) => {
		if (n === 0) return [...group];
		const ended = sign.startsWith(".") && /[.?!…]$/.test(full[n - 1]?.at(-1)?.text ?? "");
		return [text(ended ? sign.slice(1) : sign), ...group];
	});
}

/** With a full stop at its end. */
export const ended = (pieces: readonly Piece[]): Piece[] =>
	/[.?!…]$/.test(pieces.at(-1)?.text ?? "") ? [...pieces] : [...pieces, text(".")];

function beginning(title: string, most: number): string {
	const words = title.split(" ");
	return words.length > most ? `${words.slice(0, most).join(" ")} …` : title;
}
