/** What went wrong, in words and for programs: RFC 9457, as every component tells it. */
export class Problem extends Error {
	readonly status: number;
	/** For programs: branch on this, never on texts. */
	readonly code: string;
	readonly title: string;
	readonly detail: string;
	readonly hint: string | null;
	/** Members beyond the standard's: `field`, `choices`, `revision` … */
	readonly members: Readonly<Record<string, unknown>>;

	constructor(told: {
		status: number;
		code: string;
		title: string;
		detail: string;
		hint?: string | null;
		members?: Record<string, unknown>;
	}) {
		super(told.detail);
		this.name = "Problem";
		this.status = told.status;
		this.code = told.code;
		this.title = told.title;
		this.detail = told.detail;
		this.hint = told.hint ?? null;
		this.members = told.members ?? {};
	}

	/** Whether the same may work later without anybody changing anything. */
	get passes(): boolean {
		return this.status === 0 || this.status === 429 || this.status >= 502;
	}
}

/** Nobody answered: Extrophi is stopped, or the network is away. */
export function unreachable(): Problem {
	return new Problem({
		status: 0,
		code: "unreachable",
		title: "Extrophi cannot be reached",
		detail: "Nothing answers at Extrophi's address.",
		hint: "Start it with ./extrophi up. What you write is kept on this device until then.",
	});
}

/** A problem as a component told it; of what is none (a proxy's page), one is made from the status. */
export function readProblem(status: number, told: unknown): Problem {
	const members = { ...(typeof told === "object" ? told : null) } as Record<string, unknown>;
	const { title, detail, code, hint } = members;
	return new Problem({
		status,
		code: typeof code === "string" ? code : `http_${status}`,
		title: typeof title === "string" ? title : "It did not work",
		detail: typeof detail === "string" ? detail : `The server answered with status ${status}.`,
		hint: typeof hint === "string" ? hint : null,
		members,
	});
}

/** Whatever was thrown, as a problem. */
export function toProblem(error: unknown): Problem {
	if (error instanceof Problem) return error;
	return new Problem({
		status: -1,
		code: "internal",
		title: "The Writer stumbled",
		detail: error instanceof Error ? error.message : String(error),
		hint: "Your text is kept. Reload the page; if it happens again, tell us what you did.",
	});
}
