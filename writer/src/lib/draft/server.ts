import { problemOf, type Api } from "$lib/api/client";
import type { Reference } from "$lib/citing/models";
import type { Content, DraftSettings, Saved } from "./models";

/** Why a revision is kept however old it gets. */
export type Mark = "restored" | "merged";

interface Told {
	revision: number;
	text: string;
	bibliography: Reference[];
	settings: DraftSettings;
	trashed_at: string | null;
}

/** Drafts as the server keeps them. A write names the revision it was made from, or is refused (`draft_changed`). */
export class DraftServer {
	constructor(private readonly api: Api) {}

	/** The draft; null when it still is at the revision `known`. */
	async read(id: string, known?: number): Promise<(Saved & { trashed: boolean }) | null> {
		const response = await this.#ask("GET", id, known === undefined ? {} : { "If-None-Match": `"${known}"` });
		if (response.status === 304) return null;
		if (!response.ok) throw await problemOf(response);
		const told = (await response.json()) as Told;
		return {
			revision: told.revision,
			text: told.text.replace(/\r\n?/g, "\n"), // as editors have lines
			references: told.bibliography,
			settings: told.settings,
			trashed: told.trashed_at !== null,
		};
	}

	/** Make it, under an id of ours: again is harmless. */
	async create(id: string, content: Content): Promise<number> {
		const body = { id, text: content.text, bibliography: content.references, settings: content.settings };
		return this.#revision(await this.#ask("POST", null, {}, body));
	}

	/** The revision that it now is. */
	async write(id: string, content: Content, seen: number, mark: Mark | null): Promise<number> {
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

	imageAddress(id: string, name: string): string {
		return this.api.address(`/api/drafts/${id}/images/${encodeURIComponent(name)}`);
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
			init.keepalive = document.hidden && init.body.length < 20_000;
		}
		const address = id === null ? this.#address("").replace(/\/$/, "") : this.#address(id);
		return this.api.fetch(new Request(address, init));
	}

	async #revision(response: Response): Promise<number> {
		if (!response.ok) throw await problemOf(response);
		return ((await response.json()) as Told).revision;
	}
}
