import type { Schemas } from "$lib/api/client";

export type Hit = Schemas["HitOut"];
export type Platform = Schemas["FiltersIn"]["platforms"][number];

export const PLATFORMS: readonly Platform[] = ["twitter", "youtube", "reddit", "web", "files"];

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
