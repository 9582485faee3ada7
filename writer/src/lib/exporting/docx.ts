import {
	AlignmentType,
	Bookmark,
	BorderStyle,
	CheckBox,
	Document,
	ExternalHyperlink,
	FootnoteReferenceRun,
	HeadingLevel,
	ImageRun,
	InternalHyperlink,
	Packer,
	Paragraph,
	Table,
	TableCell,
	TableRow,
	TextRun,
	WidthType,
	type IParagraphOptions,
	type IRunOptions,
	type ParagraphChild,
} from "docx";
import { isOutside } from "$lib/shell/shell";
import { isRightToLeft } from "./html";
import type { Piece } from "./notes";
import type { Picture } from "./pictures";
import type { Resolved } from "./resolve";
import { Lists, STYLES } from "./docx-styles";
import { plain, type Block, type Cell, type Inline, type Item } from "./tree";

const WIDTH = 600; // px at 96 to the inch: a page of Word's, without its margins
const STEP = 360; // twips (1/20 pt) that one list or quotation is set in
const HEADINGS = Object.values(HeadingLevel).filter((level) => level.startsWith("Heading"));

/**
 * A draft as a Word document: its styles are Word's own, its notes are footnotes.
 *
 * Args:
 *     pictures: As PNG, JPEG or GIF; Word knows no others.
 *     heading: What the bibliography is called.
 *     language: Of what the draft does not say it of.
 */
export async function writeDocx(
	resolved: Resolved,
	pictures: ReadonlyMap<string, Picture>,
	heading: string,
	language: string,
): Promise<Uint8Array<ArrayBuffer>> {
	const { document, blocks, notes, bibliography } = resolved;
	const lists = new Lists();
	const writing = new Writing(pictures, lists);
	const children: (Paragraph | Table)[] = [];
	if (!document.titled && document.title) children.push(words(document.title, { style: "Title" }));
	const by = [document.authors.join(", "), document.date].filter(Boolean).join(" · ");
	children.push(...writing.blocks(blocks, 0));
	const heads = children.length > 0 && (!document.titled || blocks[0]?.kind === "heading");
	if (by) children.splice(heads ? 1 : 0, 0, words(by, { style: "Byline" }));
	if (bibliography.length > 0) {
		children.push(words(heading, { heading: HeadingLevel.HEADING_2 }));
		for (const entry of bibliography) {
			const bidi = isRightToLeftText(entry.map((piece) => piece.text).join(""));
			children.push(new Paragraph({ style: "Bibliography", bidirectional: bidi, children: pieces(entry) }));
		}
	}
	const footnotes = notes.map((note, n) => [n + 1, { children: writing.note(note) }] as const);
	const tag = document.language || language;
	const file = new Document({
		title: document.title,
		creator: document.authors.join("; "),
		lastModifiedBy: document.authors.join("; "),
		description: "",
		styles: STYLES(isRightToLeft(tag) ? { bidirectional: tag } : { value: tag }),
		numbering: { config: lists.config },
		footnotes: Object.fromEntries(footnotes),
		sections: [{ children }],
	});
	return new Uint8Array(await Packer.toArrayBuffer(file));
}

class Writing {
	constructor(
		readonly pictures: ReadonlyMap<string, Picture>,
		readonly lists: Lists,
	) {}

