import type { Schemas } from "$lib/api/client";

/** A hit as a reader sees it: what a citation is made from. */
export type Cited = Schemas["CitationOut"];

/** A passage of a document that the draft cites. Offsets are code points of that version's text. */
export interface Span {
	/** How the text names it after the reference's id, as in `[@holm2024long, para. 3]`; empty where nothing tells. */
	locator: string;
	version: number;
	start: number;
	end: number;
	quote: string;
	/** Where the original shows it; null for what lies on a disk, whose paths are nobody else's to read. */
	deep_link: string | null;
}

/** What we note in a reference, in CSL-JSON's place for such (`custom`), so that other programs keep it. */
export interface Origin {
	document_id: string;
	platform: string;
	/** The address of the part that this is about: a comment, a post that another quotes. Null for the document itself. */
	part: string | null;
	spans: readonly Span[];
}

export type DateParts = { "date-parts": [[number, number?, number?]] };

export type Name = { literal: string } | { family: string; given?: string };

/** An entry of a draft's bibliography: an item of CSL-JSON 1.0.2. Those that we made know where they are from. */
export interface Reference {
	id: string;
	type: string;
	title?: string;
	author?: readonly Name[];
	issued?: DateParts;
	accessed?: DateParts;
	URL?: string;
	publisher?: string;
	"container-title"?: string;
	genre?: string;
	language?: string;
	custom?: { extrophi?: Origin };
	[field: string]: unknown;
}

/** The draft that is open, for those who put something into it. */
export interface OpenDraft {
	readonly id: string;
	readonly references: readonly Reference[];
	/** How often the text cites each id. Counted after a pause in typing. */
	readonly citations: ReadonlyMap<string, number>;
	/** Put Markdown at the cursor, as a step that undo takes back, and what it cites into the bibliography. */
	insert(markdown: string, references: readonly Reference[]): void;
	/** Keep all that was written, and save it if its master is there. */
	save(): Promise<void>;
	/** Cite a passage at the cursor: `[@id, locator]`, the reference made if there is none yet. */
	cite(cited: Cited): void;
	/** Quote it as a block, with its reference. */
	quote(cited: Cited): void;
}
