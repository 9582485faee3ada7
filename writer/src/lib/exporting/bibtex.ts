import type { Reference } from "$lib/citing/models";
import { day, field, isoDay, names, type Name } from "$lib/citing/fields";
import { oneLine } from "$lib/printable";

/**
 * A bibliography as BibTeX, in biblatex's dialect: only that has `@online`, `@video` and the day something was seen.
 *
 * Zotero, JabRef, Pandoc and biber read it; Zotero's importer makes a web page of `@online` and a video recording of `@video`.
 * UTF-8 throughout.
 */
export function writeBibTeX(references: readonly Reference[]): string {
	const keys = new Set<string>();
	return references.map((reference) => entry(reference, keyOf(reference.id, keys))).join("\n");
}

/** What CSL-JSON calls it, and what biblatex does; all else is `@misc`. */
const TYPES: Readonly<Record<string, string>> = {
	post: "online",
	"post-weblog": "online",
	webpage: "online",
	motion_picture: "video",
	broadcast: "video",
	"article-journal": "article",
	"article-magazine": "article",
	"article-newspaper": "article",
	article: "article",
	book: "book",
	chapter: "incollection",
	"paper-conference": "inproceedings",
	"entry-encyclopedia": "inreference",
	"entry-dictionary": "inreference",
	report: "report",
	thesis: "thesis",
	software: "software",
	song: "audio",
	manuscript: "unpublished",
	personal_communication: "letter",
};
const SUBTYPES: Readonly<Record<string, string>> = {
	"article-magazine": "magazine",
	"article-newspaper": "newspaper",
};
const FIELDS: readonly (readonly [string, string])[] = [
	["genre", "type"],
	["publisher", "publisher"],
	["publisher-place", "location"],
	["edition", "edition"],
	["volume", "volume"],
	["issue", "number"],
	["page", "pages"],
	["ISBN", "isbn"],
	["ISSN", "issn"],
	["language", "language"],
];

/** In these “and” stands between several, as it does between authors. */
const LISTS = new Set(["organization", "publisher", "location", "language"]);
const whole = (value: string): string => (/ and /i.test(value) ? `{${value}}` : value);

function entry(reference: Reference, key: string): string {
	const type = TYPES[reference.type] ?? "misc";
	const lines: string[] = [];
	const put = (name: string, value: string) => {
		if (value) lines.push(`\t${name} = {${value}}`);
	};
	put("author", names(reference).map(author).join(" and "));
	put("editor", names(reference, "editor").map(author).join(" and "));
	const title = field(reference, "title");
	// The inner braces keep its capitals as they are: a collected title is nobody's to restyle.
	put("title", title && `{${escaped(title)}}`);
	const container = escaped(field(reference, "container-title"));
	for (const name of containerFields(type)) put(name, LISTS.has(name) ? whole(container) : container);
	const issued = day(reference, "issued");
	put("date", issued ? isoDay(issued) : "");
	for (const [ours, theirs] of FIELDS) {
		const value = escaped(field(reference, ours));
		put(theirs, LISTS.has(theirs) ? whole(value) : value);
	}
	put("entrysubtype", SUBTYPES[reference.type] ?? "");
	put("doi", verbatim(field(reference, "DOI")));
	put("url", verbatim(field(reference, "URL")));
	const accessed = day(reference, "accessed");
	put("urldate", accessed ? isoDay(accessed) : "");
	return `@${type}{${key},\n${lines.join(",\n")}\n}\n`;
}

/** biblatex names a page's site by `organization`; Zotero's importer takes it from `booktitle`. */
function containerFields(type: string): string[] {
	if (type === "article") return ["journaltitle"];
	if (type === "online") return ["organization", "booktitle"];
	return type === "video" || type === "misc" ? ["organization"] : ["booktitle"];
}

/** In braces a name has no parts: “Barnes and Noble” is one, and so is a channel's. */
function author({ family, given }: Name): string {
	return given ? `{${escaped(family)}}, {${escaped(given)}}` : `{${escaped(family)}}`;
}

/** The signs of TeX. */
const SIGNS: Readonly<Record<string, string>> = {
	"\\": "{\\textbackslash}",
	"~": "{\\textasciitilde}",
	"^": "{\\textasciicircum}",
	"#": "\\#",
	$: "\\$",
	"%": "\\%",
	"&": "\\&",
	_: "\\_",
};

/**
 * Braces are counted even behind a backslash: one alone would swallow all that follows. It brings a counterpart that nobody
 * sees, which is how Zotero writes them, too.
 */
const ALONE: Readonly<Record<string, string>> = { "{": "\\{\\vphantom{\\}}", "}": "\\vphantom{\\{}\\}" };

function escaped(text: string): string {
	const alone = bracesAlone(text);
	return text.replace(/[\\~^{}#$%&_]/g, (sign, at: number) => {
		if (sign !== "{" && sign !== "}") return SIGNS[sign] ?? sign;
		return alone.has(at) ? (ALONE[sign] ?? sign) : `\\${sign}`;
	});
}

/** Where a text has braces without their counterpart. */
function bracesAlone(text: string): Set<number> {
	const alone = new Set<number>();
	const open: number[] = [];
	for (const { 0: sign, index } of text.matchAll(/[{}]/g)) {
		if (sign === "{") open.push(index);
		else if (open.pop() === undefined) alone.add(index);
	}
	for (const index of open) alone.add(index);
	return alone;
}

/** An address stands as it is, but for what would end its field. */
const verbatim = (text: string): string => text.replace(/[{}\\\s]/g, encodeURIComponent);

/** The id, that `[@id]` finds it again, without what a key may not hold. */
function keyOf(id: string, taken: Set<string>): string {
	const key = oneLine(id).replace(/[\s{}(),"'#%~\\=@]+/g, "_") || "reference";
	let free = key;
	for (let n = 2; taken.has(free.toLowerCase()); n++) free = `${key}_${n}`;
	taken.add(free.toLowerCase());
	return free;
}
