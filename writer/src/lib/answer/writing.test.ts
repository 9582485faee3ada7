import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readMarkdown, readPlain, spoken } from "./markdown";
import type { Numbered } from "./models";
import { escaped, withFootnotes, writeBlocks } from "./writing";

const cite = (numbers: readonly number[]): string => numbers.map((n) => `[${n}]`).join("");

const PIECES = fc
	.array(
		fc.constantFrom(
			..."a|b c|*|**|_|`|``|[|]|(|)|<|>|#|# |- |1. |> |\n|\n\n|\\|[1]|[2]|\\[3\\]|![x](https://a.example)|[x](https://a.example)|@x|[@x]|$1$|~~|---|&amp;|<b>|| y ||\n|-|\n".split(
				"|",
			),
		),
		{ maxLength: 30 },
	)
	.map((parts) => parts.join(""));

describe("an answer written again", () => {
	it("says what it said", () => {
		const said =
			"# Why\n\nPhones **tire** [1][2], *they* say:\n\n1. one\n2. two\n   - deeper\n\n> so\n\n```\nx[1]\n```\n\n| a | b |\n| --- | --- |\n| c | d |";
		expect(writeBlocks(readMarkdown(said, 2), cite)).toBe(said);
	});

	it("is read as the same again, whatever it holds", { timeout: 30_000 }, () => {
		fc.assert(
			fc.property(PIECES, (said) => {
				const once = readMarkdown(said, 2);
				const words = (text: string): string => readMarkdown(text, 2).map(spoken).join(" ").replace(/\s+/g, "");
				expect(words(writeBlocks(once, cite))).toBe(once.map(spoken).join(" ").replace(/\s+/g, ""));
			}),
			{ numRuns: 500 },
		);
	});

	it("keeps a source's marks as text", () => {
		const said = "“# Not *a* <script>heading</script> [@evil] $1 ![](https://a.example/x.png)” [1]";
		const written = writeBlocks(readPlain(said, 1), cite);
		expect(written).toContain("\\[\\@evil\\]");
		expect(readMarkdown(written, 1).map(spoken)).toEqual([said.slice(0, -4)]);
		expect(escaped("# 1\n2")).toBe("# 1 2");
	});

	it("has its sources as footnotes", () => {
		const cited = (n: number): Numbered => ({
			n,
			document_id: "d",
			version: 1,
			platform: "web",
			external_id: "e",
			title: "Long *articles*",
			author: "M. Holm",
			published_at: "2024-03-01T12:00:00Z",
			url: "https://holm.example/1",
			deep_link: n === 2 ? "javascript:alert(1)" : null,
			quote: "They stop.",
			quote_start: 0,
			quote_end: 10,
		});
		expect(withFootnotes(readMarkdown("So [1]. And [2].", 3), [cited(1), cited(2), cited(3)])).toBe(
			"So [^1]. And [^2].\n\n" +
				"[^1]: M. Holm, *Long \\*articles\\**, Web, Mar 1, 2024. <https://holm.example/1> “They stop.”\n\n" +
				"[^2]: M. Holm, *Long \\*articles\\**, Web, Mar 1, 2024. “They stop.”\n",
		);
	});
});
