import { day } from "./fields";
import type { Reference } from "./models";

/** What `NFKD` leaves as it is, though it has a Latin spelling. */
const SPELLED: Readonly<Record<string, string>> = {
	æ: "ae",
	œ: "oe",
	ø: "o",
	ß: "ss",
	đ: "d",
	ð: "d",
	þ: "th",
	ł: "l",
	ħ: "h",
	ı: "i",
};
const LONGEST = 24; // characters of a part: an id is read in the middle of a sentence

/** Words that say nothing of what a text is about. */
const EMPTY = new Set(
	(
		"a an the this that these those of on in at to for from by with and or but not no as is are was were be been it its i my " +
		"me we our you your he she they his her their how why what when where who which do does did has have had can will would " +
		"should about into over der die das ein eine und oder von zu im in den dem des le la les un une et de du des el los las y en"
	).split(" "),
);

/** Lower-case letters and digits, Latin ones without their marks; other scripts stay (Pandoc reads them in ids). */
export function folded(text: string): string {
	return text
		.toLowerCase()
		.normalize("NFKD")
		.replace(/\p{M}/gu, "")
		.replace(/[æœøßđðþłħı]/g, (letter) => SPELLED[letter] ?? letter)
		.replace(/[^\p{L}\p{N}]/gu, "")
		.normalize("NFC");
}

function cut(text: string): string {
	return Array.from(text).slice(0, LONGEST).join("");
}

/** Whom one would look it up by: a handle, or the last of a person's names. */
function nameOf(reference: Reference): string {
	const [first] = reference.author ?? [];
	if (first) {
		if ("family" in first) return folded(first.family);
		const name = first.literal.replace(/^u\//, "").split(/\s*[,;]\s|\s+(?:and|und|et|&)\s+/u)[0] ?? "";
		return folded(name.split(/\s+/u).findLast((word) => folded(word) !== "") ?? "");
	}
	return folded(reference["container-title"]?.replace(/\.\p{L}+$/u, "") ?? "");
}

function wordOf(title: string): string {
	const words = title.split(/[^\p{L}\p{N}\p{M}'’]+/u).map((word) => folded(word.replace(/['’].*$/u, "")));
	return words.find((word) => word.length > 1 && !EMPTY.has(word) && !/^https?$/.test(word)) ?? "";
}

/** A readable id for a reference, as none of the others has it: `holm2024long`, `holm2024longa`. */
export function newId(reference: Reference, taken: Iterable<string>): string {
	const others = new Set(taken);
	const year = day(reference, "issued")?.[0];
	const parts = [nameOf(reference), year === undefined ? "nd" : String(year), wordOf(reference.title ?? "")];
	const plain = parts.map(cut).join("");
	// Pandoc's ids begin with a letter, a digit or `_`; `nd` alone would tell nobody anything.
	const base = plain === "nd" ? "source" : plain;
	for (let n = -1; ; n++) {
		const id = n < 0 ? base : `${base}${letters(n)}`;
		if (!others.has(id)) return id;
	}
}

/** a … z, aa, ab … */
function letters(n: number): string {
	const letter = String.fromCharCode(97 + (n % 26));
	return n < 26 ? letter : letters(Math.floor(n / 26) - 1) + letter;
}
