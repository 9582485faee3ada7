import { problemOf, type Api } from "$lib/api/client";
import { readReferences } from "$lib/citing/reading";
import type { Content, DraftSettings, Revision, Saved } from "./models";

/** Why a revision is kept however old it gets. */
export type Mark = "restored" | "merged";

interface Told {
	revision: number;
	text: string;
	bibliography: unknown;
	settings: DraftSettings;
	trashed_at: string | null;
}

/** Where drafts are mastered. A write names the state it was made from, or is refused (`draft_changed`). */
export interface DraftStore {
	/** The draft; null when it still is what `known` was. */
	read(id: string, known?: Revision): Promise<(Saved & { trashed: boolean }) | null>;
	/** Make it, under an id of ours: again is harmless. */
	create(id: string, content: Content): Promise<Revision>;
	/** The state that it now is. */
	write(id: string, content: Content, seen: Revision, mark: Mark | null): Promise<Revision>;
	recover(id: string): Promise<void>;
	/** Keep an image of the draft; its name. */
	putImage(id: string, bytes: Blob): Promise<string>;
	/** An image of the draft; null where there is none of that name. */
	image(id: string, name: string): Promise<Blob | null>;
	/** What an image's `src` is. */
	imageSource(id: string, name: string): Promise<string>;
}

/** Drafts as the server keeps them. */
export class DraftServer implements DraftStore {
	constructor(private readonly api: Api) {}

	async read(id: string, known?: Revision): Promise<(Saved & { trashed: boolean }) | null> {
		const response = await this.#ask("GET", id, known === undefined ? {} : { "If-None-Match": `"${known}"` });
		if (response.status === 304) return null;
		if (!response.ok) throw await problemOf(response);
		const told = (await response.json()) as Told;
		return {
			revision: told.revision,
			text: told.text.replace(/\r\n?/g, "\n"), // as editors have lines
			references: readReferences(told.bibliography),
			settings: told.settings,
			trashed: told.trashed_at !== null,
		};
	}

	async create(id: string, content: Content): Promise<Revision> {
		const body = { id, text: content.text, bibliography: content.references, settings: content.settings };
		return this.#revision(await this.#ask("POST", null, {}, body));
	}

	async write(id: string, content: Content, seen: Revision, mark: Mark | null): Promise<Revision> {
		const body = { text: content.text, bibliography: content.references, settings: content.settings, mark };
		return this.#revision(await this.#ask("PUT", id, { "If-Match": `"${seen}"` }, body));
	}

	async recover(id: string): Promise<void> {
		const response = await this.api.fetch(new Request(this.#address(`${id}/recover`), { method: "POST" }));
		if (!response.ok) throw await problemOf(response);
	}

	async putImage(id: string, bytes: Blob): Promise<string> {
		const headers = { "Content-Type": bytes.type };
		const request = new Request(this.#address(`${id}/images`), { method: "POST", headers, body: bytes });
		const response = await this.api.fetch(request);
		if (!response.ok) throw await problemOf(response);
		return ((await response.json()) as { name: string }).name;
	}

	async image(id: string, name: string): Promise<Blob | null> {
		const response = await this.api.fetch(new Request(this.#address(`${id}/images/${encodeURIComponent(name)}`)));
		if (response.status === 404 || response.status === 422) return null;
		if (!response.ok) throw await problemOf(response);
		return response.blob();
	}

	async imageSource(id: string, name: string): Promise<string> {
		if (!this.api.connection.ask) return this.#address(`${id}/images/${encodeURIComponent(name)}`);
		// The page cannot ask by itself.
		const bytes = await this.image(id, name);
		return bytes ? URL.createObjectURL(bytes) : "";
	}

	#address(path: string): string {
		return `${this.api.origin}/api/drafts/${path}`;
	}

	async #ask(method: string, id: string | null, headers: HeadersInit, body?: unknown): Promise<Response> {
		const init: RequestInit = { method, headers: new Headers(headers), cache: "no-store" };
		if (body !== undefined) {
			(init.headers as Headers).set("Content-Type", "application/json");
			init.body = JSON.stringify(body);
			// Browsers finish this after the page is gone, up to 64 KiB of UTF-8.
			init.keepalive = init.body.length < 20_000;
		}
		const address = id === null ? this.#address("").replace(/\/$/, "") : this.#address(id);
		return this.api.fetch(new Request(address, init));
	}

	async #revision(response: Response): Promise<number> {
		if (!response.ok) throw await problemOf(response);
		return ((await response.json()) as Told).revision;
	}
}
