import { parseDocument } from "yaml";

/** What a draft says about itself before its text begins. */
export interface Front {
	title: string;
	authors: readonly string[];
	date: string;
	language: string;
}

const FRONT = /^\ufeff?---[ \t]*\r?\n([\s\S]*?\r?\n)?(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/;

/** Where the text begins: behind the front matter, if there is any. */
export function bodyStart(text: string): number {
	return FRONT.exec(text)?.[0].length ?? 0;
}

/** The front matter, and the text behind it. What is no YAML of ours says nothing, and does no harm. */
export function readFront(text: string): { front: Front; body: string } {
	const found = FRONT.exec(text);
	const told = found ? fields(found[1] ?? "") : {};
	return {
		front: {
			title: word(told.title),
			authors: [told.author ?? told.authors ?? []].flat().map(name).filter(Boolean),
			date: word(told.date),
			language: languageTag(word(told.lang ?? told.language)),
		},
		body: text.slice(found?.[0].length ?? 0),
	};
}

function fields(yaml: string): Record<string, unknown> {
	// Aliases can grow without bound (the “billion laughs”): none of ours are meant.
	const parsed = parseDocument(yaml, { logLevel: "silent" });
	if (parsed.errors.length > 0) return {};
	try {
		const told: unknown = parsed.toJS({ maxAliasCount: 0 });
		return typeof told === "object" && told !== null ? (told as Record<string, unknown>) : {};
	} catch {
		return {};
	}
}

const word = (value: unknown): string =>
	typeof value === "string" || typeof value === "number" ? String(value).replace(/\s+/g, " ").trim() : "";

/** Pandoc takes a name, or a mapping with one. */
const name = (value: unknown): string => word((value as { name?: unknown } | null)?.name ?? value);

function languageTag(tag: string): string {
	try {
		return Intl.getCanonicalLocales(tag.replace("_", "-"))[0] ?? "";
	} catch {
		return "";
	}
}
