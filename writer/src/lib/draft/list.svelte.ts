import { unwrap, type Api } from "$lib/api/client";
import { toProblem, type Problem } from "$lib/api/problems";
import type { Kept } from "./kept";
import { countWords, titleOf } from "./models";

/** A draft in the list. */
export interface Listed {
	id: string;
	title: string;
	excerpt: string;
	words: number;
	updated_at: string;
	trashed_at: string | null;
}

/** The drafts, the newest change first; while the server is away, those that this device has. */
export class DraftList {
	items = $state.raw<readonly Listed[]>([]);
	query = $state("");
	trashed = $state(false);
	loading = $state(true);
	problem = $state.raw<Problem | null>(null);
	more = $state.raw<string | null>(null);
	#asked: AbortController | null = null;

	constructor(
		private readonly api: Api,
		private readonly kept: Kept,
	) {}

	/** From the top, by what is asked for now. */
	async load(): Promise<void> {
		await this.#page(null);
	}

	async next(): Promise<void> {
		if (this.more) await this.#page(this.more);
	}

	async #page(cursor: string | null): Promise<void> {
		this.#asked?.abort();
		const { signal } = (this.#asked = new AbortController());
		this.loading = true;
		const query = this.query.trim() || null;
		const params = { query: { limit: 50, trashed: this.trashed, query, cursor } };
		try {
			const page = await unwrap(this.api.http.GET("/api/drafts", { params, signal }));
			if (signal.aborted) return;
			this.items = cursor ? [...this.items, ...page.items] : page.items;
			[this.more, this.problem] = [page.next_cursor, null];
		} catch (error) {
			if (signal.aborted) return;
			this.problem = toProblem(error);
			if (this.problem.passes) this.items = await this.#here();
		}
		this.loading = false;
	}

	async #here(): Promise<Listed[]> {
		const wanted = this.query.trim().toLowerCase();
		return (await this.kept.newest())
			.filter((one) => !this.trashed && one.text.toLowerCase().includes(wanted))
			.map((one) => ({
				id: one.draft,
				title: titleOf(one.text),
				excerpt: one.text.slice(0, 200),
				words: countWords(one.text),
				updated_at: new Date(one.at).toISOString(),
				trashed_at: null,
			}));
	}

	/** What an open draft became, without asking for the list again. */
	show(one: Pick<Listed, "id" | "title" | "words">): void {
		const known = this.items.find((item) => item.id === one.id);
		if (known ? known.title === one.title && known.words === one.words : one.words === 0) return;
		const changed = { excerpt: "", trashed_at: null, ...known, ...one, updated_at: new Date().toISOString() };
		if (this.trashed || this.query.trim()) return;
		this.items = [changed, ...this.items.filter((item) => item.id !== one.id)];
	}

	async trash(id: string): Promise<void> {
		await unwrap(this.api.http.DELETE("/api/drafts/{id}", { params: { path: { id } } }));
		await this.load();
	}

	async recover(id: string): Promise<void> {
		await unwrap(this.api.http.POST("/api/drafts/{id}/recover", { params: { path: { id } } }));
		await this.load();
	}

	async removeForGood(id: string): Promise<void> {
		const params = { path: { id }, query: { for_good: true } };
		await unwrap(this.api.http.DELETE("/api/drafts/{id}", { params }));
		await this.kept.forgetDraft(id);
		await this.load();
	}
}
