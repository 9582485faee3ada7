import { unwrap, type Schemas } from "$lib/api/client";
import { readProblem, toProblem, type Problem } from "$lib/api/problems";
import type { Desk } from "$lib/desk.svelte";
import { to } from "$lib/route.svelte";
import { Adding } from "$lib/sources/adding.svelte";
import { Jobs } from "$lib/sources/jobs.svelte";
import { t } from "$lib/text";
import type { Numbered } from "./answers";

/** The first steps: put something in, ask about it, write. */
export class Steps {
	readonly adding: Adding;
	readonly jobs: Jobs;
	/** Documents in the library; null while nobody knows. */
	documents = $state<number | null>(null);
	/** Of the example texts, those that are there because of us. */
	examples = $state.raw<readonly string[]>([]);
	taking = $state(false);
	problem = $state.raw<Problem | null>(null);
	suggestions = $state.raw<readonly string[]>([]);

	question = $state("");
	/** The question that the answer is to. */
	asked = $state("");
	answer = $state("");
	citations = $state.raw<readonly Numbered[]>([]);
	abstained = $state(false);
	asking = $state(false);
	askProblem = $state.raw<Problem | null>(null);

	/** Jobs that were begun here. */
	readonly begun = $derived.by(() => this.jobs.all.filter((job) => this.#mine.has(job.id)));
	readonly canAsk = $derived((this.documents ?? 0) > 0);
	readonly answered = $derived(!this.asking && this.answer !== "" && !this.abstained);
	#mine = $state.raw<ReadonlySet<string>>(new Set());
	#current?: AbortController;

	constructor(readonly desk: Desk) {
		this.adding = new Adding(desk.api);
		this.jobs = new Jobs(desk.api, () => void this.count());
	}

	async count(): Promise<void> {
		try {
			const before = this.documents;
			this.documents = (await unwrap(this.desk.api.http.GET("/api/stats"))).documents;
			this.problem = null;
			if (this.documents > 0 && this.documents !== before) await this.#suggest();
		} catch (error) {
			this.problem = toProblem(error);
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
		this.#current?.abort();
		const { signal } = (this.#current = new AbortController());
		[this.question, this.asked] = [question, question.trim()];
		[this.answer, this.citations, this.abstained, this.askProblem, this.asking] = ["", [], false, null, true];
		try {
			for await (const event of this.desk.api.stream("/api/answer", { body: { question: this.asked }, signal })) {
				if (event.name === "citations") this.citations = event.data as Numbered[];
				else if (event.name === "delta") this.answer += (event.data as { text: string }).text;
				else if (event.name === "done") this.#done(event.data as Schemas["AnswerOut"]);
				else if (event.name === "error") throw readProblem(502, event.data);
			}
		} catch (error) {
			if (!signal.aborted) this.askProblem = toProblem(error);
		}
		if (!signal.aborted) this.asking = false;
	}

	stop(): void {
		this.#current?.abort();
		this.asking = false;
	}

	/** A new draft that begins with the question; its evidence is looked for at once, and is the answer's. */
	write(): void {
		const question = this.asked.replace(/\s+/g, " ");
		this.desk.handed = (references) => ({ markdown: `# ${question}\n\n`, references });
		this.desk.route.go(to("drafts", "new"));
	}

	#done(whole: Schemas["AnswerOut"]): void {
		[this.answer, this.citations, this.abstained] = [whole.answer, whole.citations, whole.abstained];
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
		this.suggestions = titles.map((title) => t.onboarding.about.replace("#", title));
	}
}