	blocks(blocks: readonly Block[], depth: number, style?: string): (Paragraph | Table)[] {
		return blocks.flatMap((block) => this.#block(block, depth, style));
	}

	/** Word's footnotes hold paragraphs; a table in one is said line by line. */
	note(note: readonly Block[]): Paragraph[] {
		const flat = note.flatMap((block): Block[] => {
			if (block.kind !== "table") return [block];
			const lines = [block.head, ...block.rows].map((row) => row.map(plain).join(" | "));
			return lines.map((line) => ({ kind: "paragraph", content: [{ kind: "text", text: line }] }));
		});
		return this.blocks(flat, 0, "FootnoteText").filter((one) => one instanceof Paragraph);
	}

	#block(block: Block, depth: number, style?: string): (Paragraph | Table)[] {
		const indent = depth > 0 ? { indent: { start: depth * STEP } } : {};
		const plainly: IParagraphOptions = { ...(style ? { style } : {}), ...indent };
		switch (block.kind) {
			case "heading": {
				const level = HEADINGS[block.level - 1] ?? HeadingLevel.HEADING_6;
				const anchor = new Bookmark({ id: anchorOf(block.id), children: this.#inlines(block.content) });
				return [new Paragraph({ heading: level, ...direction(block.content), children: [anchor] })];
			}
			case "paragraph":
				return [this.#paragraph(block.content, plainly)];
			case "quote":
				return block.blocks.flatMap((inner) => this.#block(inner, depth + 1, "Quote"));
			case "list":
				return this.#list(block.start, block.items, depth, style);
			case "code": {
				const lines = block.text.split("\n");
				const children = lines.map((line, n) => new TextRun({ text: line, ...(n > 0 ? { break: 1 } : {}) }));
				return [new Paragraph({ style: "SourceCode", ...indent, children })];
			}
			case "table":
				return [this.#table(block), new Paragraph({ spacing: { after: 0 } })];
			case "rule":
				return [
					new Paragraph({ border: { bottom: { style: BorderStyle.SINGLE, size: 4, space: 1, color: "999999" } } }),
				];
		}
	}

	#paragraph(
		content: readonly Inline[],
		options: IParagraphOptions,
		before: readonly ParagraphChild[] = [],
	): Paragraph {
		return new Paragraph({ ...options, ...direction(content), children: [...before, ...this.#inlines(content)] });
	}

	#list(start: number | null, items: readonly Item[], depth: number, style?: string): (Paragraph | Table)[] {
		const numbering = start === null ? this.lists.bullets(depth) : this.lists.numbers(start, depth);
		return items.flatMap(({ done, blocks }) => {
			const box = done === null ? [] : [new CheckBox({ checked: done }), new TextRun(" ")];
			const [first, ...rest] = blocks;
			const content = first?.kind === "paragraph" ? first.content : [];
			// Without a paragraph to begin with, the item's sign stands alone above what is in it.
			const others = first?.kind === "paragraph" ? rest : blocks;
			const head = this.#paragraph(content, { style: style === "Quote" ? style : "ListParagraph", numbering }, box);
			return [head, ...others.flatMap((block) => this.#block(block, depth + 1, style ?? "ListParagraph"))];
		});
	}

	#table({ align, head, rows }: Extract<Block, { kind: "table" }>): Table {
		const row = (cells: readonly Cell[], header: boolean) =>
			new TableRow({
				tableHeader: header,
				cantSplit: true,
				children: head.map((_, n) => {
					const content = cells[n] ?? [];
					const alignment = ALIGNMENTS[align[n] ?? "start"];
					const paragraph = this.#paragraph(content, { style: header ? "TableHeading" : "TableText", alignment });
					return new TableCell({ children: [paragraph], margins: { left: 100, right: 100 } });
				}),
			});
		return new Table({
			width: { size: 100, type: WidthType.PERCENTAGE },
			rows: [row(head, true), ...rows.map((cells) => row(cells, false))],
		});
	}

	#inlines(content: readonly Inline[], look: IRunOptions = {}): ParagraphChild[] {
		return content.flatMap((one): ParagraphChild[] => {
			switch (one.kind) {
				case "text":
					return runs(one.text.replace(/\n/g, " "), look);
				case "emphasis":
					return this.#inlines(one.content, { ...look, italics: true });
				case "strong":
					return this.#inlines(one.content, { ...look, bold: true });
				case "struck":
					return this.#inlines(one.content, { ...look, strike: true });
				case "code":
					return runs(one.text, { ...look, style: "VerbatimChar" });
				case "break":
					return [new TextRun({ ...look, break: 1 })];
				case "link":
					return link(one.url, this.#inlines(one.content, { ...look, ...LINK(one.url) }));
				case "image":
					return this.#image(one.name, one.alt);
				case "mark":
					return [new FootnoteReferenceRun(one.number)];
				case "reference":
					return pieces(one.pieces, look);
				case "citation":
				case "footnote":
					return []; // a resolved draft has none
			}
		});
	}

	#image(name: string, alt: string): ParagraphChild[] {
		const picture = this.pictures.get(name);
		const type = picture && ({ "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif" } as const)[picture.type];
		if (!picture || !type) return link(name, runs(alt || name, LINK(name)));
		const scale = Math.min(1, WIDTH / picture.width);
		return [
			new ImageRun({
				type,
				data: picture.bytes,
				transformation: { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) },
				altText: { name: alt || name, title: "", description: alt },
			}),
		];
	}
}

const ALIGNMENTS = { start: AlignmentType.START, center: AlignmentType.CENTER, end: AlignmentType.END };

const LINK = (url: string): IRunOptions => (isOutside(url) || url.startsWith("#") ? { style: "Hyperlink" } : {});

function link(url: string, children: ParagraphChild[]): ParagraphChild[] {
	if (url.startsWith("#")) return [new InternalHyperlink({ anchor: anchorOf(fragment(url)), children })];
	return isOutside(url) ? [new ExternalHyperlink({ link: new URL(url).href, children })] : children;
}

function fragment(url: string): string {
	try {
		return decodeURIComponent(url.slice(1));
	} catch {
		return url.slice(1);
	}
}

/** Word's bookmarks begin with a letter, have no spaces, and 40 characters at most. */
const anchorOf = (id: string): string => `h_${id.replace(/[^\p{L}\p{N}_]/gu, "_")}`.slice(0, 40);

function pieces(told: readonly Piece[], look: IRunOptions = {}): ParagraphChild[] {
	return told.flatMap(({ text, as }) => {
		if (as === "address") return link(text, runs(text, { ...look, ...LINK(text) }));
		return runs(text, as === "work" ? { ...look, italics: true } : look);
	});
}

const words = (text: string, options: IParagraphOptions): Paragraph =>
	new Paragraph({ ...options, bidirectional: isRightToLeftText(text), children: runs(text, {}) });

const direction = (content: readonly Inline[]): IParagraphOptions =>
	isRightToLeftText(plain(content)) ? { bidirectional: true } : {};

const RTL = String.raw`[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]`;
const FIRST_STRONG = /\p{L}/u;
const RTL_LETTER = new RegExp(RTL, "u");
/** From one letter of such a script to the last before another script's. */
const RTL_STRETCH = new RegExp(
	String.raw`(${RTL}(?:(?!\p{L}|\p{N})[\s\S]|${RTL}|\p{M})*${RTL}\p{M}*|${RTL}\p{M}*)`,
	"u",
);

/** Whether a text runs from right to left: its first letter says. */
const isRightToLeftText = (text: string): boolean => RTL_LETTER.test(FIRST_STRONG.exec(text)?.[0] ?? "");

/** Word has to be told of each stretch of right-to-left letters. */
function runs(text: string, look: IRunOptions): TextRun[] {
	return text
		.split(RTL_STRETCH)
		.filter(Boolean)
		.map((part) => new TextRun({ ...look, text: part, ...(RTL_LETTER.test(part) ? { rightToLeft: true } : {}) }));
}
