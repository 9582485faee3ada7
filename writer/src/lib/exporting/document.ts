import MarkdownIt, { type StateInline, type Token } from "markdown-it";
import footnotes from "markdown-it-footnote";
import { findCitations, type Citation } from "$lib/citing/syntax";
import { readFront } from "./front";
import { printable } from "$lib/printable";
import { plain, type Align, type Block, type Cell, type Document, type Inline, type Item } from "./tree";

/**
 * A draft's Markdown, read: CommonMark with GitHub's tables, tasks and strikethrough, Pandoc's footnotes and citations.
 *
 * HTML in a draft is text like any other, except that comments are nobody's but the writer's and `<br>` breaks the line.
 *
 * Args:
 *     title: The draft's name, where its text says no title itself.
 */
export function readDocument(text: string, title: string): Document {
	const { front, body } = readFront(text);
	const env = {};
	const reading = new Reading(markdown.parse(body, env));
	const blocks = reading.blocks();
	const first = blocks[0];
	const named = first?.kind === "heading" && first.level === 1 ? plain(first.content).trim() : "";
	return {
		title: printable(named || front.title || title).trim(),
		titled: named !== "" || !front.title,
		authors: front.authors.map(printable),
		date: printable(front.date),
		language: front.language,
		blocks,
		footnotes: reading.footnotes,
	};
}

const markdown = new MarkdownIt({ html: true, linkify: true }).use(footnotes);
// Only what is plainly an address becomes a link: `notes.md` is a file's name, not a site in Moldova.
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
// What may be opened is decided where a link is written, in one place for all formats; here every link is read.
markdown.validateLink = () => true;
// Before links: `[@holm2024](…)` is rare, `[@holm2024]` is not a link's name.
markdown.inline.ruler.before("link", "citation", readCitation);

/** The citations of the inline text that is being read; markdown-it reads each text from its start to its end. */
let known: { text: string; citations: ReadonlyMap<number, Citation> } = { text: "", citations: new Map() };

function readCitation(state: StateInline, silent: boolean): boolean {
	if (known.text !== state.src) {
		const found = findCitations(state.src).map((citation) => [citation.from, citation] as const);
		known = { text: state.src, citations: new Map(found) };
	}
	const citation = known.citations.get(state.pos);
	if (!citation || citation.to > state.posMax) return false;
	if (!silent) {
		const token = state.push("citation", "", 0);
		token.meta = { citation };
		token.content = state.src.slice(citation.from, citation.to);
	}
	state.pos = citation.to;
	return true;
}

/** A list of tokens, from first to last, becoming a tree. */
class Reading {
	readonly footnotes = new Map<string, readonly Block[]>();
	readonly #ids = new Set<string>();
	#at = 0;

	constructor(readonly tokens: readonly Token[]) {}

	/** The blocks up to the token that closes what they are in. */
	blocks(closing?: string): Block[] {
		const blocks: Block[] = [];
		for (let token = this.#next(); token && token.type !== closing; token = this.#next()) {
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
			case "heading_open": {
				const content = this.#inlines("heading_close");
				return { kind: "heading", level: Number(token.tag.slice(1)), id: this.#idOf(plain(content)), content };
			}
			case "paragraph_open": {
				const content = this.#inlines("paragraph_close");
				return content.length > 0 ? { kind: "paragraph", content } : null;
			}
			case "blockquote_open":
				return { kind: "quote", blocks: this.blocks("blockquote_close") };
			case "bullet_list_open":
				return { kind: "list", start: null, items: this.#items("bullet_list_close") };
			case "ordered_list_open":
				return {
					kind: "list",
					start: Number(token.attrGet("start") ?? 1),
					items: this.#items("ordered_list_close"),
				};
			case "fence":
			case "code_block":
				return {
					kind: "code",
					language: /^[\w+#.-]*/.exec(token.info.trim())?.[0] ?? "",
					text: printable(token.content.replace(/\n$/, "")),
				};
			case "table_open":
				return this.#table();
			case "hr":
				return { kind: "rule" };
			case "html_block": {
				const text = printable(withoutComments(token.content)).trim();
				return text ? { kind: "paragraph", content: [{ kind: "text", text }] } : null;
			}
			case "footnote_block_open":
				this.#footnotes();
				return null;
			default:
				return null;
		}
	}

	#inlines(closing: string): Inline[] {
		let content: Inline[] = [];
		for (let token = this.#next(); token && token.type !== closing; token = this.#next()) {
			// The way back from a footnote is each format's own.
			if (token.type === "inline") content = new Line(token.children ?? []).inlines();
		}
		return content;
	}

	#items(closing: string): Item[] {
		const items: Item[] = [];
		for (let token = this.#next(); token && token.type !== closing; token = this.#next()) {
			if (token.type === "list_item_open") items.push(task(this.blocks("list_item_close")));
		}
		return items;
	}

	#table(): Block {
		const align: Align[] = [];
		const rows: Cell[][] = [];
		for (let token = this.#next(); token && token.type !== "table_close"; token = this.#next()) {
			if (token.type === "tr_open") rows.push([]);
			if (token.type !== "th_open" && token.type !== "td_open") continue;
			if (token.type === "th_open") align.push(alignment(String(token.attrGet("style") ?? "")));
			rows.at(-1)?.push(this.#inlines(token.type.replace("open", "close")));
		}
		return { kind: "table", align, head: rows[0] ?? [], rows: rows.slice(1) };
	}

	#footnotes(): void {
		for (let token = this.#next(); token && token.type !== "footnote_block_close"; token = this.#next()) {
			if (token.type === "footnote_open") this.footnotes.set(labelOf(token), this.blocks("footnote_close"));
		}
	}

