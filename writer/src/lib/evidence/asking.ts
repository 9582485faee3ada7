import { unwrap, type Api } from "$lib/api/client";
import type { Enrich } from "./evidence.svelte";
import { NO_FILTERS, PLATFORMS, type Filters, type Platform } from "./models";

const LIMIT = 8; // as many as one looks through beside a draft

export function enrichWith(api: Api): Enrich {
	return (text, filters, signal) => {
		const { platforms, collections, after, before } = filters;
		const body = {
			text,
			limit: LIMIT,
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
		return unwrap(api.http.POST("/api/enrich", { body, signal }));
	};
}

/** When a day begins where the person is, or the day after it; null for no day. */
function startOf(day: string, later: number): string | null {
	const [year = 0, month = 0, date = 0] = day.split("-").map(Number);
	const moment = new Date(year, month - 1, date + later);
	return day === "" || Number.isNaN(moment.getTime()) ? null : moment.toISOString();
}

const KEY = "extrophi.evidence.filters";

/** The filters of last time. */
export function keptFilters(): Filters {
	try {
		const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Filters>;
		const { platforms = [], collections = [], after = "", before = "" } = kept;
		return { platforms: platforms.filter((one: Platform) => PLATFORMS.includes(one)), collections, after, before };
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
