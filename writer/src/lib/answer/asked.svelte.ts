import { createContext } from "svelte";
import { v7 as uuid } from "uuid";
import { unwrap, type Api, type Schemas } from "$lib/api/client";
import { Asking } from "./asking.svelte";

import { Investigating } from "./investigating.svelte";
import { WHOLE_LIBRARY, type Answer, type Scope, type Searched } from "./models";
import type { Telling } from "./telling.svelte";

export type KeptAnswer = Schemas["BackendAnswerOut"];

const STORE = "extrophi.asked";
const REMEMBERED = 20;

/** What was asked in this window: it goes on while one reads elsewhere, and survives a reload, kept or not. */
export class Asked {
	/** Newest first. */
	recent = $state.raw<readonly Asking[]>([]);
	readonly #investigations = new Map<string, Investigating>();
	readonly #end = new AbortController();

	constructor(readonly api: Api) {
		this.recent = remembered();
	}

	ask(question: string, scope: Scope = WHOLE_LIBRARY): Asking {
		const asking = new Asking(uuid(), question, scope);
		this.recent = [asking, ...this.recent];
		void asking.run(this.api).then(() => this.#remember());
		return asking;
	}

	/** Store an investigation. It is told by `follow`. Throws the problem, `ambiguous_target` among them. */
	async investigate(question: string, targets: readonly string[], signal?: AbortSignal): Promise<string> {
		const body: Schemas["NewInvestigation"] = { question, targets: [...targets], limit: 100, scope: "targets" };
		const call = this.api.http.POST("/api/investigations", { body, ...(signal ? { signal } : {}) });
		return ((await unwrap(call)) as Schemas["Accepted"]).id; // by `Accept` it could be a stream, too
	}

	/** The investigation of this id, which is followed from now on. */
	follow(id: string): Investigating {
		const known = this.#investigations.get(id);
		if (known && known.phase !== "failed") return known;
		const investigating = new Investigating(id, this.api);
		this.#investigations.set(id, investigating);
		void investigating.follow(this.#end.signal);
		return investigating;
	}

	/** The answer of this id: one of this window, or one that is kept. Throws the problem. */
	async open(id: string): Promise<Asking> {
		const known = this.recent.find((one) => one.id === id);
		if (known) return known;
		return restored(await unwrap(this.api.http.GET("/api/answers/{id}", { params: { path: { id } } })));
	}

	/** Have the server keep what was said. The same again changes nothing. */
	async keep(telling: Telling): Promise<void> {
		const whole = telling.answer;
		const body = {
			id: telling.id,
			question: telling.question,
			answer: telling.text,
			citations: telling.citations.map((one) => ({ ...one })),
			model: whole?.model ?? "",
			abstained: whole?.abstained ?? false,
			// Of one that was stopped nothing more is known.
			searched: whole ? { ...whole.searched } : {},
		};
		await unwrap(this.api.http.POST("/api/answers", { body }));
		if (telling instanceof Asking) telling.kept = true;
		this.#remember();
	}

	/** No longer kept. In this window it is still there. */
	async remove(asking: Asking): Promise<void> {
		await unwrap(this.api.http.DELETE("/api/answers/{id}", { params: { path: { id: asking.id } } }));
		asking.kept = false;
		if (!this.recent.some((one) => one.id === asking.id)) this.recent = [asking, ...this.recent];
		this.#remember();
	}

	/** Follows nothing any more. */
	close(): void {
		this.#end.abort();
	}

	#remember(): void {
		const told = this.recent.flatMap(({ id, question, scope, answer, kept }) =>
			answer ? [{ id, question, scope, answer, kept } satisfies Remembered] : [],
		);
		try {
			sessionStorage.setItem(STORE, JSON.stringify(told.slice(0, REMEMBERED)));
		} catch {
			// A full or forbidden store: then a reload asks for what is kept only.
		}
	}
}

interface Remembered {
	id: string;
	question: string;
	scope: Scope;
	answer: Answer;
	kept: boolean;
}

function remembered(): Asking[] {
	try {
		const told = JSON.parse(sessionStorage.getItem(STORE) ?? "[]") as Remembered[];
		return told.map((one) => Asking.answered(one.id, one.question, one.scope, one.answer, one.kept));
	} catch {
		return [];
	}
}

/** An answer as it was kept; of one that was stopped before its end, nobody knows what was searched. */
export function restored(kept: KeptAnswer): Asking {
	const { id, question, answer, citations, model, abstained, searched } = kept;
	const whole = {
		answer,
		citations: citations as Answer["citations"],
		model,
		abstained,
		searched: { ...NOTHING_SEARCHED, ...searched },
		degraded: null,
	};
	return Asking.answered(id, question, WHOLE_LIBRARY, whole, true);
}

const NOTHING_SEARCHED: Searched = {
	documents: 0,
	platforms: [],
	published_from: null,
	published_to: null,
	filtered: false,
	as_of: null,
	nearest: [],
};

export const [getAsked, setAsked] = createContext<Asked>();
