import { unwrap, type Api, type Schemas } from "$lib/api/client";
import { toProblem, type Problem } from "$lib/api/problems";
import { batches, isArchive, readTargets, type NamedFile } from "./targets";

const PAUSE = 150; // ms of quiet before what was typed is asked about
const MOST = 100; // targets in one question of `recognise`

export type Recognised = Schemas["Recognised"];

export interface Options {
	collection: string;
	title: string;
	limit: number;
	scope: "" | "page" | "site";
	depth: number | null;
	/** `once`: collected now, and not come back to. */
	schedule: string;
}
export const OPTIONS: Readonly<Options> = {
	collection: "default",
	title: "",
	limit: 100,
	scope: "",
	depth: null,
	schedule: "auto",
};

/** What came of adding. */
export interface Added {
	sources: Schemas["SourceOut"][];
	jobs: Schemas["JobOut"][];
	/** Documents that files became. */
	documents: Schemas["SavedItem"][];
	/** Files that became none, and targets that were refused, each with its reason. */
	refused: { target: string; detail: string; hint: string }[];
}

/** What somebody is about to add: targets as they are typed, files as they were dropped. */
export class Adding {
	text = $state("");
	found = $state.raw<readonly Recognised[]>([]);
	asking = $state(false);
	files = $state.raw<readonly NamedFile[]>([]);
	/** What each archive holds, by its name; a problem where it is none. */
	archives = $state.raw<ReadonlyMap<string, Schemas["ArchiveOut"] | Problem>>(new Map());
	options = $state<Options>({ ...OPTIONS });
	problem = $state.raw<Problem | null>(null);
	/** How many files have been sent, while they are. */
	sent = $state(0);
	busy = $state(false);

	readonly targets = $derived(readTargets(this.text));
	readonly addable = $derived(this.found.filter((one) => one.target !== null));
	/** Whether all that was typed is understood, and there is something to add. */
	readonly ready = $derived(
		!this.busy &&
			!this.asking &&
			this.found.length === this.targets.length &&
			this.addable.length === this.found.length &&
			(this.found.length > 0 || this.files.length > 0),
	);
	#current?: AbortController;
	#timer?: ReturnType<typeof setTimeout>;

	constructor(readonly api: Api) {}

	write(text: string, pause = PAUSE): void {
		this.text = text;
		this.#current?.abort();
		clearTimeout(this.#timer);
		this.asking = this.targets.length > 0;
		if (!this.asking) this.found = [];
		else this.#timer = setTimeout(() => void this.recognise(), pause);
	}

	/** Put one of the things that an unclear target may mean in its place. */
	choose(typed: string, meant: string): void {
		const lines = this.targets.map((one) => (one === typed ? meant : one));
		this.write(lines.join("\n"), 0);
	}

	drop(typed: string): void {
		this.write(this.targets.filter((one) => one !== typed).join("\n"), 0);
	}

	async recognise(): Promise<void> {
		this.#current?.abort();
		const { signal } = (this.#current = new AbortController());
		const collection = this.options.collection.trim() || OPTIONS.collection;
		try {
			const found: Recognised[] = [];
			for (let at = 0; at < this.targets.length; at += MOST) {
				const body = { targets: this.targets.slice(at, at + MOST), collection };
				found.push(...(await unwrap(this.api.http.POST("/api/sources/recognise", { body, signal }))).items);
			}
			this.found = found;
			this.problem = null;
		} catch (error) {
			if (!signal.aborted) this.problem = toProblem(error);
		}
		if (!signal.aborted) this.asking = false;
	}

	/** Take files in. What is in archives is looked at first, and nothing of it is stored. */
	async take(files: readonly NamedFile[]): Promise<void> {
		const names = new Set(files.map((one) => one.name));
		this.files = [...this.files.filter((one) => !names.has(one.name)), ...files];
		for (const one of files.filter(isArchive)) {
			let told: Schemas["ArchiveOut"] | Problem;
			try {
				told = await this.#archive(one, true);
			} catch (error) {
				told = toProblem(error);
			}
			this.archives = new Map([...this.archives, [one.name, told]]);
		}
	}

	leave(name: string): void {
		this.files = this.files.filter((one) => one.name !== name);
	}

	/** Add all of it. What is refused stays, the rest is cleared away. */
	async add(): Promise<Added> {
		const added: Added = { sources: [], jobs: [], documents: [], refused: [] };
		this.busy = true;
		try {
			const left: string[] = [];
			for (const one of this.addable) {
				try {
					await this.#addTarget(one, added);
				} catch (error) {
					const { detail, hint } = toProblem(error);
					added.refused.push({ target: one.typed, detail, hint: hint ?? "" });
					left.push(one.typed);
				}
			}
			await this.#send(added);
			this.write(left.join("\n"), 0);
		} finally {
			this.busy = false;
			this.sent = 0;
		}
		return added;
	}

	async #addTarget(one: Recognised, added: Added): Promise<void> {
		const { title, limit, scope, depth, schedule } = this.options;
		const collection = this.options.collection.trim() || OPTIONS.collection;
		const target = one.typed;
		const reach = scope ? { scope, ...(scope === "site" ? { depth } : null) } : null;
		if (schedule === "once") {
			const body: Schemas["NewJobIn"] = { target, collection, limit, scope: scope || (one.scope ?? "page") };
			if (body.scope === "site") body.depth = depth;
			added.jobs.push(await unwrap(this.api.http.POST("/api/jobs", { body })));
			return;
		}
		const body: Schemas["NewSource"] = {
			target,
			title: this.addable.length === 1 ? title : "",
			collection,
			limit,
			collect: true,
			schedule,
			time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC",
			...reach,
		};
		added.sources.push(await unwrap(this.api.http.POST("/api/sources", { body })));
	}

	async #send(added: Added): Promise<void> {
		const documents = this.files.filter((one) => !isArchive(one));
		const left: NamedFile[] = [];
		for (const batch of batches(documents)) {
			try {
				const { items, failures } = await this.#upload(batch);
				added.documents.push(...items);
				added.refused.push(...failures.map(({ target, detail }) => ({ target, detail, hint: "" })));
			} catch (error) {
				const { detail, hint } = toProblem(error);
				added.refused.push(...batch.map(({ name }) => ({ target: name, detail, hint: hint ?? "" })));
				left.push(...batch);
			}
			this.sent += batch.length;
		}
		for (const one of this.files.filter(isArchive)) {
			try {
				const { job } = await this.#archive(one, false);
				if (job) added.jobs.push(job);
			} catch (error) {
				const { detail, hint } = toProblem(error);
				added.refused.push({ target: one.name, detail, hint: hint ?? "" });
			}
			this.sent += 1;
		}
		this.files = left;
	}

	#upload(batch: readonly NamedFile[]): Promise<Schemas["Uploaded"]> {
		const form = new FormData();
		form.append("collection", this.options.collection.trim() || OPTIONS.collection);
		for (const { name, file } of batch) form.append("files", file, name);
		return unwrap(this.api.http.POST("/api/uploads", { body: form as never, bodySerializer: (body) => body as never }));
	}

	#archive({ name, file }: NamedFile, dry: boolean): Promise<Schemas["ArchiveOut"]> {
		const form = new FormData();
		form.append("file", file, name);
		form.append("collection", this.options.collection.trim() || OPTIONS.collection);
		form.append("dry_run", String(dry));
		return unwrap(
			this.api.http.POST("/api/archives", { body: form as never, bodySerializer: (body) => body as never }),
		);
	}
}
