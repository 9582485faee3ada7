import { newId } from "./ids";
import type { Name, Origin, Reference, Span } from "./models";

/** Longer spans are no citations to the API. Code points. */
export const LONGEST_QUOTE = 10_000;

/**
 * A bibliography as it was told, which another program may have written: each item has what our code counts on, and else is
 * as it was. Dates are left alone: `day` (fields.ts) reads all that CSL-JSON has of them.
 */
export function readReferences(told: unknown): readonly Reference[] {
	if (!Array.isArray(told)) return [];
	const read: Reference[] = [];
	for (const item of told as unknown[]) {
		if (!isRecord(item)) continue;
		const known = {
			...Object.fromEntries(TEXTS.map((name) => [name, textOf(item[name])])),
			author: namesOf(item.author),
			custom: customOf(item.custom),
		};
		const names = new Set(Object.keys(known));
		const reference: Reference = {
			...Object.fromEntries(Object.entries(item).filter(([name]) => !names.has(name))),
			...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
			id: textOf(item.id) ?? "",
			type: textOf(item.type) ?? "document",
		};
		if (reference.id === "") {
			reference.id = newId(
				reference,
				read.map(({ id }) => id),
			);
		}
		read.push(reference);
	}
	return read;
}

const TEXTS = ["title", "URL", "publisher", "container-title", "genre", "language"] as const;

const isRecord = (told: unknown): told is Record<string, unknown> =>
	typeof told === "object" && told !== null && !Array.isArray(told);

function textOf(told: unknown): string | undefined {
	return typeof told === "string" ? told : typeof told === "number" ? String(told) : undefined;
}

/** Names keep what else they have (particles, suffixes). */
function namesOf(told: unknown): Name[] | undefined {
	if (!Array.isArray(told)) return undefined;
	return (told as unknown[]).flatMap((name): Name[] => {
		if (typeof name === "string") return [{ literal: name }];
		if (!isRecord(name)) return [];
		const [family, given, literal] = [textOf(name.family), textOf(name.given), textOf(name.literal)];
		if (family !== undefined) return [{ ...name, family, ...(given === undefined ? {} : { given }) }];
		return literal === undefined && given === undefined ? [] : [{ ...name, literal: literal ?? given ?? "" }];
	});
}

/** What is noted there as ours, but is not in our form, is left out. */
function customOf(told: unknown): { extrophi?: Origin } | undefined {
	if (!isRecord(told)) return undefined;
	const { extrophi, ...rest } = told;
	return isOrigin(extrophi) ? { ...rest, extrophi } : rest;
}

function isOrigin(told: unknown): told is Origin {
	if (!isRecord(told) || typeof told.document_id !== "string" || typeof told.platform !== "string") return false;
	return (told.part === null || typeof told.part === "string") && Array.isArray(told.spans) && told.spans.every(isSpan);
}

function isSpan(told: unknown): told is Span {
	if (!isRecord(told)) return false;
	const numbers = [told.version, told.start, told.end].every((number) => Number.isSafeInteger(number));
	const isText = typeof told.locator === "string" && typeof told.quote === "string";
	return numbers && isText && (told.deep_link === null || typeof told.deep_link === "string");
}
