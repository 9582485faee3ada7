import { v4 as uuid } from "uuid";
import { unwrap, type Api, type Schemas } from "$lib/api/client";
import { toProblem, type Problem } from "$lib/api/problems";
import { Offsets } from "$lib/offsets";
import type { Colour, Highlight, Mark } from "./marks";
import { anchorsOf, passagesOf, type ReadDocument } from "./passages";
import type { Selected } from "./selecting";

/** Citations that the API takes at once, with room for the one asked for. */
const MOST_CHECKED = 499;

/** What the reader was opened for. Offsets are code points. */
export interface Wanted {
	documentId: string;
	/** Null: the newest. */
	version: number | null;
	start: number | null;
	end: number | null;
}

/** What became of a passage: where it stands in the newest version, or that it does not. */
export type Standing = Schemas["CheckedOut"];

/** A document that is being read, with one's highlights of it. One per reader. */
export class Reading {
	document = $state.raw<ReadDocument | null>(null);
	problem = $state.raw<Problem | null>(null);
	highlights = $state.raw<readonly Highlight[]>([]);
	/** The newest version's number; the one shown until that is known. */
	newest = $state(0);
	/** How the passage asked for stands in the newest version; null while that is not known, or nothing was asked for. */
	standing = $state.raw<Standing | null>(null);
	wanted = $state.raw<Wanted | null>(null);

