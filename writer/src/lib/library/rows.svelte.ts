import { unwrap, type Api, type Schemas } from "$lib/api/client";
import { toProblem, type Problem } from "$lib/api/problems";
import { listQuery, type Filters } from "./filters";

export type Listed = Schemas["ListedDocument"];

/** A page of the list: its documents, or that they are on their way. */
type Page = readonly Listed[] | "asked";

/** A list of any length, entered anywhere: landmarks say where its pages begin, and those in view are fetched. */
export class Rows {
	total = $state<number | null>(null);
	problem = $state.raw<Problem | null>(null);
	/** Raised as pages come. */
	#pages = $state.raw<ReadonlyMap<number, Page>>(new Map());
	#landmarks: Schemas["Landmarks"] = { total: 0, every: 100, cursors: [] };
	#filters: Filters | null = null;
	#current = new AbortController();

	constructor(private readonly api: Api) {}

	/** Begin anew with these filters. What is shown stays until the other is known. */
	async open(filters: Filters): Promise<void> {
		this.close();
		this.#filters = filters;
		const { signal } = (this.#current = new AbortController());
		this.problem = null;
		try {
			const query = listQuery(filters);
			const found = await unwrap(this.api.http.GET("/api/documents/landmarks", { params: { query }, signal }));
			if (signal.aborted) return;
			this.#landmarks = found;
			this.#pages = new Map();
			this.total = found.total;
		} catch (error) {
			if (!signal.aborted) this.problem = toProblem(error);
		}
	}

	async again(): Promise<void> {
		if (this.#filters) await this.open(this.#filters);
	}

	close(): void {
		this.#current.abort();
	}

	at(index: number): Listed | null {
		const { every } = this.#landmarks;
		const page = this.#pages.get(Math.floor(index / every));
		return page && page !== "asked" ? (page[index % every] ?? null) : null;
	}

	/** See to it that these rows come, from the first to before the last. */
	async need(first: number, last: number): Promise<void> {
		const { every, cursors } = this.#landmarks;
		const numbers: number[] = [];
		for (let page = Math.floor(first / every); page * every < last && page < cursors.length; page++) {
			if (!this.#pages.has(page)) numbers.push(page);
		}
		if (numbers.length === 0) return;
		this.#put(numbers.map((page) => [page, "asked"]));
		await Promise.all(numbers.map((page) => this.#fetch(page)));
	}

	async #fetch(number: number): Promise<void> {
		const { signal } = this.#current;
		const { every, cursors, total } = this.#landmarks;
		try {
			const found: Listed[] = [];
			let cursor = cursors[number] ?? null;
			// Of a very long list, landmarks are further apart than a page is long.
			for (const end = Math.min(every, total - number * every); found.length < end;) {
				const limit = Math.min(100, end - found.length);
				const query = { ...listQuery(this.#filters as Filters), limit, ...(cursor ? { cursor } : {}) };
				const page: Schemas["Documents"] = await unwrap(
					this.api.http.GET("/api/documents", { params: { query }, signal }),
				);
				found.push(...page.items);
				cursor = page.next_cursor;
				if (!cursor) break;
			}
			if (!signal.aborted) this.#put([[number, found]]);
		} catch (error) {
			if (signal.aborted) return;
			this.problem = toProblem(error);
			const left = new Map(this.#pages);
			left.delete(number);
			this.#pages = left;
		}
	}

	#put(pages: readonly (readonly [number, Page])[]): void {
		this.#pages = new Map([...this.#pages, ...pages]);
	}
}
