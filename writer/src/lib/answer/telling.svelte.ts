import { readProblem, type Problem } from "$lib/api/problems";
import type { ServerEvent } from "$lib/api/sse";
import type { Answer, Numbered } from "./models";

/** `collecting` before an answer is looked for, `looking` until its first word. */
export type Phase = "collecting" | "looking" | "answering" | "done" | "stopped" | "failed";

/**
 * One question, and what is said to it as it comes. Each has an object of its own, and its stream knows no other: what
 * comes late for one can never be told in another.
 */
export abstract class Telling {
	phase = $state<Phase>("looking");
	/** What has been said so far. */
	text = $state("");
	citations = $state.raw<readonly Numbered[]>([]);
	/** The whole, once it is. */
	answer = $state.raw<Answer | null>(null);
	problem = $state.raw<Problem | null>(null);
	readonly goesOn = $derived(this.phase === "collecting" || this.phase === "looking" || this.phase === "answering");

	abstract readonly id: string;
	abstract readonly question: string;
	/** End it here; what was said stays. */
	abstract stop(): void;

	/** Take an event in; whether it was the last. Those of unknown names are for later versions. */
	protected take(event: ServerEvent): boolean {
		switch (event.name) {
			case "citations":
				this.citations = event.data as Numbered[];
				if (this.phase === "collecting") this.phase = "looking";
				return false;
			case "delta":
				this.phase = "answering";
				this.text += (event.data as { text: string }).text;
				return false;
			case "done":
				this.finish(event.data as Answer);
				return true;
			case "error": {
				const { status } = event.data as { status?: unknown };
				this.fail(readProblem(typeof status === "number" ? status : 500, event.data));
				return true;
			}
			default:
				return false;
		}
	}

	/** The answer as it was checked; what was told of it on the way is the same, or less. */
	protected finish(answer: Answer): void {
		this.answer = answer;
		this.text = answer.answer;
		this.citations = answer.citations;
		this.phase = "done";
	}

	protected fail(problem: Problem): void {
		this.problem = problem;
		this.phase = "failed";
	}

	/** Nothing was said yet: it begins, or begins anew. */
	protected begin(phase: Phase): void {
		this.phase = phase;
		this.text = "";
		this.citations = [];
		this.problem = null;
	}
}
