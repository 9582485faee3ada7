import { v7 as uuid } from "uuid";
import { Asking } from "$lib/answer/asking.svelte";
import { dropInto, prepare } from "$lib/answer/dropping";
import { WHOLE_LIBRARY } from "$lib/answer/models";
import { read } from "$lib/answer/writing";
import { unwrap } from "$lib/api/client";
import { toProblem, type Problem } from "$lib/api/problems";
import type { Desk } from "$lib/desk.svelte";
import { Adding } from "$lib/sources/adding.svelte";
import { Jobs } from "$lib/sources/jobs.svelte";
import { t } from "$lib/text";

const SETTLING = 10_000; // ms: what has just come is found within a second, on a busy machine within some
const AGAIN = 700; // ms until it is looked again meanwhile, or asked

/** The first steps: put something in, ask about it, write. */
export class Steps {
	readonly adding: Adding;
	readonly jobs: Jobs;
	/** Documents in the library; null while nobody knows. */
	documents = $state<number | null>(null);
	/** What has just come is not all found yet. */
	settling = $state(false);
	/** Of the example texts, those that are there because of us. */
	examples = $state.raw<readonly string[]>([]);
	taking = $state(false);
	problem = $state.raw<Problem | null>(null);
	suggestions = $state.raw<readonly string[]>([]);

	question = $state("");
	/** What is said to it. */
	telling = $state.raw<Asking | null>(null);

	/** Jobs that were begun here. */
	readonly begun = $derived.by(() => this.jobs.all.filter((job) => this.#mine.has(job.id)));
	readonly canAsk = $derived((this.documents ?? 0) > 0);
	readonly asking = $derived(this.telling?.goesOn ?? false);
	readonly answered = $derived(this.telling?.answer?.abstained === false);
	#mine = $state.raw<ReadonlySet<string>>(new Set());
	/** When documents came last, by the clock of this page. */
	#cameAt = -Infinity;
	#looking: ReturnType<typeof setTimeout> | undefined;

	constructor(readonly desk: Desk) {
		this.adding = new Adding(desk.api);
		this.jobs = new Jobs(desk.api, () => void this.count());
	}

	async count(): Promise<void> {
		try {
			const before = this.documents;
			const { documents, pending } = await unwrap(this.desk.api.http.GET("/api/stats"));
			[this.documents, this.problem] = [documents, null];
			if (before !== null && documents > before) this.#cameAt = performance.now();
			// Without a model of meaning they wait for ever: nobody waits for that.
			this.settling = pending > 0 && this.#isFresh;
			clearTimeout(this.#looking);
			if (this.settling) this.#looking = setTimeout(() => void this.count(), AGAIN);
			if (documents > 0 && documents !== before) await this.#suggest();
		} catch (error) {
			[this.problem, this.settling] = [toProblem(error), false];
		}
	}

	async add(): Promise<void> {
		const added = await this.adding.add();
		const jobs = [...added.jobs.map((job) => job.id), ...added.sources.flatMap((one) => one.last_job?.id ?? [])];
		this.#mine = new Set([...this.#mine, ...jobs]);
		this.#refuse(added.refused);
		this.jobs.wake();
		await this.count();
	}

	async takeExamples(): Promise<void> {
		this.taking = true;
		try {
			const { exampleFiles } = await import("./reading");
			const files = new Adding(this.desk.api);
			files.options.collection = t.onboarding.examplesCollection;
			await files.take(exampleFiles());
			const added = await files.add();
			this.examples = added.documents.map((one) => one.id);
			this.#refuse(added.refused);
			await this.count();
		} catch (error) {
			this.problem = toProblem(error);
		}
		this.taking = false;
	}

	async removeExamples(): Promise<void> {
		const path = "/api/documents/{id}";
		try {
			for (const id of this.examples) await unwrap(this.desk.api.http.DELETE(path, { params: { path: { id } } }));
			this.examples = [];
		} catch (error) {
			this.problem = toProblem(error);
		}
		await this.count();
	}

	async ask(question: string): Promise<void> {
		this.stop();
		this.question = question;
		for (;;) {
			const telling = new Asking(uuid(), question.trim(), WHOLE_LIBRARY);
			this.telling = telling;
			while (this.settling && telling.goesOn) await after(100);
			if (!telling.goesOn) return; // stopped, or something else was asked meanwhile
			await telling.run(this.desk.api);
			if (this.telling !== telling || !telling.answer?.abstained || !this.#isFresh) return;
			await after(AGAIN);
			if (this.telling !== telling) return;
		}
	}

	stop(): void {
		this.telling?.stop();
	}

	/** A new draft that begins with the question and its answer, each number a citation of the draft's own. */
	async write(): Promise<void> {
		if (!this.telling) return;
		const { question, text, citations, answer } = this.telling;
		const drop = { question, blocks: read(text, citations.length, answer), citations };
		dropInto(this.desk, await prepare(this.desk, drop), null);
	}

	get #isFresh(): boolean {
		return performance.now() - this.#cameAt < SETTLING;
	}

	#refuse(refused: readonly { detail: string; hint: string }[]): void {
		const first = refused[0];
		if (first) this.desk.toasts.tell(`${first.detail} ${first.hint}`.trim(), null, true);
	}

	/** Questions that what is there can answer. */
	async #suggest(): Promise<void> {
		if (this.examples.length > 0) {
			this.suggestions = t.onboarding.suggestions;
			return;
		}
		const { items } = await unwrap(this.desk.api.http.GET("/api/documents", { params: { query: { limit: 3 } } }));
		const titles = items.map((one) => one.title).filter((title) => title !== "" && title.length <= 80);
		// Two documents may be called the same, and a title may have a `$` in it.
		this.suggestions = [...new Set(titles)].map((title) => t.onboarding.about.replace("#", () => title));
	}
}

const after = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
