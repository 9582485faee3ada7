import { day, isoDay } from "./fields";
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

export function writeDate(reference: Reference): string {
	const issued = day(reference, "issued");
	return issued ? isoDay(issued) : "";
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
	issued: writeDate(reference),
	type: reference.type,
});

/**
 * The reference with what was written; its id stays, since the text has it. Null where the date is none.
 *
 * A field that nobody touched is as it was: it may say more than one sees of it (particles of names, a range of days).
 */
export function edited(reference: Reference, fields: Fields): Reference | null {
	const before = fieldsOf(reference);
	const changed = (field: keyof Fields): boolean => fields[field].trim() !== before[field];
	const issued = readDate(fields.issued);
	if (issued === null && changed("issued")) return null;
	const authors = readAuthors(fields.author);
	const now = {
		title: fields.title.trim() || undefined,
		author: authors.length > 0 ? authors : undefined,
		issued: issued ?? undefined,
	};
	const names = (["title", "author", "issued"] as const).filter(changed);
	const rest = Object.entries(reference).filter(([name]) => !names.some((one) => one === name));
	const written = names.flatMap((name) => (now[name] === undefined ? [] : [[name, now[name]] as const]));
	return { ...Object.fromEntries([...rest, ...written]), id: reference.id, type: fields.type };
}
