import { plugins } from "@citation-js/core";
import "@citation-js/plugin-bibtex";
import "@citation-js/plugin-ris";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Reference } from "$lib/citing/models";
import { writeBibTeX } from "./bibtex";
import { writeCSL } from "./csl";
import { writeRIS } from "./ris";
import { REFERENCES } from "./samples";

// Another program's readers, not ours.
const bibtex = (text: string) =>
	plugins.input.chain(text, { generateGraph: false, forceType: "@biblatex/text" }) as Read[];
const ris = (text: string) => plugins.input.chain(text, { generateGraph: false, forceType: "@ris/file" }) as Read[];
interface Read {
	type: string;
	title?: string;
	author?: unknown;
	URL?: string;
	accessed?: unknown;
	[field: string]: unknown;
}
const HOSTILE = "Reading } on {phones} TY - BOOK @book{x, title={y}} <b>is</b> *hard* & 100 % #1 \\end [@a]";

describe("BibTeX", () => {
	test("another program reads each work once, as what it is", () => {
		const read = bibtex(writeBibTeX(REFERENCES));
		expect(read.map(({ type }) => type)).toEqual([
			"webpage",
			"webpage",
			"motion_picture",
			"article-journal", // it does not look at `entrysubtype`, as Pandoc does
			"book",
			"book",
		]);
		expect(read.map((one) => one["citation-key"] ?? one.id)).toEqual(REFERENCES.map(({ id }) => id));
		expect(read[2]).toMatchObject({ title: "読書の時間 🪶", URL: "https://www.youtube.com/watch?v=abc_123" });
		expect(read[0]).toMatchObject({ accessed: { "date-parts": [[2026, 11, 2]] }, URL: REFERENCES[0]?.URL });
		expect(read[3]).toMatchObject({ author: [{ family: "حداد", given: "ليلى" }] });
	});

	test("Zotero's types: a web page, and a video recording", () => {
		const types = [...writeBibTeX(REFERENCES).matchAll(/^@(\w+)\{/gm)].map((found) => found[1]);
		expect(types).toEqual(["online", "online", "video", "article", "book", "book"]);
	});

	test("whatever a title holds, it ends where its field does", () => {
		const SIGNS = fc.array(fc.constantFrom(..."a {}\\%#$&_~^\"@,=\n".split(""), "@book{x,", "}}\n", "\u2028"), { maxLength: 20 }); // prettier-ignore
		fc.assert(
			fc.property(SIGNS, (parts) => {
				const written = writeBibTeX([{ id: "a", type: "post", title: parts.join(""), URL: "https://a.example/}{" }]);
				let depth = 0;
				// BibTeX counts braces behind backslashes, too.
				for (const sign of written) {
					depth += sign === "{" ? 1 : sign === "}" ? -1 : 0;
					expect(depth).toBeGreaterThanOrEqual(0);
				}
				expect(depth).toBe(0);
				expect(written.trimEnd().split("\n").filter((line) => !/^(@online\{a,|\t\w+ = \{.*\},?|\})$/.test(line))).toEqual([]);
			}),
		); // prettier-ignore
	});

	test("keys are the ids, without what keys may not hold, each once", () => {
		const keys = (...ids: string[]) =>
			[...writeBibTeX(ids.map((id) => ({ id, type: "book" }))).matchAll(/\{([^,]*),/g)].map((found) => found[1]);
		expect(keys("holm2024", "漢字2024", "a b", "a,b", "https://x.example/{1}")).toEqual(
			["holm2024", "漢字2024", "a_b", "a_b_2", "https://x.example/_1_"],
		); // prettier-ignore
	});
});

describe("RIS", () => {
	test("another program reads each work once, as what it is", () => {
		const read = ris(writeRIS(REFERENCES));
		expect(read.map(({ type }) => type)).toEqual([
			"post-weblog",
			"webpage",
			"motion_picture",
			"article-newspaper",
			"book",
			"book",
		]);
		expect(read[1]).toMatchObject({ title: HOSTILE, URL: "https://x.com/rivera/status/1" });
		expect(read[2]).toMatchObject({ title: "読書の時間 🪶", accessed: { "date-parts": [[2026, 11, 2]] } });
	});

	test("a value is one line, whatever it holds", () => {
		const LINES = fc.array(fc.constantFrom("a", "\n", "\r", "\u0085", "\u2028", "\u2029", "\f", "TY  - BOOK", "ER  - "), { maxLength: 12 }); // prettier-ignore
		fc.assert(
			fc.property(LINES, (parts) => {
				const title = parts.join("");
				const written = writeRIS([{ id: "a", type: "post", title, author: [{ literal: title }], URL: title }]);
				expect(written.match(/^TY {2}- /gm)).toHaveLength(1);
				expect(written.match(/^ER {2}- /gm)).toHaveLength(1);
				expect(written.split("\r\n").filter((line) => line && !/^[A-Z][A-Z0-9] {2}- .*$/.test(line))).toEqual([]);
			}),
		);
	});

	test("a file without an address is unpublished, not a journal's article", () => {
		expect(writeRIS([{ id: "a", type: "document", title: "A" }])).toMatch(/^TY {2}- UNPD\r\n/);
	});
});

describe("CSL-JSON", () => {
	test("is what the draft has, with or without what only Extrophi reads", () => {
		const [holm] = REFERENCES as [Reference, ...Reference[]];
		const other = { ...holm, custom: { ...holm.custom, short_id: "x" } } as Reference;
		expect(JSON.parse(writeCSL([holm], true))).toEqual([holm]);
		expect(JSON.parse(writeCSL([holm], false))).toEqual([{ ...holm, custom: undefined }]);
		expect(JSON.parse(writeCSL([other], false))).toMatchObject([{ custom: { short_id: "x" } }]);
	});
});
