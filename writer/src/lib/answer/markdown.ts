/**
 * What an answer says, as a tree of few kinds.
 *
 * A chat model writes Markdown, and it has read what strangers wrote: nothing of it becomes HTML, no image is asked for,
 * and a link is one only to where people may go. Its citations `[n]` are read before links are: `[1](https://…)` and
 * `[1]: https://…` stay a citation, and text.
 */
import MarkdownIt, { type Token } from "markdown-it";
import { isOutside } from "$lib/shell/shell";

export type Inline =
	| { kind: "text" | "code"; text: string }
	| { kind: "citation"; n: number }
	| { kind: "strong" | "emphasis" | "struck"; of: readonly Inline[] }
	| { kind: "link"; url: string; of: readonly Inline[] }
	| { kind: "break" };

export type Block =
	| { kind: "paragraph"; of: readonly Inline[] }
	| { kind: "heading"; level: number; of: readonly Inline[] }
	| { kind: "list"; start: number | null; items: readonly (readonly Block[])[] }
	| { kind: "quotation"; of: readonly Block[] }
	| { kind: "code"; text: string }
	| { kind: "table"; rows: readonly (readonly (readonly Inline[])[])[] }
	| { kind: "rule" };

const CITATION = /\[(\d{1,3})\]/y;
/** A source's own bracketed number, as research marks it; where nothing is escaped, the marks themselves are no text. */
const SOURCES_OWN = /\\\[([^[\]\\]{1,60})\\\]/g;

// Without underlined headings and indented code: of a text that is still coming, each begins as something else.
const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false })
	.disable(["reference", "lheading", "code"])
	.use((parser) =>
		parser.inline.ruler.before("link", "citation", (state, silent) => {
			CITATION.lastIndex = state.pos;
			const found = CITATION.exec(state.src);
			if (!found) return false;
			if (!silent) state.push("citation", "", 0).content = found[1] ?? "";
			state.pos += found[0].length;
			return true;
		}),
	);

/**
 * The blocks of an answer in Markdown.
 *
 * @param citations How many citations there are: a number beyond them is text.
 */
export function readMarkdown(text: string, citations: number): Block[] {
	return new Reader(markdown.parse(text, {}), citations).blocks();
}

/** The paragraphs of an answer made of the sources' own sentences: an asterisk in them is one. */
export function readPlain(text: string, citations: number): Block[] {
	return text.split(/\n{2,}/).map((paragraph) => ({
		kind: "paragraph",
		of: paragraph
			.split(/(?<!\\)(\[\d{1,3}\])/)
			.filter((part) => part !== "")
			.map((part) => {
				const n = Number(/^\[(\d+)\]$/.exec(part)?.[1]);
				return n >= 1 && n <= citations ? { kind: "citation", n } : { kind: "text", text: unmarked(part) };
			}),
	}));
}

function unmarked(text: string): string {
	return text.replace(SOURCES_OWN, "[$1]");
}

/** What is read aloud: the words, without their citations. */
export function spoken(block: Block): string {
	switch (block.kind) {
		case "paragraph":
		case "heading":
			return words(block.of);
		case "list":
			return block.items.flat().map(spoken).join(" ");
		case "quotation":
			return block.of.map(spoken).join(" ");
		case "code":
			return block.text;
		case "table":
			return block.rows.map((row) => row.map(words).join(", ")).join(". ");
		case "rule":
			return "";
	}
}

function words(inline: readonly Inline[]): string {
	return inline
		.map((one, at) => {
			if (one.kind === "citation" || one.kind === "break") return one.kind === "break" ? " " : "";
			if ("of" in one) return words(one.of);
			// “So [1].” is read as “So.”, not as “So .”.
			return inline[at + 1]?.kind === "citation" ? one.text.trimEnd() : one.text;
		})
		.join("");
}

/** Walks markdown-it's flat list of opening and closing tokens. */
class Reader {
	#at = 0;

	constructor(
		readonly tokens: readonly Token[],
		readonly citations: number,
	) {}

