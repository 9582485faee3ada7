/** What an answer is made from, as people choose it: by days of their own time zone. */
import { day, t } from "$lib/text";
import type { Scope } from "./models";

/** The first moment of a day written `2026-01-31`; null for none. */
export function startOf(date: string): string | null {
	const moment = new Date(`${date}T00:00:00`);
	return Number.isNaN(moment.getTime()) ? null : moment.toISOString();
}

/** Its last moment. */
export function endOf(date: string): string | null {
	const moment = new Date(`${date}T23:59:59.999`);
	return Number.isNaN(moment.getTime()) ? null : moment.toISOString();
}

/** The day of a moment, as a field for dates wants it. */
export function dateOf(moment: string | null | undefined): string {
	if (!moment) return "";
	const at = new Date(moment);
	return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}

/** Each limit of a scope in a few words; none for the whole library. */
export function inWords({ filters, asOf }: Scope): string[] {
	const { platforms = [], collections = [], job_ids = [], published_after: after, published_before: before } = filters;
	return [
		platforms.map((one) => t.common.platforms[one] ?? one).join(", "),
		collections.join(", "),
		job_ids.length > 0 ? t.answer.ofInvestigation : "",
		after ? t.answer.publishedFrom.replace("#", day(after)) : "",
		before ? t.answer.publishedTo.replace("#", day(before)) : "",
		asOf ? t.answer.asOfDay.replace("#", day(asOf)) : "",
	].filter(Boolean);
}
