import { problemOf, type Api } from "$lib/api/client";
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
		const query = new URLSearchParams({ limit: "50", trashed: String(this.trashed) });
		if (this.query.trim()) query.set("query", this.query.trim());
		if (cursor) query.set("cursor", cursor);
		try {
			const page = await this.#ask<{ items: Listed[]; next_cursor: string | null }>(
				"GET",
				`?${query.toString()}`,
				signal,
			);
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
		await this.#ask("DELETE", `/${id}`);
		await this.load();
	}

	async recover(id: string): Promise<void> {
		await this.#ask("POST", `/${id}/recover`);
		await this.load();
	}

	async removeForGood(id: string): Promise<void> {
		await this.#ask("DELETE", `/${id}?for_good=true`);
		await this.kept.forgetDraft(id);
		await this.load();
	}

	async #ask<Answer>(method: string, path: string, signal?: AbortSignal): Promise<Answer> {
		const address = `${this.api.connection.base || location.origin}/api/drafts${path}`;
		const response = await this.api.fetch(new Request(address, { method, signal: signal ?? null }));
		if (!response.ok) throw await problemOf(response);
		return (response.status === 204 ? null : await response.json()) as Answer;
	}
}
