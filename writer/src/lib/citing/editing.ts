import type { DateParts, Name, Reference } from "./models";

/** Authors as one writes them in a field, and back. */
export function readAuthors(text: string): Name[] {
	return text
		.split(";")
		.map((name) => name.trim())
		.filter((name) => name !== "")
		.map((name) => {
			const [family = "", given = "", ...more] = name.split(/\s*,\s*/);
			return family && given && more.length === 0 ? { family, given } : { literal: name };
		});
}

export function writeAuthors(names: readonly Name[] = []): string {
	return names
		.map((name) => ("literal" in name ? name.literal : [name.family, name.given].filter(Boolean).join(", ")))
		.join("; ");
}

/** `2024`, `2024-03`, `2024-03-01`; undefined for none, null for what is no date. */
export function readDate(text: string): DateParts | undefined | null {
	if (text.trim() === "") return undefined;
	const found = /^(\d{1,4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?$/.exec(text.trim());
	if (!found) return null;
	const [year = 0, month, date] = found.slice(1).map((part) => (part ? Number(part) : undefined));
	if (month === undefined) return { "date-parts": [[year]] };
	if (month < 1 || month > 12) return null;
	if (date === undefined) return { "date-parts": [[year, month]] };
	const there = new Date(Date.UTC(2000, month - 1, date));
	there.setUTCFullYear(year, month - 1, date);
	return there.getUTCMonth() === month - 1 && date > 0 ? { "date-parts": [[year, month, date]] } : null;
}

export function writeDate(date: DateParts | undefined): string {
	return (date?.["date-parts"][0] ?? []).map((part, n) => String(part).padStart(n === 0 ? 4 : 2, "0")).join("-");
}

export interface Fields {
	title: string;
	author: string;
	issued: string;
	type: string;
}

export const fieldsOf = (reference: Reference): Fields => ({
	title: reference.title ?? "",
	author: writeAuthors(reference.author),
	issued: writeDate(reference.issued),
	type: reference.type,
});

/** The reference with what was written; its id stays, since the text has it. Null where the date is none. */
export function edited(reference: Reference, fields: Fields): Reference | null {
	const issued = readDate(fields.issued);
	if (issued === null) return null;
	const rest = Object.entries(reference).filter(([field]) => !["title", "author", "issued"].includes(field));
	const authors = readAuthors(fields.author);
	return {
		...Object.fromEntries(rest),
		id: reference.id,
		type: fields.type,
		...(fields.title.trim() ? { title: fields.title.trim() } : {}),
		...(authors.length > 0 ? { author: authors } : {}),
		...(issued ? { issued } : {}),
	};
}
