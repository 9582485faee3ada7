import { toProblem, type Problem } from "$lib/api/problems";
import { tellingStems } from "$lib/citing/words";
import { NO_FILTERS, type Filters, type Hit } from "./models";
import { passageOf, saysEnough } from "./passages";

export interface Found {
	items: readonly Hit[];
	/** Why it was looked for by word only; null when it was not. */
	degraded: string | null;
}

export type Enrich = (passage: string, filters: Filters, signal: AbortSignal) => Promise<Found>;

/** Evidence for the passage under the cursor. One per open draft. */
export class Evidence {
	/** What was last looked for; empty before, and where there is too little to look for. */
	passage = $state("");
	hits = $state.raw<readonly Hit[]>([]);
	degraded = $state<string | null>(null);
	problem = $state.raw<Problem | null>(null);
	searching = $state(false);
	filters = $state.raw<Filters>(NO_FILTERS);
	/** By chunk, so that it stays chosen while the list around it changes. */
	#chosen = $state<string | null>(null);
	#current: AbortController | undefined;
	#waiting: ReturnType<typeof setTimeout> | undefined;

	readonly stems = $derived(tellingStems(this.passage));
	readonly none = $derived(this.passage !== "" && !this.searching && !this.problem && this.hits.length === 0);
	readonly selected = $derived(this.hits.find(({ chunk_id }) => chunk_id === this.#chosen) ?? this.hits[0] ?? null);

	constructor(
		private readonly enrich: Enrich,
		/** ms of quiet. */
		private readonly pause: () => number,
	) {}

	/** Something was written, or the cursor went elsewhere: look when it is quiet. Costs nothing until then. */
	follow(paragraph: () => string): void {
		clearTimeout(this.#waiting);
		this.#waiting = setTimeout(() => void this.find(passageOf(paragraph())), this.pause());
	}

	/** Look now. The same again asks nothing; too little to look for is an empty passage. */
	async find(passage: string): Promise<void> {
		const wanted = saysEnough(passage) ? passage : "";
		if (wanted === this.passage && !this.problem) return;
		await this.#ask(wanted);
	}

	async retry(): Promise<void> {
		await this.#ask(this.passage);
	}

	async narrow(filters: Filters): Promise<void> {
		this.filters = filters;
		await this.#ask(this.passage);
	}

	/** Another is selected: the next, or the one before. */
	step(by: 1 | -1): void {
		const at = this.hits.findIndex(({ chunk_id }) => chunk_id === this.selected?.chunk_id);
		const next = this.hits[Math.max(0, Math.min(this.hits.length - 1, at + by))];
		if (next) this.choose(next);
	}

	choose(hit: Hit): void {
		this.#chosen = hit.chunk_id;
	}

	/** The draft is closed. */
	stop(): void {
		clearTimeout(this.#waiting);
		this.#current?.abort();
	}

	async #ask(passage: string): Promise<void> {
		this.#current?.abort(); // The writer has moved on: a late answer must not replace a newer one.
		const { signal } = (this.#current = new AbortController());
		[this.passage, this.problem, this.searching] = [passage, null, passage !== ""];
		if (passage === "") {
			[this.hits, this.degraded] = [[], null];
			return;
		}
		try {
			const found = await this.enrich(passage, this.filters, signal);
			if (signal.aborted) return;
			[this.hits, this.degraded] = [settled(this.hits, found.items), found.degraded];
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
	return list.flatMap((hit) => hit ?? rest.shift() ?? []);
}
