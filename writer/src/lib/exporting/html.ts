import { isOutside } from "$lib/shell/shell";
import type { Piece } from "./notes";
import type { Picture } from "./pictures";
import type { Resolved } from "./resolve";
import { STYLE, STYLE_HASH } from "./style";
import type { Block, Inline } from "./tree";

export interface HTMLTexts {
	bibliography: string;
	notes: string;
	/** The way back from a note, for those who cannot see the arrow. */
	back: string;
	done: string;
	open: string;
}

/**
 * A draft as one page that runs nothing and asks nobody, wherever it is opened.
 *
 * Args:
 *     body: What `htmlBody` wrote, after the last gate.
 *     language: Of the texts that are ours, where the draft does not say its own.
 */
export function htmlPage({ document }: Resolved, body: string, language: string): string {
	const { title, authors, date } = document;
	const meta = (name: string, content: string) => (content ? `<meta name="${name}" content="${esc(content)}">\n` : "");
	return `<!doctype html>
<html lang="${esc(document.language || language)}" dir="${isRightToLeft(document.language) ? "rtl" : "ltr"}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '${STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${meta("author", authors.join(", "))}${meta("date", date)}<title>${esc(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

/** The page's content, for the page and for what is copied. */
export function htmlBody(resolved: Resolved, pictures: ReadonlyMap<string, Picture>, texts: HTMLTexts): string {
	const { document, blocks, notes, bibliography } = resolved;
	const writing = new Writing(pictures, texts);
	const parts: string[] = [];
	if (!document.titled && document.title) parts.push(`<h1 dir="auto">${esc(document.title)}</h1>`);
	const by = [document.authors.join(", "), document.date].filter(Boolean).join(" · ");
	// Who and when stand below the title, wherever that comes from.
	const heads = document.titled && blocks[0]?.kind === "heading" ? 1 : 0;
	parts.push(writing.blocks(blocks.slice(0, heads)));
	if (by) parts.push(`<p class="by" dir="auto">${esc(by)}</p>`);
	parts.push(writing.blocks(blocks.slice(heads)));
	if (bibliography.length > 0) {
		const entries = bibliography.map((entry) => `<li dir="auto">${pieces(entry)}</li>`).join("\n");
		parts.push(
			`<section>\n<h2>${esc(texts.bibliography)}</h2>\n<ul class="bibliography">\n${entries}\n</ul>\n</section>`,
		);
	}
	if (notes.length > 0) {
		const written = notes.map((note, n) => `<li id="note-${n + 1}">${writing.note(note, n + 1)}</li>`).join("\n");
		parts.push(`<section class="notes">\n<h2>${esc(texts.notes)}</h2>\n<ol>\n${written}\n</ol>\n</section>`);
	}
	return `<main>\n${parts.filter(Boolean).join("\n")}\n</main>`;
}

class Writing {
	constructor(
		readonly pictures: ReadonlyMap<string, Picture>,
		readonly texts: HTMLTexts,
	) {}

	blocks(blocks: readonly Block[]): string {
		return blocks.map((block) => this.#block(block)).join("\n");
	}

	/** A note, with the way back at the end of its last line. */
	note(note: readonly Block[], number: number): string {
		const back = ` <a href="#mark-${number}" class="back" aria-label="${esc(this.texts.back)}">↩\ufe0e</a>`;
		const written = this.blocks(note);
		return written.endsWith("</p>") ? `${written.slice(0, -4)}${back}</p>` : `${written}<p>${back}</p>`;
	}

	#block(block: Block): string {
		switch (block.kind) {
			case "heading":
				return `<h${block.level} id="${esc(block.id)}" dir="auto">${this.#inlines(block.content)}</h${block.level}>`;
			case "paragraph":
				return `<p dir="auto">${this.#inlines(block.content)}</p>`;
			case "quote":
				return `<blockquote>\n${this.blocks(block.blocks)}\n</blockquote>`;
			case "list": {
				const tag = block.start === null ? "ul" : "ol";
				const start = block.start === null || block.start === 1 ? "" : ` start="${block.start}"`;
				return `<${tag}${start}>\n${block.items.map((item) => this.#item(item)).join("\n")}\n</${tag}>`;
			}
			case "code":
				return `<pre dir="ltr"><code>${esc(block.text)}\n</code></pre>`;
			case "table": {
				const row = (cells: readonly (readonly Inline[])[], tag: string) =>
					`<tr>${cells
						.map((cell, n) => `<${tag} dir="auto"${place(block.align[n])}>${this.#inlines(cell)}</${tag}>`)
						.join("")}</tr>`;
				const rows = block.rows.map((cells) => row(cells, "td")).join("\n");
				return `<div class="table"><table>\n<thead>${row(block.head, "th")}</thead>\n<tbody>${rows}</tbody>\n</table></div>`;
			}
			case "rule":
				return "<hr>";
		}
	}

	#item({ done, blocks }: { done: boolean | null; blocks: readonly Block[] }): string {
		const box =
			done === null
				? ""
				: `<span role="img" aria-label="${esc(done ? this.texts.done : this.texts.open)}">${done ? "☑" : "☐"}</span> `;
		const [first, ...rest] = blocks;
		// Most items are one line; a paragraph in each would draw them apart.
		const inside =
			first?.kind === "paragraph" && rest.every((block) => block.kind === "list")
				? [box + this.#inlines(first.content), this.blocks(rest)].filter(Boolean).join("\n")
				: box + this.blocks(blocks);
		return `<li dir="auto"${done === null ? "" : ' class="task"'}>${inside}</li>`;
	}

	#inlines(content: readonly Inline[]): string {
		return content.map((one) => this.#inline(one)).join("");
	}

	#inline(one: Inline): string {
		switch (one.kind) {
			case "text":
				return esc(one.text);
			case "emphasis":
				return `<em>${this.#inlines(one.content)}</em>`;
			case "strong":
				return `<strong>${this.#inlines(one.content)}</strong>`;
			case "struck":
				return `<s>${this.#inlines(one.content)}</s>`;
			case "code":
				return `<code>${esc(one.text)}</code>`;
			case "break":
				return "<br>\n";
			case "link":
				return link(one.url, this.#inlines(one.content));
			case "image": {
				const picture = this.pictures.get(one.name);
				// One that is elsewhere is not fetched: who opens the page would tell that they do.
				if (!picture) return link(one.name, esc(one.alt || one.name));
				return `<img src="data:${picture.type};base64,${base64(picture.bytes)}" alt="${esc(one.alt)}" width="${picture.width}" height="${picture.height}">`;
			}
			case "mark":
				return `<sup><a href="#note-${one.number}" id="mark-${one.number}" role="doc-noteref">${one.number}</a></sup>`;
			case "reference":
				return pieces(one.pieces);
			case "citation":
			case "footnote":
				return ""; // a resolved draft has none
		}
	}
}

/** Collected words keep their own direction among ours. */
function pieces(told: readonly Piece[]): string {
	return told
		.map(({ text, as }) => {
			if (as === "title") return `<bdi>${esc(text)}</bdi>`;
			if (as === "work") return `<cite><bdi>${esc(text)}</bdi></cite>`;
			return as === "address" ? link(text, esc(text)) : esc(text);
		})
		.join("");
}

/** A link where it leads out or within the page; what else it may be stays text. */
function link(url: string, inside: string): string {
	if (url.startsWith("#")) return `<a href="${esc(decodedFragment(url))}">${inside}</a>`;
	return isOutside(url) ? `<a href="${esc(url)}" rel="noopener noreferrer">${inside}</a>` : inside;
}

function decodedFragment(url: string): string {
	try {
		return decodeURIComponent(url);
	} catch {
		return url;
	}
}

const place = (align: string | null | undefined): string => (align ? ` class="${align}"` : "");

const ESCAPES: Readonly<Record<string, string>> = {
	"&": "&amp;",
	"<": "&lt;",
	">": "&gt;",
	'"': "&quot;",
	"'": "&#39;",
};

export const esc = (text: string): string => text.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? sign);

export function base64(bytes: Uint8Array): string {
	let binary = "";
	// In parts: one call takes some hundred thousand arguments at most.
	for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
	return btoa(binary);
}

export const isRightToLeft = (language: string): boolean =>
	/^(ar|arc|ckb|dv|fa|he|ku-Arab|ps|sd|ug|ur|yi)\b/.test(language) || /-(Arab|Hebr|Syrc|Thaa)\b/.test(language);
