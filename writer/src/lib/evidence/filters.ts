import type { Schemas } from "$lib/api/client";

export type Platform = Schemas["FiltersIn"]["platforms"][number];

export const PLATFORMS: readonly Platform[] = ["web", "twitter", "youtube", "reddit", "files"];

/** What evidence is looked for in. Empty is everything. */
export interface Filters {
	platforms: readonly Platform[];
	collections: readonly string[];
	/** Days, `2024-03-01`; empty for none. Both are within. */
	after: string;
	before: string;
}

export const NO_FILTERS: Filters = { platforms: [], collections: [], after: "", before: "" };

export const isNarrowed = (filters: Filters): boolean =>
	filters.platforms.length > 0 || filters.collections.length > 0 || filters.after !== "" || filters.before !== "";

const MOST = 8; // as many as one looks through beside a draft
const KEY = "extrophi.evidence";

export function bodyOf(text: string, { platforms, collections, after, before }: Filters): Schemas["EnrichIn"] {
	return {
		text,
		limit: MOST,
		filters: {
			platforms: [...platforms],
			collections: [...collections],
			authors: [],
			job_ids: [],
			languages: [],
			source_ids: [],
			published_after: startOf(after, 0),
			published_before: startOf(before, 1),
		},
	};
}

/** When a day begins where the person is, or the day after it; null for no day. */
function startOf(day: string, later: number): string | null {
	const [year = 0, month = 0, date = 0] = day.split("-").map(Number);
	const moment = new Date(year, month - 1, date + later);
	return day === "" || Number.isNaN(moment.getTime()) ? null : moment.toISOString();
}

/** The filters of last time. */
export function keptFilters(): Filters {
	try {
		const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Filters>;
		const { platforms = [], collections = [], after = "", before = "" } = kept;
		return { platforms: platforms.filter((one) => PLATFORMS.includes(one)), collections, after, before };
	} catch {
		return NO_FILTERS;
	}
}

export function keepFilters(filters: Filters): void {
	try {
		localStorage.setItem(KEY, JSON.stringify(filters));
	} catch {
		// A full or forbidden store: the choice holds in this window.
	}
}