	readonly offsets = $derived(new Offsets(this.document?.text ?? ""));
	readonly anchors = $derived(this.document ? anchorsOf(this.document, this.offsets) : []);
	readonly passages = $derived(this.document ? passagesOf(this.document, this.offsets) : []);
	readonly isNewest = $derived(!this.document || this.document.version >= this.newest);
	/** The passage that was asked for, in units; null where none was, or it is one of another version. */
	readonly cited = $derived(this.#cited());
	readonly marks = $derived(this.#marks());

	/** The version that the passage asked for is of. */
	#wantedVersion = $state<number | null>(null);
	/** Where highlights of other versions stand in the newest one, by their ids. */
	#moved = $state.raw<ReadonlyMap<string, Standing>>(new Map());
	#current: AbortController | null = null;

	constructor(private readonly api: Api) {}

	/** Open a document. What is there stays until the other has come. */
	async open(wanted: Wanted): Promise<void> {
		this.wanted = wanted;
		this.#wantedVersion = wanted.version;
		[this.newest, this.standing] = [0, null];
		await this.show(wanted.version);
	}

	/** A version of it; null: the newest. */
	async show(version: number | null): Promise<void> {
		this.close();
		if (!this.wanted) return;
		const id = this.wanted.documentId;
		const { signal } = (this.#current = new AbortController());
		this.problem = null;
		try {
			const document = await this.#read(id, version, signal);
			if (signal.aborted) return;
			if (document.id !== this.document?.id) [this.highlights, this.#moved] = [[], new Map()];
			this.document = document;
			this.#wantedVersion ??= document.version;
			this.newest = Math.max(this.newest, document.version);
			await Promise.all([this.#readHighlights(signal), version === null ? null : this.#lookForNewer(signal)]);
			await this.#check(signal);
		} catch (error) {
			if (!signal.aborted) this.problem = toProblem(error);
		}
	}

	close(): void {
		this.#current?.abort();
	}

	async highlight(selected: Selected, colour: Colour): Promise<Highlight> {
		const document = this.document as ReadDocument;
		const { start, end } = selected;
		const body = { id: uuid(), document_id: document.id, version: document.version, start, end, colour };
		return this.#add(await unwrap(this.api.http.POST("/api/highlights", { body: { note: "", ...body } })));
	}

	async change(id: string, change: { note?: string; colour?: Colour }): Promise<void> {
		const changed = await unwrap(
			this.api.http.PATCH("/api/highlights/{id}", {
				params: { path: { id } },
				body: change as Required<typeof change>,
			}),
		);
		this.highlights = this.highlights.map((one) => (one.id === id ? changed : one));
	}

	async remove(id: string): Promise<void> {
		await unwrap(this.api.http.DELETE("/api/highlights/{id}", { params: { path: { id } } }));
		this.highlights = this.highlights.filter((one) => one.id !== id);
	}

	/** A removed one is made again: the same, under its own id. */
	async restore(removed: Highlight): Promise<void> {
		const { id, document_id, version, start, end, note, colour } = removed;
		const body = { id, document_id, version, start, end, note, colour };
		this.#add(await unwrap(this.api.http.POST("/api/highlights", { body })));
	}

	#add(made: Highlight): Highlight {
		this.highlights = [made, ...this.highlights.filter((one) => one.id !== made.id)];
		return made;
	}

	async #read(id: string, version: number | null, signal: AbortSignal): Promise<ReadDocument> {
		const query = version === null ? {} : { version };
		return unwrap(this.api.http.GET("/api/documents/{id}", { params: { path: { id }, query }, signal }));
	}

	async #readHighlights(signal: AbortSignal): Promise<void> {
		const document = this.document as ReadDocument;
		const found: Highlight[] = [];
		let cursor: string | null = null;
		do {
			const query: { document_id: string; limit: number; cursor?: string } = { document_id: document.id, limit: 100 };
			if (cursor) query.cursor = cursor;
			const page: Schemas["Highlights"] = await unwrap(
				this.api.http.GET("/api/highlights", { params: { query }, signal }),
			);
			found.push(...page.items);
			cursor = page.next_cursor;
		} while (cursor);
		if (!signal.aborted) this.highlights = found;
	}

	async #lookForNewer(signal: AbortSignal): Promise<void> {
		const path = { id: (this.document as ReadDocument).id };
		const call = this.api.http.GET("/api/documents/{id}/versions", { params: { path, query: { limit: 1 } }, signal });
		const page = await unwrap(call);
		if (!signal.aborted) this.newest = page.items[0]?.version ?? this.newest;
	}

	/** Where what is of other versions stands in the newest one: the passage asked for, and highlights. */
	async #check(signal: AbortSignal): Promise<void> {
		const { wanted, newest } = this;
		const older = this.highlights.filter((one) => one.version < newest).slice(0, MOST_CHECKED);
		const asked: Schemas["CitedIn"][] = older.map(({ document_id, version, start, end }) => ({
			document_id,
			version,
			start,
			end,
		}));
		const version = this.#wantedVersion ?? newest;
		const isOlder = wanted !== null && wanted.start !== null && wanted.end !== null && version < newest;
		if (isOlder) {
			asked.push({ document_id: wanted.documentId, version, start: wanted.start ?? 0, end: wanted.end ?? 0 });
		}
		if (asked.length === 0) return;
		const { items } = await unwrap(this.api.http.POST("/api/citations/check", { body: { citations: asked }, signal }));
		if (signal.aborted) return;
		this.standing = isOlder ? (items.at(-1) ?? null) : null;
		this.#moved = new Map(older.map((one, n) => [one.id, items[n] as Standing]));
	}

	#cited(): { start: number; end: number } | null {
		const { start = null, end = null } = this.wanted ?? {};
		if (start === null || end === null || !this.document) return null;
		if (this.document.version === this.#wantedVersion) return this.#inUnits(start, end);
		const { standing } = this;
		return standing?.latest_version === this.document.version ? this.#inUnits(standing.start, standing.end) : null;
	}

	#inUnits(start: number | null, end: number | null): { start: number; end: number } | null {
		if (start === null || end === null || start >= end) return null;
		return { start: this.offsets.toUnit(start), end: this.offsets.toUnit(end) };
	}

	#marks(): readonly Mark[] {
		const version = this.document?.version;
		const marks = this.highlights.flatMap((highlight): Mark[] => {
			const moved = this.#moved.get(highlight.id);
			const place = highlight.version === version ? highlight : moved?.latest_version === version ? moved : null;
			const span = place && this.#inUnits(place.start, place.end);
			return span ? [{ ...span, highlight }] : [];
		});
		return this.cited ? [...marks, { ...this.cited, highlight: null }] : marks;
	}
}
