import type { Api } from "$lib/api/client";
import { Problem, toProblem } from "$lib/api/problems";
import { t } from "$lib/text";
import type { Answer, Scope } from "./models";
import { Telling } from "./telling.svelte";

/** A question to the library. It is told once: who hangs up has what was said until then. */
export class Asking extends Telling {
	/** Whether the server keeps it. */
	kept = $state(false);
	readonly #controller = new AbortController();

	constructor(
		readonly id: string,
		readonly question: string,
		readonly scope: Scope,
	) {
		super();
	}

	/** One that was answered before. */
	static answered(id: string, question: string, scope: Scope, answer: Answer, kept: boolean): Asking {
		const asking = new Asking(id, question, scope);
		asking.finish(answer);
		asking.kept = kept;
		return asking;
	}

	/** To its end, whatever that is. */
	async run(api: Api): Promise<void> {
		const { signal } = this.#controller;
		this.begin("looking");
		try {
			const body = { question: this.question, filters: this.scope.filters, as_of: this.scope.asOf };
			for await (const event of api.stream("/api/answer", { body, signal })) {
				if (signal.aborted || this.take(event)) return;
			}
			if (!signal.aborted) this.fail(cutOff());
		} catch (error) {
			if (!signal.aborted) this.fail(toProblem(error));
		}
	}

	override stop(): void {
		if (!this.goesOn) return;
		this.#controller.abort();
		this.phase = "stopped";
	}
}

function cutOff(): Problem {
	return new Problem({
		status: 502,
		code: "answer_cut_off",
		title: t.answer.cutOff,
		detail: t.answer.cutOff,
		hint: t.answer.cutOffHint,
	});
}
