import createClient from "openapi-fetch";
import { Problem, readProblem, unreachable } from "./problems";
import type { components, paths } from "./schema";
import { events, type ServerEvent } from "./sse";

export type Schemas = components["schemas"];

/** The way to Extrophi. In the browser it is where the page came from, and a cookie holds what opens it. */
export interface Connection {
	/** What the addresses of requests begin with, without a slash at the end; empty for the page's own origin. */
	base: string;
	/** Asks, where the page cannot by itself: then keys are not the page's to know. Null: it can. */
	ask: ((request: Request) => Promise<Response>) | null;
	/** Where Extrophi is for other programs: a browser, a feed reader. Empty for the page's own origin. */
	readonly outside: string;
	/** By what name this device keeps what was written for it: what is one Extrophi's must not reach another. */
	readonly name: string;
}

/** One Extrophi, over HTTP. Every failure is thrown as a `Problem`; an abort as the signal's own error. */
export class Api {
	/** Typed by OpenAPI: `unwrap(api.http.GET("/api/stats"))`. */
	readonly http;
	/** Told when a key is needed that we do not have, or not any more. */
	onlocked: () => void = () => undefined;

	/** Where all of it is asked for, without a slash at the end. */
	readonly origin: string;

	constructor(readonly connection: Connection) {
		this.origin = connection.base || location.origin;
		this.http = createClient<paths>({
			baseUrl: this.origin,
			fetch: (request: Request) => this.fetch(request),
		});
	}

	/** The address of something that a browser itself fetches: an image, a frame, a link. */
	address(path: string): string {
		return `${this.connection.outside}${path}`;
	}

	/** `fetch`; what the network says becomes a `Problem`. Answers of any status are returned. */
	async fetch(request: Request): Promise<Response> {
		try {
			const response = await (this.connection.ask ?? fetch)(request);
			if (response.status === 401) this.onlocked();
			return response;
		} catch (error) {
			if (request.signal.aborted) throw error;
			throw unreachable();
		}
	}

	/** A stream of server-sent events, by GET or, with a body, POST. */
	async *stream(
		path: string,
		options: { body?: unknown; signal: AbortSignal; after?: string },
	): AsyncGenerator<ServerEvent> {
		const headers = new Headers({ Accept: "text/event-stream" });
		if (options.after) headers.set("Last-Event-ID", options.after);
		const init: RequestInit = { headers, signal: options.signal };
		if (options.body !== undefined) {
			headers.set("Content-Type", "application/json");
			init.method = "POST";
			init.body = JSON.stringify(options.body);
		}
		const response = await this.fetch(new Request(`${this.origin}${path}`, init));
		if (!response.ok || !response.body) throw await problemOf(response);
		yield* events(response.body);
	}
}

/** What a call answered, or its problem thrown. */
export async function unwrap<Data>(call: Promise<{ data?: Data; error?: unknown; response: Response }>): Promise<Data> {
	const { data, error, response } = await call;
	if (error !== undefined || !response.ok) throw readProblem(response.status, error);
	return data as Data;
}

export async function problemOf(response: Response): Promise<Problem> {
	const told: unknown = await response.json().catch(() => null);
	return readProblem(response.status, told);
}
