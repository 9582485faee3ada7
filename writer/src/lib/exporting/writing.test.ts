import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Reference } from "$lib/citing/models";
import { typeOf } from "$lib/image";
import { readDocument } from "./document";
import { writeDocx } from "./docx";
import { fileName } from "./filename";
import { esc, htmlBody, htmlPage } from "./html";
import { atStart, escaped, writeMarkdown } from "./markdown";
import { told } from "./notes";
import { resolve } from "./resolve";
import { DRAFT, REFERENCES, STYLE, TEXTS } from "./samples";
import { STYLE as SHEET, STYLE_HASH } from "./style";

const markdown = (text: string, references: readonly Reference[] = REFERENCES) =>
	writeMarkdown(text, references, STYLE, "Bibliography");
const resolved = (text: string) => resolve(readDocument(text, "A draft"), REFERENCES, STYLE);
const html = (text: string) => htmlBody(resolved(text), new Map(), TEXTS);
const notes = (text: string) =>
	resolved(text).notes.map((note) =>
		note.flatMap((block) => ("content" in block ? block.content : [])).map((one) =>
			one.kind === "reference" ? told(one.pieces) : one.kind === "text" ? one.text : "",
		).join(""),
	); // prettier-ignore

const hasPandoc = spawnSync("pandoc", ["--version"]).status === 0;
const pandoc = (text: string, ...options: string[]): string =>
	spawnSync("pandoc", options, { input: text, encoding: "utf8" }).stdout;

describe("notes", () => {
	test("the first of a work is full, those after it short", () => {
		expect(notes("a [@smith2001, p. 5] b [see @smith2001, p. 7; @holm2024phones] c [-@smith2001]")).toEqual([
			"Ann Smith and Jo van Dyk, The Slow Page, Barnes and Noble, 2001, p. 5.",
			"see Smith and van Dyk, The Slow Page, p. 7; Ida Holm, “Why long articles lose on phones”, lantern.example, " +
				"January 16, 2024, https://lantern.example/phones?a=1&b=100%25 (accessed November 2, 2026).",
			"The Slow Page.",
		]);
	});

	test("a work that is part of a sentence is named in it", () => {
		expect(markdown("As @smith2001 [p. 5] say.")).toMatch(/^As Smith and van Dyk\[\^1\] say\./);
	});

	test("in a note a citation is said in brackets: notes have no notes", () => {
		expect(notes("a[^1]\n\n[^1]: See [@smith2001, p. 5].")).toEqual([
			"See (Ann Smith and Jo van Dyk, The Slow Page, Barnes and Noble, 2001, p. 5).",
		]);
		expect(notes("a[^1]\n\n[^1]: See [^1].")).toEqual(["See [^1]."]);
	});

	test("what is not known is left out, and whatever else a reference holds is no harm", () => {
		const odd = {
			id: "odd",
			type: "post",
			author: "x",
			issued: { "date-parts": "x" },
			URL: 7,
			title: null,
		} as unknown as Reference;
		expect(told(STYLE.entry(odd))).toBe("Post. 7.");
		fc.assert(
			fc.property(fc.record({ title: fc.anything(), author: fc.anything(), issued: fc.anything(), accessed: fc.anything() }), (fields) => {
				expect(told(STYLE.entry({ id: "a", type: "webpage", ...fields } as Reference))).not.toMatch(/undefined|NaN|object Object/);
			}),
		); // prettier-ignore
	});
});

