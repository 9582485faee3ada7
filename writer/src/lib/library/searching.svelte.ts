import { unwrap, type Api, type Schemas } from "$lib/api/client";
import { toProblem, type Problem } from "$lib/api/problems";
import { searchFilters, type Filters } from "./filters";

export type Hit = Schemas["HitOut"];

const PAUSE = 120; // ms between two keys of somebody who types on

/** What the library has on some words: by word while they are typed, by meaning too when asked for. */
export class Searching {
	found = $state.raw<Schemas["SearchOut"] | null>(null);
	problem = $state.raw<Problem | null>(null);
	isSearching = $state(false);
	#current = new AbortController();

	constructor(private readonly api: Api) {}

	async find(filters: Filters): Promise<void> {
		this.stop();
		const query = filters.query.trim();
		if (!query) {
			[this.found, this.problem, this.isSearching] = [null, null, false];
			return;
		}
		const { signal } = (this.#current = new AbortController()); // a late answer must not replace a newer one
		const isLate = (): boolean => signal.aborted;
		this.isSearching = true;
		const byMeaning = filters.show === "meaning";
		if (!byMeaning && this.found) await new Promise((resolve) => setTimeout(resolve, PAUSE));
		if (isLate()) return;
		try {
			const mode = byMeaning ? "hybrid" : "keyword";
			const body = {
				query,
				limit: 50,
				mode,
				group: "document",
				filters: searchFilters(filters),
				as_typed: !byMeaning,
			} as const;
			const found = await unwrap(this.api.http.POST("/api/search", { body, signal }));
			if (isLate()) return;
			[this.found, this.problem] = [found, null];
		} catch (error) {
			if (!isLate()) this.problem = toProblem(error);
		}
		if (!isLate()) this.isSearching = false;
	}

	stop(): void {
		this.#current.abort();
	}
}
