import { unwrap, type Api } from "$lib/api/client";
import { toProblem, type Problem } from "$lib/api/problems";
import { pause } from "$lib/pause";
import { isOpen, type Job } from "./states";

const LIVELY = 1_000; // ms between two looks while something runs
const QUIET = 8_000; // and while nothing does: schedules begin jobs that nobody asked for

/** The newest jobs, as they move. */
export class Jobs {
	all = $state.raw<readonly Job[]>([]);
	known = $state(false);
	problem = $state.raw<Problem | null>(null);
	next = $state.raw<string | null>(null);
	readonly open = $derived(this.all.filter(isOpen));
	/** The open job of each source. */
	readonly ofSource = $derived(new Map(this.open.map((job) => [job.source_id ?? "", job])));
	#wake: () => void = () => undefined;

	constructor(
		readonly api: Api,
		/** Told of each job that has come, moved or ended since the last look. */
		readonly onmoved: (jobs: readonly Job[]) => void = () => undefined,
		readonly most = 50,
	) {}

	/** Look again and again until the signal says so. A page that nobody sees looks rarely. */
	async follow(signal: AbortSignal): Promise<void> {
		while (!signal.aborted) {
			await this.#look(signal);
			const lively = this.open.length > 0 && !document.hidden;
			const waking = new AbortController();
			this.#wake = () => waking.abort();
			await pause(lively ? LIVELY : QUIET, AbortSignal.any([signal, waking.signal]));
		}
	}

	/** Something was begun: look at once. */
	wake(): void {
		this.#wake();
	}

	async more(): Promise<void> {
		if (!this.next) return;
		const query = { limit: this.most, cursor: this.next };
		const page = await unwrap(this.api.http.GET("/api/jobs", { params: { query } }));
		const there = new Set(this.all.map((job) => job.id));
		this.all = [...this.all, ...page.items.filter((job) => !there.has(job.id))];
		this.next = page.next_cursor;
	}

	async cancel(id: string): Promise<void> {
		await unwrap(this.api.http.POST("/api/jobs/{id}/cancel", { params: { path: { id } } }));
		this.wake();
	}

	async #look(signal: AbortSignal): Promise<void> {
		try {
			const query = { limit: this.most };
			const page = await unwrap(this.api.http.GET("/api/jobs", { params: { query }, signal }));
			const before = new Map(this.all.map((job) => [job.id, JSON.stringify(job)]));
			const moved = page.items.filter((job) => before.get(job.id) !== JSON.stringify(job));
			const newest = new Set(page.items.map((job) => job.id));
			// Those that `more` brought stay, below; between the two nothing is left out.
			this.all = [...page.items, ...this.all.filter((job) => !newest.has(job.id) && isOlder(job, page.items))];
			if (!this.known) this.next = page.next_cursor;
			if (this.known && moved.length > 0) this.onmoved(moved);
			this.known = true;
			this.problem = null;
		} catch (error) {
			if (!signal.aborted) this.problem = toProblem(error);
		}
	}
}

/** Ids are UUIDv7: they sort as the jobs came. */
const isOlder = (job: Job, newest: readonly Job[]): boolean => job.id < (newest[newest.length - 1]?.id ?? "");
