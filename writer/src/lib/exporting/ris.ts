import type { Reference } from "$lib/citing/models";
import { day, field, names, type Day, type Name } from "$lib/citing/fields";

/**
 * A bibliography as RIS, as Zotero, EndNote and Mendeley read it.
 *
 * RIS knows no posts in networks and forums; its nearest (`ICOMM`) is read as e-mail. They go as web pages that say in `M3`
 * what they are. A value ends with its line and nothing can be escaped, so each is one line.
 */
export function writeRIS(references: readonly Reference[]): string {
	return references.map(record).join("\r\n");
}

const TYPES: Readonly<Record<string, string>> = {
	post: "ELEC",
	"post-weblog": "BLOG",
	webpage: "ELEC",
	motion_picture: "VIDEO",
	broadcast: "VIDEO",
	"article-journal": "JOUR",
	"article-magazine": "MGZN",
	"article-newspaper": "NEWS",
	article: "JOUR",
	book: "BOOK",
	chapter: "CHAP",
	"paper-conference": "CONF",
	"entry-encyclopedia": "ENCYC",
	"entry-dictionary": "DICT",
	report: "RPRT",
	thesis: "THES",
	software: "COMP",
	song: "SOUND",
	speech: "SLIDE",
	personal_communication: "PCOMM",
};
const FIELDS: readonly (readonly [string, string])[] = [
	["genre", "M3"],
	["publisher", "PB"],
	["publisher-place", "CY"],
	["edition", "ET"],
	["volume", "VL"],
	["issue", "IS"],
	["page", "SP"],
	["ISBN", "SN"],
	["ISSN", "SN"],
	["language", "LA"],
	["DOI", "DO"],
	["URL", "UR"],
];

function record(reference: Reference): string {
	// Zotero makes a journal's article of `GEN`; what has an address is a page, and the rest is unpublished.
	const type = TYPES[reference.type] ?? (field(reference, "URL") ? "ELEC" : "UNPD");
	const lines: string[] = [];
	const put = (tag: string, value: string) => {
		if (value) lines.push(`${tag}  - ${value}`);
	};
	put("TY", type);
	put("ID", field(reference, "id"));
	for (const name of names(reference)) put("AU", author(name));
	for (const name of names(reference, "editor")) put("ED", author(name));
	put("TI", field(reference, "title"));
	const container = field(reference, "container-title");
	// A video has no title above its own; who showed it is its publisher.
	if (type !== "VIDEO") put("T2", container);
	else if (!field(reference, "publisher")) put("PB", container);
	const issued = day(reference, "issued");
	put("PY", issued ? String(issued[0]).padStart(4, "0") : "");
	put("DA", issued ? date(issued) : "");
	for (const [ours, theirs] of FIELDS) put(theirs, field(reference, ours));
	const accessed = day(reference, "accessed");
	put("Y2", accessed ? date(accessed) : "");
	return [...lines, "ER  - ", ""].join("\r\n");
}

const author = ({ family, given }: Name): string => (given ? `${family}, ${given}` : family);

/** `2024/03/01/`: what follows the third stroke would be a word such as “Spring”. */
const date = (parts: Day): string =>
	[0, 1, 2]
		.map((n) => parts[n])
		.map((part, n) => (part === undefined ? "" : String(part).padStart(n === 0 ? 4 : 2, "0")))
		.join("/") + "/";
