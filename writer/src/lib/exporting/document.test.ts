import { describe, expect, test } from "vitest";
import { readDocument } from "./document";
import { readFront } from "./front";
import { DRAFT } from "./samples";
import { inlinesOf, plain, type Block } from "./tree";

const read = (text: string) => readDocument(text, "A draft").blocks;
const first = (text: string): Block | undefined => read(text)[0];
const shown = (text: string): string =>
	[...inlinesOf(read(text))].map((one) => (one.kind === "text" ? one.text : `<${one.kind}>`)).join("");

describe("a draft as a document", () => {
	test("says who wrote it, and what it is called", () => {
		const { title, titled, authors, date, language } = readDocument(DRAFT, "Another");
		expect({ title, titled, authors, date, language }).toEqual({
			title: "What phones do to reading",
			titled: true,
			authors: ["Ida Holm", "Jo van Dyk"],
			date: "2026-11-28",
			language: "en",
		});
	});

	test("is called by its front matter, else as it is called", () => {
		expect(readDocument("---\ntitle: From above\n---\nText", "A draft")).toMatchObject({
			title: "From above",
			titled: false,
		});
		expect(readDocument("Text", "A draft")).toMatchObject({ title: "A draft", titled: true });
	});

	test.each([
		["---\ntitle: [a\n---\nText", "Text"],
		["---\n- a\n---\nText", "Text"],
		["---\na: &a [x]\nb: [*a, *a]\n---\nText", "Text"],
		["---\n\nA rule, no front matter", "---\n\nA rule, no front matter"],
		["---\n---\nText", "Text"],
		["\ufeff---\r\ntitle: x\r\n...\r\nText", "Text"],
	])("front matter of any kind harms nothing: %j", (text, body) => {
		expect(readFront(text).body).toBe(body);
	});

	test("has the blocks of CommonMark and GitHub", () => {
		expect(readDocument(DRAFT, "").blocks.map(({ kind }) => kind)).toEqual(
			"heading paragraph quote heading list list table code paragraph paragraph paragraph rule paragraph".split(" "),
		);
		expect(first("3. a\n4. b")).toMatchObject({ kind: "list", start: 3, items: [{ done: null }, { done: null }] });
		expect(first("- [ ] a\n- [X] b\n- [y] c")).toMatchObject({
			items: [{ done: false }, { done: true }, { done: null }],
		});
		expect(first("|a|b|c|\n|:-|:-:|-:|\n|1|")).toMatchObject({ align: ["start", "center", "end"] });
	});

	test("names its headings as GitHub does, each by a name of its own", () => {
		const ids = read("# A *b* c!\n\n# A b c\n\n# Größe & Ωmega").map((block) => block.kind === "heading" && block.id);
		expect(ids).toEqual(["a-b-c", "a-b-c-1", "größe--ωmega"]);
	});

	test.each([
		["a [@b] `[@c]` \\[@d] me@e.example", "a <citation> <code> [<citation>] me@e.example"],
		["[as @b says](https://a.example)", "<link>as  says<citation>"],
		["[@b](https://a.example)", "<link>https://a.example<citation>"],
		["a<!-- mine -->b<br>c<i>d</i>", "ab<break>c<i>d</i>"],
		["<!-- mine -->", ""],
		["https://a.example/x notes.md", "<link>https://a.example/x notes.md"],
		["a&#0;\u0001\ud83e b", "a\ufffd\ufffd\ufffd b"],
		["![*one* two](images/a%20b.png)", "<image>"],
	])("%j", (text, expected) => {
		expect(shown(text)).toBe(expected);
	});

	test("keeps its footnotes apart, also those written in their place", () => {
		const { footnotes } = readDocument("a[^1] b^[in *place*]\n\n[^1]: One\n\n    Two", "");
		expect([...footnotes.keys()]).toEqual(["1", "^1"]);
		expect(footnotes.get("1")).toHaveLength(2);
		expect(footnotes.get("^1")).toMatchObject([{ kind: "paragraph" }]);
	});

	test("an image's words are its description", () => {
		const [block] = read("![*one* two](x.png)");
		expect(block?.kind === "paragraph" && plain(block.content)).toBe("one two");
	});
});
