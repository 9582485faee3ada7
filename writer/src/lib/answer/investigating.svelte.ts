import { unwrap, type Api } from "$lib/api/client";
import { toProblem } from "$lib/api/problems";
import type { ServerEvent } from "$lib/api/sse";
import { pause } from "$lib/pause";
import type { Collecting } from "./models";
import { Telling } from "./telling.svelte";

const FIRST_WAIT = 500; // ms before a broken stream is asked for again, doubled up to the longest
const LONGEST_WAIT = 10_000;

/** An investigation as its events tell it, from the first on. It goes on without us, and is kept by itself. */
export class Investigating extends Telling {
	question = $state("");
	targets = $state.raw<readonly string[]>([]);
	jobs = $state.raw<readonly Collecting[]>([]);
	/** Whether its stream is broken, and being asked for again. */
	apart = $state(false);
	/** Whether its end was asked for, and has not come yet. */
	stopping = $state(false);
	#after: string | undefined;

	constructor(
		readonly id: string,
		readonly api: Api,
	) {
		super();
		this.phase = "collecting";
	}

	/** Follow it to its end, over as many streams as that takes. `signal` only ends the following. */
	async follow(signal: AbortSignal): Promise<void> {
		let wait = FIRST_WAIT;
		for (;;) {
			try {
				const options = { signal, ...(this.#after === undefined ? {} : { after: this.#after }) };
				for await (const event of this.api.stream(`/api/investigations/${this.id}/events`, options)) {
					[wait, this.apart] = [FIRST_WAIT, false];
					if (this.take(event)) return;
					this.#after = event.id ?? this.#after;
				}
			} catch (error) {
				if (signal.aborted) return;
				const problem = toProblem(error);
				if (!problem.passes) return this.fail(problem);
			}
			// A stream may end before the investigation does: a restart, a proxy. It goes on after the last event we have.
			this.apart = true;
			await pause(wait, signal);
			if (signal.aborted) return;
			wait = Math.min(wait * 2, LONGEST_WAIT);
		}
	}

	protected override take(event: ServerEvent): boolean {
		if (event.name === "job") {
			this.#moved(event.data as Collecting);
			return false;
		}
		if (event.name !== "investigation") return super.take(event);
		const told = event.data as { question?: string; targets?: string[]; status?: string; restarted?: boolean };
		this.question = told.question ?? this.question;
		this.targets = told.targets ?? this.targets;
		if (told.restarted) this.begin("collecting");
		if (told.status !== "canceled") return false;
		this.phase = "stopped";
		this.stopping = false;
		return true;
	}

	protected override fail(problem: Parameters<Telling["fail"]>[0]): void {
		super.fail(problem);
		this.apart = this.stopping = false;
	}

	#moved(job: Collecting): void {
		const at = this.jobs.findIndex((one) => one.id === job.id && one.target === job.target);
		this.jobs = at < 0 ? [...this.jobs, job] : this.jobs.with(at, job);
		const over = this.jobs.every((one) => ENDED.has(one.status) && !isIndexing(one));
		if (this.phase === "collecting" && over && this.jobs.length >= this.targets.length) this.phase = "looking";
	}

	/** Ask for its end. It has ended when its event says so: an answer that was quicker stays. */
	override stop(): void {
		if (!this.goesOn || this.stopping) return;
		this.stopping = true;
		const cancel = this.api.http.POST("/api/investigations/{id}/cancel", { params: { path: { id: this.id } } });
		unwrap(cancel).catch((error: unknown) => {
			this.stopping = false;
			this.problem = toProblem(error);
		});
	}
}

const ENDED = new Set(["succeeded", "partial", "failed", "canceled"]);

export function isIndexing(job: Collecting): boolean {
	return job.id !== undefined && (job.indexing?.pending ?? 0) > 0;
}
