import type { Reference } from "$lib/citing/models";
import type { Citation } from "$lib/citing/syntax";
import { ended, joined, text, type Piece, type Style } from "./notes";
import type { Block, Document, Inline } from "./tree";

/** A draft whose citations and footnotes have become numbered notes: what HTML and Word are written from. */
export interface Resolved {
	document: Document;
	blocks: readonly Block[];
	/** The first is number 1. */
	notes: readonly (readonly Block[])[];
	bibliography: readonly (readonly Piece[])[];
	/** The references of the bibliography, in its order. */
	cited: readonly Reference[];
	/** Ids that are cited, and no reference has. */
	missing: readonly string[];
}

/** Which references a draft has cited so far, and what each citation of them says. */
export class Citing {
	readonly #byId: ReadonlyMap<string, Reference>;
	readonly #cited = new Set<Reference>();
	/** Ids that the draft cites and its bibliography lacks. */
	readonly missing = new Set<string>();

	constructor(
		references: readonly Reference[],
		readonly style: Style,
	) {
		this.#byId = new Map(references.map((reference) => [reference.id, reference]));
	}

	/** In order of the style. */
	get cited(): Reference[] {
		return [...this.#cited].sort((one, other) => this.style.compare(one, other));
	}

	/** What a citation's note says. Null where none of its references is known: then it stays as it was written. */
	note(citation: Citation): Piece[] | null {
		const parts = citation.items.map((item) => {
			const reference = this.#byId.get(item.id);
			if (!reference) {
				this.missing.add(item.id);
				return [
					text([item.prefix, `@${item.id}`].filter(Boolean).join(" ")),
					text(item.locator && `, ${item.locator}`),
				];
			}
			const again = this.#cited.has(reference);
			this.#cited.add(reference);
			return this.style.note(reference, item, again);
		});
		return citation.items.some((item) => this.#byId.has(item.id)) ? joined(parts, "; ") : null;
	}

	/** What stands in the sentence where a citation is part of it; nothing else. */
	name(citation: Citation): Piece[] {
		const first = citation.items[0];
		const reference = first?.inText && !first.suppressesAuthor ? this.#byId.get(first.id) : undefined;
		return reference ? this.style.name(reference) : [];
	}
}

export function resolve(document: Document, references: readonly Reference[], style: Style): Resolved {
	const resolving = new Resolving(document, new Citing(references, style));
	const blocks = resolving.blocks(document.blocks);
	const { cited, missing } = resolving.citing;
	const bibliography = cited.map((reference) => style.entry(reference));
	return { document, blocks, notes: resolving.notes, bibliography, cited, missing: [...missing] };
}

class Resolving {
	readonly notes: Block[][] = [];
	#inNote = false;

	constructor(
		readonly document: Document,
		readonly citing: Citing,
	) {}

	blocks(blocks: readonly Block[]): Block[] {
		return blocks.map((block) => {
			switch (block.kind) {
				case "heading":
				case "paragraph":
					return { ...block, content: this.#inlines(block.content) };
				case "quote":
					return { ...block, blocks: this.blocks(block.blocks) };
				case "list": {
					const items = block.items.map((item) => ({ ...item, blocks: this.blocks(item.blocks) }));
					return { ...block, items };
				}
				case "table": {
					const head = block.head.map((cell) => this.#inlines(cell));
					return { ...block, head, rows: block.rows.map((row) => row.map((cell) => this.#inlines(cell))) };
				}
				default:
					return block;
			}
		});
	}

	#inlines(content: readonly Inline[]): Inline[] {
		const written: Inline[] = [];
		/** The sign after a note's mark, which goes before it. */
		let moved = 0;
		for (const [n, one] of content.entries()) {
			if (one.kind === "text" && moved > 0) written.push({ ...one, text: one.text.slice(moved) });
			else if (one.kind === "footnote") written.push(...this.#footnote(one.label));
			else if (one.kind === "citation") {
				const after = content[n + 1];
				const said = this.#citation(one.citation, one.written);
				const sign = isMark(said) ? signAfter(after?.kind === "text" ? after.text : "") : "";
				if (isMark(said)) closeUp(written, sign);
				written.push(...said);
				moved = sign.length;
				continue;
			} else written.push("content" in one ? { ...one, content: this.#inlines(one.content) } : one);
			moved = 0;
		}
		return written;
	}

	#citation(citation: Citation, written: string): Inline[] {
		const name = this.citing.name(citation);
		const note = this.citing.note(citation);
		if (!note) return [{ kind: "text", text: written }];
		const before: Inline[] = name.length > 0 ? [{ kind: "reference", pieces: name }] : [];
		// A note has no notes of its own: there a citation is said in brackets.
		const [open, close] = [text(name.length > 0 ? " (" : "("), text(")")];
		if (this.#inNote) return [...before, { kind: "reference", pieces: [open, ...note, close] }];
		this.notes.push([{ kind: "paragraph", content: [{ kind: "reference", pieces: ended(note) }] }]);
		return [...before, { kind: "mark", number: this.notes.length }];
	}

	#footnote(label: string): Inline[] {
		const footnote = this.document.footnotes.get(label);
		if (this.#inNote || !footnote) return [{ kind: "text", text: `[^${label}]` }];
		const note: Block[] = [];
		this.notes.push(note); // its number is taken before what it cites is looked at
		const number = this.notes.length;
		this.#inNote = true;
		note.push(...this.blocks(footnote));
		this.#inNote = false;
		return [{ kind: "mark", number }];
	}
}

const isMark = (said: readonly Inline[]): boolean => said.length === 1 && said[0]?.kind === "mark";

/** The sign that a note's mark goes behind: “so it was [@holm2024].” reads “so it was.¹” */
export const signAfter = (text: string): string => /^[.,;:!?]/.exec(text)?.[0] ?? "";

/** No space before a note's mark, but the sign that came after it. */
function closeUp(written: Inline[], sign: string): void {
	const last = written.pop();
	if (last?.kind === "text") written.push({ ...last, text: last.text.trimEnd() + sign });
	else written.push(...(last ? [last] : []), ...(sign ? [{ kind: "text" as const, text: sign }] : []));
}
