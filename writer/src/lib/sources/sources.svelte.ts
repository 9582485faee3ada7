import { unwrap, type Api, type Schemas } from "$lib/api/client";
import { toProblem, type Problem } from "$lib/api/problems";
import { holds, sorted, type Sort, type Source, type State } from "./states";

const PAGE = 100;
type Change = Schemas["SourceChange"];
type New = Schemas["NewSource"];

/** All sources, and what is done to them. One per view. */
export class Sources {
	all = $state.raw<readonly Source[]>([]);
	loading = $state(false);
	/** Whether a first answer has come. */
	known = $state(false);
	problem = $state.raw<Problem | null>(null);
	words = $state("");
	platform = $state("");
	state = $state<State | "">("");
	sort = $state<Sort>("newest");
	readonly shown = $derived(
		sorted(
			this.all.filter(
				(one) =>
					(!this.platform || one.platform === this.platform) &&
					(!this.state || one.state === this.state) &&
					holds(one, this.words),
			),
			this.sort,
		),
	);
	readonly platforms = $derived([...new Set(this.all.map((one) => one.platform))].sort());
	readonly states = $derived([...new Set(this.all.map((one) => one.state))]);
	#current?: AbortController;

	constructor(readonly api: Api) {}

	/** Ask for all of them, page by page. What is shown stays until the new is whole. */
	async load(): Promise<void> {
		this.#current?.abort();
		const { signal } = (this.#current = new AbortController());
		this.loading = true;
		try {
			const found: Source[] = [];
			let cursor: string | null = null;
			do {
				const query: { limit: number; cursor?: string } = { limit: PAGE, ...(cursor ? { cursor } : null) };
				const page: Schemas["Sources"] = await unwrap(this.api.http.GET("/api/sources", { params: { query }, signal }));
				found.push(...page.items);
				cursor = page.next_cursor;
				if (!this.known) this.all = [...found]; // the first time, what has come is shown while the rest comes
			} while (cursor);
			this.all = found;
			this.problem = null;
			this.known = true;
		} catch (error) {
			if (!signal.aborted) this.problem = toProblem(error);
		}
		if (!signal.aborted) this.loading = false;
	}

	stop(): void {
		this.#current?.abort();
	}

	find(id: string): Source | undefined {
		return this.all.find((one) => one.id === id);
	}

	/** Ask anew for one; one that is not there any more leaves the list. */
	async refresh(id: string): Promise<void> {
		try {
			this.#put(await unwrap(this.api.http.GET("/api/sources/{id}", { params: { path: { id } } })));
		} catch (error) {
			if (toProblem(error).status !== 404) throw error;
			this.all = this.all.filter((one) => one.id !== id);
		}
	}

	async change(id: string, body: Change): Promise<void> {
		this.#put(await unwrap(this.api.http.PATCH("/api/sources/{id}", { params: { path: { id } }, body })));
	}

	async collect(id: string): Promise<Schemas["JobOut"]> {
		const job = await unwrap(this.api.http.POST("/api/sources/{id}/jobs", { params: { path: { id } } }));
		await this.refresh(id);
		return job;
	}

	/** Take it off the list; what it collected stays. Gives what `bringBack` needs. */
	async remove(id: string): Promise<Source | null> {
		const source = this.find(id) ?? null;
		await unwrap(this.api.http.DELETE("/api/sources/{id}", { params: { path: { id } } }));
		this.all = this.all.filter((one) => one.id !== id);
		return source;
	}

	/** Add again what was removed, with the same settings; it finds its documents where they were. */
	async bringBack(source: Source): Promise<void> {
		const { target, title, collection, limit, scope, depth, schedule, time_zone } = source;
		const body: New = { target, title, collection, limit, scope, depth, schedule, time_zone, collect: false };
		const made = await unwrap(this.api.http.POST("/api/sources", { body }));
		this.#put(made);
		if (source.state === "paused") await this.change(made.id, { state: "paused" });
	}

	#put(source: Source): void {
		this.all = this.find(source.id)
			? this.all.map((one) => (one.id === source.id ? source : one))
			: [source, ...this.all];
	}
}
