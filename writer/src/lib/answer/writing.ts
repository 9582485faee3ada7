/** An answer as Markdown again, for a draft or the clipboard: what the tree holds and nothing else, its words escaped. */
import { isOutside } from "$lib/shell/shell";
import { day, t } from "$lib/text";
import { readMarkdown, readPlain, type Block, type Inline } from "./markdown";
import { EXTRACTIVE, type Answer, type Numbered } from "./models";

/** What stands for citations next to each other, `[1][2]`. */
export type Cite = (numbers: readonly number[]) => string;

/**
 * What was said, as a tree.
 *
 * @param answer The whole, once it is known: what no chat model wrote is the sources' own sentences. Why there is no answer
 * is told in Markdown.
 */
export function read(text: string, citations: number, answer: Pick<Answer, "model" | "abstained"> | null): Block[] {
	const plain = answer?.model === EXTRACTIVE && !answer.abstained;
	return plain ? readPlain(text, citations) : readMarkdown(text, citations);
}

export function writeBlocks(blocks: readonly Block[], cite: Cite): string {
	return blocks.map((block) => writeBlock(block, cite)).join("\n\n");
}

/** An item of a list: what is listed below it follows at once, so that the list stays a close one. */
function writeItem(item: readonly Block[], cite: Cite): string {
	return item
		.map((block, n) => (n === 0 ? "" : block.kind === "list" ? "\n" : "\n\n") + writeBlock(block, cite))
		.join("");
}

function writeBlock(block: Block, cite: Cite): string {
	switch (block.kind) {
		case "paragraph":
			return atLineStart(write(block.of, cite));
		case "heading":
			return `${"#".repeat(block.level)} ${write(block.of, cite)}`;
		case "list":
			return block.items
				.map((item, n) => {
					const mark = block.start === null ? "- " : `${block.start + n}. `;
					return mark + indented(writeItem(item, cite), " ".repeat(mark.length));
				})
				.join("\n");
		case "quotation":
			return `> ${writeBlocks(block.of, cite).replaceAll("\n", "\n> ")}`;
		case "code": {
			const fence = longerThan(block.text, 3);
			return `${fence}\n${block.text.replace(/\n$/, "")}\n${fence}`;
		}
		case "table": {
			const [head = [], ...rows] = block.rows.map((row) => row.map((cell) => write(cell, cite)));
			return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
		}
		case "rule":
			return "---";
	}
}

function indented(text: string, by: string): string {
	return text.replace(/\n(?=.)/g, `\n${by}`);
}

function write(inline: readonly Inline[], cite: Cite): string {
	let written = "";
	for (let at = 0; at < inline.length; at++) {
		const one = inline[at] as Inline;
		if (one.kind !== "citation") {
			written += writeInline(one, cite);
			continue;
		}
		const numbers = [one.n];
		for (let next = inline[at + 1]; next?.kind === "citation"; next = inline[++at + 1]) numbers.push(next.n);
		written += cite(numbers);
	}
	return written;
}

function writeInline(one: Exclude<Inline, { kind: "citation" }>, cite: Cite): string {
	switch (one.kind) {
		case "text":
			return escaped(one.text);
		case "code": {
			const fence = longerThan(one.text, 1);
			const pad = /^`|`$/.test(one.text) ? " " : "";
			return `${fence}${pad}${one.text}${pad}${fence}`;
		}
		case "strong":
			return `**${write(one.of, cite)}**`;
		case "emphasis":
			return `*${write(one.of, cite)}*`;
		case "struck":
			return `~~${write(one.of, cite)}~~`;
		case "link":
			return `[${write(one.of, cite)}](<${one.url.replace(/[<>\\\s]/g, encodeURIComponent)}>)`;
		case "break":
			return "\\\n";
	}
}

/** So many backticks that none within are taken for the end. */
function longerThan(text: string, least: number): string {
	const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
	return "`".repeat(Math.max(least, longest + 1));
}

/** A text that stays text in Markdown, CommonMark's and Pandoc's: no mark-up, no HTML, no citation, no formula. */
export function escaped(text: string): string {
	return text
		.replace(/[\\`*[\]<>~^$@|]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|&(?=#?\w+;)|!(?=\[|$)/gu, "\\$&")
		.replace(/\s*\n\s*/g, " ");
}

/** What would begin a heading, a list, a quotation or a table at a line's start does not. */
function atLineStart(text: string): string {
	return text.replace(/^(\s*)([#+=:%-])/, "$1\\$2").replace(/^(\s*\d{1,9})([.)])(?=\s|$)/, "$1\\$2");
}

/** The answer with its sources as footnotes. */
export function withFootnotes(blocks: readonly Block[], citations: readonly Numbered[]): string {
	const used = new Set<number>();
	const text = writeBlocks(blocks, (numbers) =>
		numbers
			.map((n) => {
				used.add(n);
				return `[^${n}]`;
			})
			.join(""),
	);
	const notes = citations.filter(({ n }) => used.has(n)).map((one) => `[^${one.n}]: ${footnote(one)}`);
	return [text, ...notes].join("\n\n") + "\n";
}

function footnote(cited: Numbered): string {
	const link = cited.deep_link ?? cited.url;
	const parts = [
		cited.author && escaped(cited.author),
		`*${escaped(cited.title || t.common.untitled)}*`,
		t.common.platforms[cited.platform] ?? escaped(cited.platform),
		day(cited.published_at),
	];
	const head = parts.filter(Boolean).join(", ");
	const address = link && isOutside(link) ? ` <${link.replace(/[<>\s]/g, encodeURIComponent)}>` : "";
	return `${head}.${address} “${escaped(cited.quote.trim())}”`;
}