	/** Up to the closing token, or the end. */
	blocks(until?: string): Block[] {
		const blocks: Block[] = [];
		for (let token = this.#next(); token && token.type !== until; token = this.#next()) {
			const block = this.#block(token);
			if (block) blocks.push(block);
		}
		return blocks;
	}

	#next(): Token | undefined {
		return this.tokens[this.#at++];
	}

	#block(token: Token): Block | null {
		switch (token.type) {
			case "paragraph_open":
				return { kind: "paragraph", of: this.#inline("paragraph_close") };
			case "heading_open":
				return { kind: "heading", level: Number(token.tag.slice(1)), of: this.#inline("heading_close") };
			case "blockquote_open":
				return { kind: "quotation", of: this.blocks("blockquote_close") };
			case "bullet_list_open":
				return { kind: "list", start: null, items: this.#items("bullet_list_close") };
			case "ordered_list_open":
				return { kind: "list", start: Number(token.attrGet("start") ?? 1), items: this.#items("ordered_list_close") };
			case "fence":
				return { kind: "code", text: unmarked(token.content) };
			case "table_open":
				return { kind: "table", rows: this.#rows() };
			case "hr":
				return { kind: "rule" };
			default:
				return null;
		}
	}

	#inline(until: string): Inline[] {
		const found: Inline[] = [];
		for (let token = this.#next(); token && token.type !== until; token = this.#next()) {
			found.push(...new InlineReader(token.children ?? [], this.citations).read());
		}
		return found;
	}

	#items(until: string): Block[][] {
		const items: Block[][] = [];
		for (let token = this.#next(); token && token.type !== until; token = this.#next()) {
			if (token.type === "list_item_open") items.push(this.blocks("list_item_close"));
		}
		return items;
	}

	#rows(): Inline[][][] {
		const rows: Inline[][][] = [];
		for (let token = this.#next(); token && token.type !== "table_close"; token = this.#next()) {
			if (token.type === "tr_open") rows.push([]);
			else if (token.type === "th_open") rows.at(-1)?.push(this.#inline("th_close"));
			else if (token.type === "td_open") rows.at(-1)?.push(this.#inline("td_close"));
		}
		return rows;
	}
}

const MARKS = { strong_open: "strong", em_open: "emphasis", s_open: "struck" } as const;

class InlineReader {
	#at = 0;

	constructor(
		readonly tokens: readonly Token[],
		readonly citations: number,
	) {}

	read(): Inline[] {
		const found: Inline[] = [];
		for (;;) {
			const token = this.tokens[this.#at++];
			if (!token || token.nesting < 0) return found;
			found.push(...this.#read(token));
		}
	}

	#read(token: Token): readonly Inline[] {
		switch (token.type) {
			case "text":
				return token.content === "" ? [] : [{ kind: "text", text: token.content }];
			case "citation": {
				const n = Number(token.content);
				return [n >= 1 && n <= this.citations ? { kind: "citation", n } : { kind: "text", text: `[${token.content}]` }];
			}
			case "code_inline":
				return [{ kind: "code", text: unmarked(token.content) }];
			case "softbreak":
				return [{ kind: "text", text: " " }];
			case "hardbreak":
				return [{ kind: "break" }];
			case "image":
				return linked(of(token, "src"), [{ kind: "text", text: token.content || of(token, "src") }]);
			case "link_open":
				return linked(of(token, "href"), this.read());
			case "strong_open":
			case "em_open":
			case "s_open":
				return [{ kind: MARKS[token.type], of: this.read() }];
			default:
				return token.content === "" ? [] : [{ kind: "text", text: token.content }];
		}
	}
}

function of(token: Token, attribute: string): string {
	return String(token.attrGet(attribute) ?? "");
}

/** A link where its address may be opened; else what it says alone. */
function linked(url: string, of: readonly Inline[]): readonly Inline[] {
	return isOutside(url) ? [{ kind: "link", url, of }] : of;
}
