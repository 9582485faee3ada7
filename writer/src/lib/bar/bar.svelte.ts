import { unwrap, type Schemas } from "$lib/api/client";
import { toProblem, type Problem } from "$lib/api/problems";
import type { Asked } from "$lib/answer/asked.svelte";
import type { Desk } from "$lib/desk.svelte";
import type { Command } from "$lib/keys/commands";
import { to } from "$lib/route.svelte";
import { t } from "$lib/text";
import { ranked } from "./ranking";
import { isQuestion, likelyPlatform, readWish } from "./targets";

export type Group = "ask" | "commands" | "drafts" | "answers" | "documents" | "choices" | "more";

/** Something to do, by Enter, click or tap. */
export interface Option {
	id: string;
	group: Group;
	name: string;
	/** What more there is to say of it. */
	detail?: string | undefined;
	command?: Command;
	run: () => void;
}

type Found = Pick<Schemas["Drafts"], "items">["items"];
type Choice = Schemas["ChoiceOut"];

const ANY: Schemas["FiltersIn"] = {
	authors: [],
	collections: [],
	job_ids: [],
	languages: [],
	platforms: [],
	source_ids: [],
};
const PAUSE = 120; // ms without a key before the server is asked
const FIRST = 6; // commands of an empty line, before what was worked on last
const MOST = 6; // of a kind; the whole is one option further

/** What a line means: ask, collect, do, go. One for as long as the bar is open. */
export class Bar {
	text = $state("");
	/** Targets that were taken from the line: what is typed now is asked of them. */
	targets = $state.raw<readonly string[]>([]);
	busy = $state(false);
	problem = $state.raw<Problem | null>(null);
	drafts = $state.raw<Found>([]);
	answers = $state.raw<readonly { id: string; question: string }[]>([]);
	documents = $state.raw<readonly Schemas["HitOut"][]>([]);
	/** What a target may mean, when it may mean several things. */
	choices = $state.raw<{ target: string; among: readonly Choice[]; question: string } | null>(null);
	#platforms = $state.raw<readonly Schemas["Platform"][]>([]);
	#active = $state<string | null>(null);
	readonly #end = new AbortController();
	#search: AbortController | undefined;

	readonly #typed = $derived(this.text.trim());
	readonly #wish = $derived(readWish(this.#typed));
	readonly options = $derived(this.#options());
	/** The one that Enter carries out. It is told by its id: what is found later moves nothing away from under it. */
	readonly active = $derived(this.options.find((one) => one.id === this.#active) ?? this.options[0] ?? null);

	constructor(
		readonly desk: Desk,
		readonly asked: Asked,
		readonly close: () => void,
	) {
		this.#recall();
	}

	end(): void {
		this.#end.abort();
		this.#search?.abort();
	}

	/** Another line. */
	type(text: string): void {
		this.text = text;
		this.#active = this.choices = this.problem = null;
		this.#find();
	}

	point(option: Option): void {
		this.#active = option.id;
	}

	/** To the option so many further down; past the end is the beginning. */
	move(by: number): void {
		const count = this.options.length;
		if (count === 0) return;
		const at = this.active ? this.options.indexOf(this.active) : 0;
		this.#active = this.options[(at + by + count) % count]?.id ?? null;
	}

	/** One step back; whether there was one. */
	back(): boolean {
		if (this.choices || this.problem) this.choices = this.problem = null;
		else if (this.text) this.type("");
		else if (this.targets.length > 0) this.targets = [];
		else return false;
		return true;
	}

	dropTarget(target: string): void {
		this.targets = this.targets.filter((one) => one !== target);
	}

	#options(): Option[] {
		if (this.choices) return this.choices.among.map((choice) => this.#choice(choice));
		if (this.targets.length > 0) return this.#typed ? [this.#collect(this.targets, this.#typed)] : [];
		if (!this.#typed) {
			// What can be done here before what can be done anywhere; of that, no more than leaves the rest in sight.
			const [here, anywhere] = [this.#commands(true), this.#commands(false)];
			const first = [...here, ...anywhere].slice(0, Math.max(FIRST, here.length));
			const rest = anywhere.filter((one) => !first.includes(one));
			return [
				...first,
				...this.#drafts(),
				...this.#answers(),
				...rest.map((one) => ({ ...one, group: "more" as const })),
			];
		}
		const commands = this.#commands();
		const { targets, question } = this.#wish;
		const asks = [
			...(targets.length > 0 ? [this.#collect(targets, question)] : []),
			...(question ? [this.#ask(this.#typed)] : []),
		];
		const first = targets.length > 0 || isQuestion(this.#typed) || commands.length === 0;
		return [
			...(first ? [...asks, ...commands] : [...commands, ...asks]),
			...this.#drafts(),
			...this.#answers(),
			...this.#documents(),
		];
	}

	#ask(question: string): Option {
		return {
			id: "ask",
			group: "ask",
			name: t.bar.ask.replace("#", () => question),
			run: () => this.#leave(() => this.desk.route.go(to("answers", this.asked.ask(question).id))),
		};
	}

	#collect(targets: readonly string[], question: string): Option {
		const named = targets.join(", ");
		const missing = this.#platforms.filter(
			(one) => !one.available && targets.some((target) => likelyPlatform(target) === one.platform),
		);
		return {
			id: "collect",
			group: "ask",
			name: (question ? t.bar.collect : t.bar.collectFirst).replace("#", () => named),
			detail:
				missing.map((one) => [t.bar.needs.replace("#", one.title), one.hint].filter(Boolean).join(". ")).join(" ") ||
				(question ? question : undefined),
			run: () => {
				if (question) void this.#investigate(targets, question);
				else [this.targets, this.text] = [targets, ""];
			},
		};
	}

	#choice(choice: Choice): Option {
		return {
			id: `choice:${choice.target}`,
			group: "choices",
			name: choice.title,
			detail: choice.target,
			run: () => {
				const wanted = this.choices;
				if (!wanted) return;
				this.choices = null;
				const targets = this.targets.map((one) => (one === wanted.target ? choice.target : one));
				void this.#investigate(targets, wanted.question);
			},
		};
	}

	/** @param here Those of the view that is open, or the others; left out: all. */
	#commands(here?: boolean): Option[] {
		const able = this.desk.commands.available.filter(
			(command) => command.id !== "bar.open" && (here === undefined || here === isOfView(command)),
		);
		return ranked(this.#typed, able, (command) => t.commands[command.id]).map((command) => ({
			id: `command:${command.id}`,
			group: "commands",
			name: t.commands[command.id],
			command,
			run: () => this.#leave(() => this.desk.commands.run(command.id)),
		}));
	}

	#drafts(): Option[] {
		return this.drafts.map((draft) => ({
			id: `draft:${draft.id}`,
			group: "drafts",
			name: draft.title || t.common.untitled,
			run: () => this.#leave(() => this.desk.route.go(to("drafts", draft.id))),
		}));
	}

	#answers(): Option[] {
		return this.answers.map((one) => ({
			id: `answer:${one.id}`,
			group: "answers",
			name: one.question,
			run: () => this.#leave(() => this.desk.route.go(to("answers", one.id))),
		}));
	}

