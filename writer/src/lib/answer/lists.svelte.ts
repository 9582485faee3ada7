import { toProblem, type Problem } from "$lib/api/problems";

interface Page<Item> {
	items: Item[];
	next_cursor: string | null;
}
export type Load<Item> = (cursor: string | null, signal: AbortSignal) => Promise<Page<Item>>;

/** A list that comes in pages, newest first. Beginning anew forgets what is still coming. */
export class Paged<Item extends { id: string }> {
	items = $state.raw<readonly Item[] | null>(null);
	more = $state(false);
	loading = $state(false);
	problem = $state.raw<Problem | null>(null);
	#cursor: string | null = null;
	#current: AbortController | undefined;
	#load: Load<Item> | undefined;

	/** The list from its beginning. What was shown stays until the first page is there. */
	async begin(load: Load<Item>): Promise<void> {
		this.#load = load;
		this.#cursor = null;
		await this.#fetch([]);
	}

	async next(): Promise<void> {
		if (this.more && !this.loading) await this.#fetch(this.items ?? []);
	}

	/** Ask again for what failed. */
	async retry(): Promise<void> {
		await this.#fetch(this.#cursor === null ? [] : (this.items ?? []));
	}

	remove(id: string): void {
		this.items = this.items?.filter((item) => item.id !== id) ?? null;
	}

	/** Put one back to where it was. */
	restore(item: Item, at: number): void {
		this.items = this.items?.toSpliced(at, 0, item) ?? null;
	}

	async #fetch(before: readonly Item[]): Promise<void> {
		this.#current?.abort();
		const { signal } = (this.#current = new AbortController());
		[this.loading, this.problem] = [true, null];
		try {
			const page = await this.#load?.(this.#cursor, signal);
			if (signal.aborted || !page) return;
			this.items = [...before, ...page.items];
			this.#cursor = page.next_cursor;
			this.more = page.next_cursor !== null;
		} catch (error) {
			if (!signal.aborted) this.problem = toProblem(error);
		}
		if (!signal.aborted) this.loading = false;
	}
}
