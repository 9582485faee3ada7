import type { Citation } from "$lib/citing/syntax";
import type { Piece } from "./notes";

/** A draft as all formats read it: what its Markdown says, no longer how it says it. */
export interface Document {
	title: string;
	/** Whether the text says its title itself; else only the front matter does, and a format has to. */
	titled: boolean;
	authors: readonly string[];
	date: string;
	/** A language tag; empty where the draft does not say. */
	language: string;
	blocks: readonly Block[];
	/** The person's own footnotes, by their label. */
	footnotes: ReadonlyMap<string, readonly Block[]>;
}

export type Block =
	| { kind: "heading"; level: number; id: string; content: readonly Inline[] }
	| { kind: "paragraph"; content: readonly Inline[] }
	| { kind: "quote"; blocks: readonly Block[] }
	| { kind: "list"; start: number | null; items: readonly Item[] }
	| { kind: "code"; language: string; text: string }
	| { kind: "table"; align: readonly Align[]; head: readonly Cell[]; rows: readonly (readonly Cell[])[] }
	| { kind: "rule" };

/** `done` is null where the item is no task. */
export interface Item {
	done: boolean | null;
	blocks: readonly Block[];
}

export type Cell = readonly Inline[];
export type Align = "start" | "center" | "end" | null;

export type Inline =
	| { kind: "text"; text: string }
	| { kind: "emphasis" | "strong" | "struck"; content: readonly Inline[] }
	| { kind: "code"; text: string }
	| { kind: "link"; url: string; content: readonly Inline[] }
	| { kind: "image"; name: string; alt: string }
	| { kind: "break" }
	| { kind: "citation"; citation: Citation; written: string }
	| { kind: "footnote"; label: string }
	/** Of a resolved draft only: the mark of a note, and how a reference reads. */
	| { kind: "mark"; number: number }
	| { kind: "reference"; pieces: readonly Piece[] };

/** What is left of inline content when only its words count. */
export function plain(content: readonly Inline[]): string {
	return content
		.map((one) => {
			if (one.kind === "text" || one.kind === "code") return one.text;
			if (one.kind === "image") return one.alt;
			if (one.kind === "break") return " ";
			return "content" in one ? plain(one.content) : "";
		})
		.join("");
}

/** Every inline of some blocks, those inside others too. */
export function* inlinesOf(blocks: readonly Block[]): Generator<Inline> {
	for (const block of blocks) {
		if (block.kind === "quote") yield* inlinesOf(block.blocks);
		else if (block.kind === "list") for (const item of block.items) yield* inlinesOf(item.blocks);
		else if (block.kind === "table") for (const cell of [block.head, ...block.rows].flat()) yield* within(cell);
		else if ("content" in block) yield* within(block.content);
	}
}

function* within(content: readonly Inline[]): Generator<Inline> {
	for (const one of content) {
		yield one;
		if ("content" in one) yield* within(one.content);
	}
}