	#documents(): Option[] {
		const query = this.#typed;
		const hits: Option[] = this.documents.map(({ citation }) => ({
			id: `document:${citation.document_id}`,
			group: "documents",
			name: citation.title || t.common.untitled,
			detail: [t.common.platforms[citation.platform] ?? citation.platform, citation.quote.trim()].join(" · "),
			run: () =>
				this.#leave(() => {
					const { document_id: id, version, quote_start: start, quote_end: end } = citation;
					this.desk.route.go(to("documents", id, { version, start, end }));
				}),
		}));
		const all: Option = {
			id: "search",
			group: "documents",
			name: t.bar.searchAll.replace("#", () => query),
			run: () => this.#leave(() => this.desk.route.go(to("library", null, { query }))),
		};
		return [...hits, all];
	}

	/** First away with the bar, so that the focus is back where a command expects it. */
	#leave(run: () => void): void {
		this.close();
		setTimeout(run);
	}

	async #investigate(targets: readonly string[], question: string): Promise<void> {
		this.targets = targets;
		this.text = question;
		[this.busy, this.problem] = [true, null];
		try {
			const id = await this.asked.investigate(question, targets, this.#end.signal);
			this.#leave(() => this.desk.route.go(to("investigations", id)));
		} catch (error) {
			if (this.#end.signal.aborted) return;
			const problem = toProblem(error);
			const at = Number(/^targets\.(\d+)$/.exec(String(problem.members.field))?.[1]);
			const target = targets[at];
			const among = problem.members.choices;
			if (problem.code === "ambiguous_target" && target !== undefined && Array.isArray(among)) {
				this.choices = { target, among: among as Choice[], question };
			} else this.problem = problem;
		} finally {
			this.busy = false;
		}
	}

	/** What an empty line offers, and what a target may need. Where the server is away, there are commands still. */
	#recall(): void {
		const { http } = this.desk.api;
		const { signal } = this.#end;
		this.#find();
		void quietly(unwrap(http.GET("/api/platforms", { signal })), (found) => (this.#platforms = found.items));
	}

	/** Look for what was typed, after a pause: an earlier search never tells in a later one. */
	#find(): void {
		this.#search?.abort();
		const { signal } = (this.#search = new AbortController());
		const { http } = this.desk.api;
		const query = this.#typed;
		const recent = this.asked.recent.filter((one) => !query || ranked(query, [one], (it) => it.question).length > 0);
		const look = (): void => {
			if (signal.aborted) return;
			const options = { params: { query: { limit: MOST, query: query || null } }, signal };
			void quietly(unwrap(http.GET("/api/drafts", options)), (found) => (this.drafts = found.items));
			void quietly(unwrap(http.GET("/api/answers", options)), (found) => {
				const known = new Set(recent.map(({ id }) => id));
				this.answers = [...recent, ...found.items.filter(({ id }) => !known.has(id))].slice(0, MOST);
			});
			if (!query) this.documents = [];
			else {
				const body = { query, limit: MOST, mode: "keyword", as_typed: true, group: "document", filters: ANY } as const;
				void quietly(unwrap(http.POST("/api/search", { body, signal })), (found) => (this.documents = found.items));
			}
		};
		if (query) setTimeout(look, PAUSE);
		else look();
	}
}

function isOfView(command: Command): boolean {
	return command.group !== "anywhere" || command.id.startsWith("answer.");
}

/** What is offered beside: if it cannot be had, it is not offered. */
async function quietly<Data>(call: Promise<Data>, use: (data: Data) => void): Promise<void> {
	const data = await call.catch(() => undefined);
	if (data !== undefined) use(data);
}