describe("Markdown", () => {
	test("is the draft's to the letter, but for what cites", () => {
		const text =
			"---\nx: 1\n---\n\n*a*  \nb [@smith2001]. `[@smith2001]`\n\n| c [@smith2001] |\n|---|\n\n- [@smith2001] d\n";
		expect(
			markdown(text).startsWith(
				"---\nx: 1\n---\n\n*a*  \nb.[^1] `[@smith2001]`\n\n| c[^2] |\n|---|\n\n- [^3] d\n\n## Bibliography\n\n",
			),
		).toBe(true);
		expect(markdown("No citations\n\n")).toBe("No citations\n");
	});

	test("a citation without a reference stays as it is", () => {
		expect(markdown("a [@nobody]")).toBe("a [@nobody]\n");
		expect(markdown("a [@nobody, p. 2; @smith2001]")).toContain("[^1]: \\@nobody, p. 2; Ann Smith");
	});

	test("its notes take no label that is the draft's own", () => {
		expect(markdown("a[^1] [@smith2001]\n\n[^1]: Own")).toContain("a[^1][^2]\n");
	});

	test("the bibliography is a section like the draft's own", () => {
		const level = (text: string) => /^(#+) Bibliography$/m.exec(markdown(`${text}\n\n[@smith2001]`))?.[1]?.length;
		expect([level(""), level("# A"), level("# A\n\n# B"), level("### A"), level("```\n# x\n```\n# A")]).toEqual([
			2, 2, 1, 2, 2,
		]);
	});

	test.runIf(hasPandoc)("Pandoc reads three notes, and each word of a hostile title as a word", () => {
		const text = "a [@rivera2025], @rivera2025 and [@tanaka2023]";
		const tree = pandoc(markdown(text), "-f", "markdown", "-t", "json");
		expect(tree.match(/"t":"Note"/g)).toHaveLength(3);
		expect(tree).not.toMatch(/"t":"(Cite|RawInline|RawBlock|Math)"/);
		expect(pandoc(markdown(text), "-t", "plain", "--wrap=none")).toContain(
			"Reading } on {phones} TY - BOOK @book{x, title={y}} <b>is</b> *hard* & 100 % #1 \\end [@a]",
		);
	});

	const SIGNS = fc.array(fc.constantFrom(..."a1 .-_*`~#[](){}<>@^$&!|\\:\"'+=/\n".split(""), "http://", "--", "...", "&amp;", "🪶", "שלום"), { maxLength: 16 }); // prettier-ignore
	test.runIf(hasPandoc)("whatever was collected stays words, for Pandoc and GitHub", { timeout: 60_000 }, () => {
		const samples = fc.sample(SIGNS, 400).map((parts) => `x${parts.join("")}x`);
		const text = samples.map((sample) => atStart(escaped(sample))).join("\n\n");
		const words = (written: string) => written.replace(/\s+/g, " ").trim();
		for (const format of ["markdown-smart", "gfm"]) {
			const read = pandoc(text, "-f", format, "-t", "json");
			const blocks = (JSON.parse(read) as { blocks: { t: string; c: { t: string; c?: string }[] }[] }).blocks;
			const said = blocks.map(({ t, c }) =>
				t === "Para"
					? c.map((one) => (one.t === "Str" ? one.c : one.t === "Space" ? " " : `<${one.t}>`)).join("")
					: `<${t}>`,
			);
			expect(said).toEqual(samples.map(words));
		}
	});
});

describe("a page", () => {
	test("its policy knows its style", () => {
		expect(STYLE_HASH).toBe(`sha256-${createHash("sha256").update(SHEET).digest("base64")}`);
		expect(htmlPage(resolved(DRAFT), "", "en")).toContain(`<style>${SHEET}</style>`);
	});

	test("has its notes, with ways there and back", () => {
		expect(html("a [@smith2001].")).toContain(
			'a.<sup><a href="#note-1" id="mark-1" role="doc-noteref">1</a></sup></p>',
		);
		expect(html("a [@smith2001].")).toMatch(/<li id="note-1"><p dir="auto">Ann Smith .* 2001\. <a href="#mark-1"/);
	});

	test("links where one may go, and nowhere else", () => {
		expect(
			html("[a](javascript:x) [b](#c) [d](https://e.example/?f=1&g) [h](/etc) ![i](https://j.example/k.png)"),
		).toBe(
			'<main>\n<p dir="auto">a <a href="#c">b</a> <a href="https://e.example/?f=1&amp;g" rel="noopener noreferrer">d</a> h ' +
				'<a href="https://j.example/k.png" rel="noopener noreferrer">i</a></p>\n</main>',
		);
	});

	test("says its title where only the front matter does, and turns where its language does", () => {
		const text = "---\ntitle: A <b>\nauthor: B\nlang: ar\n---\nText";
		expect(html(text)).toContain('<h1 dir="auto">A &lt;b&gt;</h1>\n<p class="by" dir="auto">B</p>');
		expect(htmlPage(resolved(text), "", "en")).toContain('<html lang="ar" dir="rtl">');
	});

	test("nothing that was written is markup", () => {
		fc.assert(
			fc.property(fc.string({ unit: fc.constantFrom(...Array.from("<>&\"'/= ab`")) }), (text) => {
				expect(esc(text)).not.toMatch(/[<>"']/);
			}),
		);
	});
});

describe("files", () => {
	test.each([
		["A/b\\c: d?", "A b c d"],
		["..", "Untitled"],
		["  .hidden. ", "hidden"],
		["CON", "_CON"],
		["a$(rm)`b`\u0000\u202e", "a (rm) b"],
		["שלום 🪶", "שלום 🪶"],
		["x".repeat(300), "x".repeat(80)],
	])("%j is called %j", (title, name) => {
		expect(fileName(title, "Untitled")).toBe(name);
	});

	test("an image is what its first bytes say", () => {
		const bytes = (text: string) => Uint8Array.from(text, (sign) => sign.charCodeAt(0));
		expect(typeOf(bytes("\x89PNG\r\n\x1a\n"))).toBe("image/png");
		expect(typeOf(bytes("RIFF....WEBPVP8 "))).toBe("image/webp");
		expect(typeOf(bytes("<svg onload='x'>"))).toBeNull();
	});

	test("Word's is made of all that a draft has", async () => {
		const bytes = await writeDocx(resolved(DRAFT), new Map(), "Bibliography", "en");
		expect(String.fromCharCode(...bytes.subarray(0, 2))).toBe("PK");
		expect(bytes.length).toBeGreaterThan(5_000);
	});
});
