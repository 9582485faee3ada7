import { expect, test } from "vitest";
import { written } from "./dropping";
import { readMarkdown } from "./markdown";
import type { Numbered } from "./models";

const cited = (n: number, document_id: string, more: Partial<Numbered> = {}): Numbered => ({
	n,
	document_id,
	version: 1,
	platform: "web",
	external_id: document_id,
	title: "Why long articles lose",
	author: "Ida Hölm",
	published_at: "2024-01-16T00:00:00Z",
	url: `https://holm.example/${document_id}`,
	deep_link: null,
	quote: "So.",
	quote_start: n,
	quote_end: n + 3,
	...more,
});

test("each number is a citation of the draft's, neighbours are one, and one document is one reference", () => {
	const facts = [
		null,
		{ title: "", author: null, published_at: null, collected_at: "", language: null, locator: "p. 3" },
	];
	const citations = [cited(1, "a"), cited(2, "a"), cited(3, "b")];
	const blocks = readMarkdown("So [1][3]. Then [2]; a@b.example says \\[9\\].", 3);
	const { markdown, references } = written({ blocks, citations, facts }, [{ id: "mine", type: "book" }]);
	const [mine, one, other] = references.map(({ id }) => id);
	expect(mine).toBe("mine");
	expect(markdown).toBe(`So [@${one}; @${other}]. Then [@${one}, p. 3]; a\\@b.example says \\[9\\].`);
	expect(references).toHaveLength(3);
	expect(references[1]?.custom?.extrophi?.spans.map(({ start }) => start)).toEqual([1, 2]);
	expect(written({ blocks, citations, facts }, references)).toEqual({ markdown, references });
});
