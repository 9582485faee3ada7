import { unwrap, type Api } from "$lib/api/client";
import { toProblem, type Problem } from "$lib/api/problems";
import { tellingStems } from "$lib/citing/words";
import { bodyOf, keepFilters, keptFilters, type Filters } from "./filters";
import type { Hit } from "./models";
import { passageOf, saysEnough } from "./passages";

export interface Found {
	items: readonly Hit[];
	/** Why it was looked for by word only; null when it was not. */
	degraded: string | null;
}

/** Evidence for the passage under the cursor. One per open draft. */
export class Evidence {
	/** What was last looked for; empty where there was too little to look for. */
	passage = $state("");
	hits = $state.raw<readonly Hit[]>([]);
	/** Newer ones, while the person is at the list: it must not change under their hands. */
	waiting = $state.raw<readonly Hit[] | null>(null);
	degraded = $state<string | null>(null);
	problem = $state.raw<Problem | null>(null);
	searching = $state(false);
	filters = $state.raw<Filters>(keptFilters());
	/** Selected from the editor, by its keys: there the list is not read, and it has to be said. */
	told = $state.raw<Hit | null>(null);
	/** By chunk, so that it stays chosen while the list around it changes. */
	#chosen = $state<string | null>(null);
	/** What the hits were found for. */
	#matched = $state("");
	#waitingFor = "";
	#busy = false;
	#current: AbortController | undefined;

	/** Of the passage that the hits are for: while others are looked for, these stay as they are. */
	readonly stems = $derived(tellingStems(this.#matched));
	readonly none = $derived(this.passage !== "" && !this.searching && !this.problem && this.hits.length === 0);
	readonly selected = $derived(this.hits.find(({ chunk_id }) => chunk_id === this.#chosen) ?? this.hits[0] ?? null);

	constructor(private readonly api: Api) {}

	/** Look for what bears on a paragraph of the draft. The same again asks nothing. */
	async find(paragraph: string): Promise<void> {
		const passage = passageOf(paragraph);
		if (passage === this.passage && !this.problem) return;
		if (saysEnough(passage)) return this.#ask(passage);
		// A paragraph that has just begun: what was found for the one before stays until there is something new.
		this.#current?.abort();
		[this.searching, this.problem] = [false, null];
		if (this.hits.length === 0) this.passage = "";
	}

	async retry(): Promise<void> {
		await this.#ask(this.passage, true);
	}

	async narrow(filters: Filters): Promise<void> {
		this.filters = filters;
		keepFilters(filters);
		if (this.passage !== "") await this.#ask(this.passage, true);
	}

	/** Whether the person is at the list. When they leave it, what waited is shown. */
	attend(busy: boolean): void {
		this.#busy = busy;
		if (!busy) this.showWaiting();
	}

	showWaiting(): void {
		if (this.waiting) [this.hits, this.#matched] = [this.waiting, this.#waitingFor];
		this.waiting = null;
	}

	/** Select the next, or the one before; from the editor, without going there. */
	move(by: 1 | -1): void {
		this.step(by);
		this.told = this.selected;
	}

	step(by: 1 | -1): void {
		const at = this.hits.findIndex(({ chunk_id }) => chunk_id === this.selected?.chunk_id);
		const next = this.hits[Math.max(0, Math.min(this.hits.length - 1, at + by))];
		if (next) this.choose(next);
	}

	choose(hit: Hit): void {
		this.#chosen = hit.chunk_id;
	}

	/** The draft is closed. */
	close(): void {
		this.#current?.abort();
	}

	protected async enrich(passage: string, signal: AbortSignal): Promise<Found> {
		return unwrap(this.api.http.POST("/api/enrich", { body: bodyOf(passage, this.filters), signal }));
	}

	/** `isWanted`: the person at the list asked for another one. */
	async #ask(passage: string, isWanted = false): Promise<void> {
		this.#current?.abort(); // The writer has moved on: a late answer must not replace a newer one.
		const { signal } = (this.#current = new AbortController());
		[this.passage, this.problem, this.searching] = [passage, null, true];
		try {
			const found = await this.enrich(passage, signal);
			if (signal.aborted) return;
			const hits = settled(this.hits, found.items);
			this.degraded = found.degraded;
			if (this.#busy && !isWanted && this.hits.length > 0 && !isSame(this.hits, hits)) {
				[this.waiting, this.#waitingFor] = [hits, passage];
			} else [this.hits, this.#matched, this.waiting] = [hits, passage, null];
		} catch (error) {
			if (!signal.aborted) this.problem = toProblem(error);
		}
		if (!signal.aborted) this.searching = false;
	}
}

/** The new list, in which each that was there before stays where it was; the others come in their order around them. */
export function settled(before: readonly Hit[], now: readonly Hit[]): readonly Hit[] {
	const places = new Map(before.map(({ chunk_id }, place) => [chunk_id, place]));
	const list: (Hit | undefined)[] = Array.from({ length: now.length });
	const rest: Hit[] = [];
	for (const hit of now) {
		const place = places.get(hit.chunk_id);
		if (place !== undefined && place < list.length) list[place] = hit;
		else rest.push(hit);
	}
	return Array.from(list, (hit) => hit ?? rest.shift()).filter((hit) => hit !== undefined);
}

const isSame = (some: readonly Hit[], others: readonly Hit[]): boolean =>
	some.length === others.length && some.every(({ chunk_id }, place) => chunk_id === others[place]?.chunk_id);
