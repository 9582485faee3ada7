import type { Schemas } from "$lib/api/client";
import type { paths } from "$lib/api/schema";
import { to } from "$lib/route.svelte";

/** What of the library is shown. It is in the address, so that it can be kept and gone back to. */
export interface Filters {
	query: string;
	/** `meaning`: the whole search was asked for; what is typed is looked for by word. */
	show: "" | "meaning" | "highlights";
	platform: string;
	collection: string;
	language: string;
	author: string;
	source: string;
	state: string;
	highlighted: string;
	after: string;
	before: string;
	sort: string;
	order: string;
}

const NAMES = [
	"query",
	"show",
	"platform",
	"collection",
	"language",
	"author",
	"source",
	"state",
	"highlighted",
	"after",
	"before",
	"sort",
	"order",
] as const;
/** Those that narrow down, beside the words looked for. */
export const NARROWING = [
	"platform",
	"collection",
	"language",
	"author",
	"source",
	"state",
	"highlighted",
	"after",
	"before",
] as const;
export const SORTS = ["collected", "published", "title", "author"] as const;

export function readFilters(query: URLSearchParams): Filters {
	return Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ""])) as unknown as Filters;
}

export const addressOf = (filters: Filters): string => to("library", null, { ...filters });

/** How many of them narrow down. */
export const countOf = (filters: Filters): number => NARROWING.filter((name) => filters[name] !== "").length;

type ListQuery = NonNullable<paths["/api/documents"]["get"]["parameters"]["query"]>;

/** As the list of documents takes them. An address may hold anything: what the API does not know, it says. */
export function listQuery(filters: Filters): ListQuery {
	const { platform, collection, language, author, source, state, highlighted, sort, order } = filters;
	const given = {
		platform,
		collection,
		language,
		author,
		source_id: source,
		sort,
		order,
		published_after: moment(filters.after),
		published_before: moment(filters.before, 1),
	};
	const query = Object.fromEntries(Object.entries(given).filter(([, value]) => value)) as ListQuery;
	if (state) query.state = [state as NonNullable<ListQuery["state"]>[number]];
	if (highlighted) query.highlighted = true;
	return query;
}

/** As search takes them. It knows nothing of states and highlights. */
export function searchFilters(filters: Filters): Schemas["FiltersIn"] {
	const one = (value: string): string[] => (value ? [value] : []);
	return {
		platforms: one(filters.platform) as Schemas["FiltersIn"]["platforms"],
		collections: one(filters.collection),
		languages: one(filters.language),
		authors: one(filters.author),
		source_ids: one(filters.source),
		job_ids: [],
		published_after: moment(filters.after) || null,
		published_before: moment(filters.before, 1) || null,
	};
}

/** The beginning of a day here, or of the one so many days after; empty for no day. */
function moment(date: string, days = 0): string {
	if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return "";
	const day = new Date(`${date}T00:00:00`);
	day.setDate(day.getDate() + days);
	return Number.isNaN(day.getTime()) ? "" : day.toISOString();
}
