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
	const citations = [
		cited(1, "a"),
		cited(2, "a"),
		cited(3, "b"),
		cited(4, "c", { author: null, published_at: null, title: "漢字" }),
	];
	const blocks = readMarkdown("So [1][3]. Then [2]. And [4]; a@b.example says \\[9\\].", 4);
	const { markdown, references } = written({ question: "Why?", blocks, citations }, [{ id: "mine", type: "book" }]);
	expect(markdown).toBe(
		"So [@holm2024long; @holm2024long-2]. Then [@holm2024long]. And [@source]; a\\@b.example says \\[9\\].",
	);
	expect(references.map(({ id }) => id)).toEqual(["mine", "holm2024long", "holm2024long-2", "source"]);
	expect(references[1]?.custom?.extrophi?.spans.map(({ start }) => start)).toEqual([1, 2]);
	expect(written({ question: "Why?", blocks, citations }, references)).toEqual({ markdown, references });
});