	/** A heading's name in links, as GitHub makes it. */
	#idOf(text: string): string {
		const slug = text
			.trim()
			.toLowerCase()
			.replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "")
			.replace(/ /g, "-");
		let id = slug;
		for (let n = 1; this.#ids.has(id); n++) id = `${slug}-${n}`;
		this.#ids.add(id);
		return id;
	}
}

/** The inline tokens of one text. */
class Line {
	#at = 0;

	constructor(readonly tokens: readonly Token[]) {}

	inlines(closing?: string): Inline[] {
		const content: Inline[] = [];
		for (let token = this.tokens[this.#at++]; token && token.type !== closing; token = this.tokens[this.#at++]) {
			content.push(...this.#inline(token));
		}
		return content;
	}

	#inline(token: Token): Inline[] {
		switch (token.type) {
			case "text":
			case "text_special":
				return token.content ? [{ kind: "text", text: printable(token.content) }] : [];
			case "softbreak":
				return [{ kind: "text", text: "\n" }];
			case "hardbreak":
				return [{ kind: "break" }];
			case "code_inline":
				return [{ kind: "code", text: printable(token.content) }];
			case "em_open":
				return [{ kind: "emphasis", content: this.inlines("em_close") }];
			case "strong_open":
				return [{ kind: "strong", content: this.inlines("strong_close") }];
			case "s_open":
				return [{ kind: "struck", content: this.inlines("s_close") }];
			case "link_open":
				return this.#link(String(token.attrGet("href") ?? ""));
			case "image":
				return [
					{
						kind: "image",
						name: decoded(String(token.attrGet("src") ?? "")),
						alt: printable(plain(new Line(token.children ?? []).inlines())),
					},
				];
			case "html_inline": {
				if (/^<br\s*\/?>$/i.test(token.content)) return [{ kind: "break" }];
				const text = printable(withoutComments(token.content));
				return text ? [{ kind: "text", text }] : [];
			}
			case "citation":
				return [
					{
						kind: "citation",
						citation: token.meta?.citation as Citation,
						written: printable(token.content),
					},
				];
			case "footnote_ref":
				return [{ kind: "footnote", label: labelOf(token) }];
			default:
				return [];
		}
	}

	/** A link; what leads elsewhere by itself cannot be inside it, and follows it. */
	#link(url: string): Inline[] {
		const content = this.inlines("link_close");
		const leads = (one: Inline) => one.kind === "citation" || one.kind === "footnote";
		const words = content.filter((one) => !leads(one));
		const shown: Inline[] = words.length > 0 ? words : [{ kind: "text", text: printable(url) }];
		return [{ kind: "link", url, content: shown }, ...content.filter(leads)];
	}
}

/** A footnote written in its place, `^[…]`, has a number and no label. */
function labelOf({ meta }: Token): string {
	const { label, id } = (meta ?? {}) as { label?: string; id?: number };
	return label ?? `^${id ?? ""}`;
}

const withoutComments = (html: string): string => html.replace(/<!--[\s\S]*?(-->|$)/g, "");

function alignment(style: string): Align {
	if (style.includes("center")) return "center";
	if (style.includes("right")) return "end";
	return style.includes("left") ? "start" : null;
}

/** An item that begins with `[ ]` or `[x]` is a task. */
function task(blocks: readonly Block[]): Item {
	const [first, ...rest] = blocks;
	if (first?.kind !== "paragraph") return { done: null, blocks };
	const [text, ...others] = first.content;
	const box = text?.kind === "text" ? /^\[([ xX])\][ \n]/.exec(text.text) : null;
	if (text?.kind !== "text" || !box) return { done: null, blocks };
	const content: Inline[] = [{ kind: "text", text: text.text.slice(box[0].length) }, ...others];
	return { done: box[1] !== " ", blocks: [{ kind: "paragraph", content }, ...rest] };
}

/** markdown-it writes addresses percent-encoded; an image's name is what the person wrote. */
function decoded(address: string): string {
	try {
		return decodeURI(address);
	} catch {
		return address;
	}
}
