import { unwrap, type Api, type Schemas } from "$lib/api/client";
import { toProblem, type Problem } from "$lib/api/problems";
import { countWords } from "$lib/draft/models";

export type Hit = Schemas["HitOut"];

export interface EvidenceFilters {
	platforms: Schemas["FiltersIn"]["platforms"];
	collections: string[];
	published_after: string | null;
	published_before: string | null;
}

export const NO_FILTERS: EvidenceFilters = {
	platforms: [],
	collections: [],
	published_after: null,
	published_before: null,
};

/** Words below which a passage says too little to look for. */
const SHORTEST = 3;
/** The end of a long paragraph is what one is writing. Characters; the API takes 8,000. */
const LONGEST = 2_000;
const MOST = 8;
const KEY = "extrophi.evidence";

/** Evidence for the passage under the cursor. One per open draft. */
export class Evidence {
	passage = $state.raw("");
	hits = $state.raw<readonly Hit[]>([]);
	/** Newer ones, which wait while the person is at the list: it must not change under their hands. */
	waiting = $state.raw<readonly Hit[] | null>(null);
	problem = $state.raw<Problem | null>(null);
	/** Why it was looked for by word only. */
	degraded = $state.raw<string | null>(null);
	searching = $state(false);
	filters = $state.raw<EvidenceFilters>(remembered());
	/** The one that the keys act on, by its chunk. */
	chosen = $state.raw<string | null>(null);

	readonly selected = $derived(this.hits.find((hit) => hit.chunk_id === this.chosen) ?? this.hits[0] ?? null);
	readonly isTooShort = $derived(countWords(this.passage) < SHORTEST);
	readonly none = $derived(!this.isTooShort && !this.searching && !this.problem && this.hits.length === 0);

	#current: AbortController | null = null;
	#busy = false;

	constructor(private readonly api: Api) {}

	/** Look for evidence on a passage. The same again asks nothing; the last alone counts. */
	async find(passage: string): Promise<void> {
		const wanted = passage.trim();
		if (wanted === this.passage && !this.problem) return;
		this.#current?.abort();
		this.passage = wanted;
		if (countWords(wanted) < SHORTEST) {
			this.searching = false;
			return; // what was found for the paragraph before stays until there is something new
		}
		await this.#ask(wanted);
	}

	async #ask(text: string): Promise<void> {
		const { signal } = (this.#current = new AbortController());
		[this.searching, this.problem] = [true, null];
		const filters = { authors: [], job_ids: [], languages: [], source_ids: [], ...this.filters };
		try {
			const body = { text: text.slice(-LONGEST), limit: MOST, filters };
			const found = await unwrap(this.api.http.POST("/api/enrich", { body, signal }));
			if (signal.aborted) return;
			this.degraded = found.degraded;
			if (this.#busy && this.hits.length > 0 && !isSame(this.hits, found.items)) this.waiting = found.items;
			else this.#show(found.items);
		} catch (error) {
			if (signal.aborted) return;
			this.problem = toProblem(error);
		}
		this.searching = false;
	}

	retry(): void {
		void this.#ask(this.passage);
	}

	filter(change: Partial<EvidenceFilters>): void {
		this.filters = { ...this.filters, ...change };
		try {
			localStorage.setItem(KEY, JSON.stringify(this.filters));
		} catch {
			// A full or forbidden store: the choice holds while this draft is open.
		}
		if (!this.isTooShort) void this.#ask(this.passage);
	}

	/** Whether the person is at the list. When they leave it, what waited is shown. */
	attend(busy: boolean): void {
		this.#busy = busy;
		if (!busy) this.showWaiting();
	}

	showWaiting(): void {
		if (this.waiting) this.#show(this.waiting);
	}

	/** Choose the next one, or the one before. */
	move(by: 1 | -1): void {
		const at = this.hits.findIndex((hit) => hit === this.selected);
		this.chosen = this.hits[Math.max(0, Math.min(this.hits.length - 1, at + by))]?.chunk_id ?? null;
	}

	close(): void {
		this.#current?.abort();
	}

	#show(hits: readonly Hit[]): void {
		this.waiting = null;
		this.hits = hits;
		if (!hits.some((hit) => hit.chunk_id === this.chosen)) this.chosen = null;
	}
}

const isSame = (some: readonly Hit[], others: readonly Hit[]): boolean =>
	some.length === others.length && some.every((hit, index) => hit.chunk_id === others[index]?.chunk_id);

function remembered(): EvidenceFilters {
	try {
		return { ...NO_FILTERS, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<EvidenceFilters>) };
	} catch {
		return NO_FILTERS;
	}
}
