import type { Reference } from "./models";
import { oneLine } from "$lib/printable";

/** What a reference says, whoever wrote it: a bibliography may come from another program, and hold anything. */

export interface Name {
	/** The family name, or the whole of one that has no parts. */
	family: string;
	given: string;
}

/** Year, month and day, as far as they are known. */
export type Day = readonly [number, number?, number?];

/** A field as one line; empty where it is missing, or no text. */
export function field(reference: Reference, name: string): string {
	const value = reference[name];
	return typeof value === "string" || typeof value === "number" ? oneLine(String(value)) : "";
}

export function names(reference: Reference, role = "author"): Name[] {
	const told: unknown = reference[role];
	if (!Array.isArray(told)) return [];
	return told.map((one) => nameOf(one as Record<string, unknown> | null)).filter(({ family }) => family !== "");
}

function nameOf(told: Record<string, unknown> | null): Name {
	const text = (key: string) => (typeof told?.[key] === "string" ? oneLine(told[key]) : "");
	const family = [text("non-dropping-particle"), text("family")].filter(Boolean).join(" ");
	const given = [text("given"), text("dropping-particle")].filter(Boolean).join(" ");
	return family ? { family, given } : { family: text("literal") || given, given: "" };
}

export function day(reference: Reference, name: "issued" | "accessed"): Day | null {
	const told = reference[name] as { "date-parts"?: unknown } | undefined;
	const parts: unknown = Array.isArray(told?.["date-parts"]) ? told["date-parts"][0] : null;
	if (!Array.isArray(parts)) return null;
	const [year, month, date] = parts.map(Number);
	if (!year || !Number.isInteger(year)) return null;
	if (!month || !(month >= 1 && month <= 12)) return [year];
	return date && date >= 1 && date <= 31 ? [year, month, date] : [year, month];
}

/** `2024-03-01`, or as much of it as is known. */
export const isoDay = (parts: Day): string =>
	parts.map((part, n) => String(part).padStart(n === 0 ? 4 : 2, "0")).join("-");
