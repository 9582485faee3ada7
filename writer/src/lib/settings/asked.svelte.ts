import { toProblem, type Problem } from "$lib/api/problems";

/** Something that is asked for, and again when somebody wants it: what came, or why nothing did. */
export class Asked<Value> {
	value = $state.raw<Value | null>(null);
	problem = $state.raw<Problem | null>(null);
	asking = $state(false);
	#current?: AbortController;

	constructor(readonly ask: (signal: AbortSignal) => Promise<Value>) {}

	/** Ask. What came before stays until the answer is there. */
	async load(): Promise<void> {
		this.#current?.abort();
		const { signal } = (this.#current = new AbortController());
		this.asking = true;
		try {
			const value = await this.ask(signal);
			if (!signal.aborted) [this.value, this.problem] = [value, null];
		} catch (error) {
			if (!signal.aborted) this.problem = toProblem(error);
		}
		if (!signal.aborted) this.asking = false;
	}

	stop(): void {
		this.#current?.abort();
	}
}
