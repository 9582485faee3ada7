import { execFileSync, spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blockAt, citationAt, citeMarkdown, escaped, key, quoteMarkdown } from "./insert";
import { cited } from "./examples";
import { findCitations } from "./syntax";

describe("what is put into a draft", () => {
	test("a citation names its reference and its place", () => {
		const made = citeMarkdown([], cited({ deep_link: "https://pond.example/paper.pdf#page=12", platform: "web" }));
		expect(made.markdown).toBe("[@holm2024herons, p. 12]");
		expect(made.references.map(({ id }) => id)).toEqual(["holm2024herons"]);
	});

	test("a quotation is a block with its citation", () => {
		const made = quoteMarkdown([], cited({ quote: "One line.\nAnother.\n\nA paragraph." }));
		expect(made.markdown).toBe("> One line.\n> Another.\n>\n> A paragraph.\n>\n> — [@holm2024herons]");
	});

	test("a post keeps its lines", () => {
		const made = quoteMarkdown([], cited({ platform: "twitter", author: "@ada", quote: "One.\nTwo." }));
		expect(made.markdown).toContain("> One.\\\n> Two.\n>");
	});

	test("collected text does not become ours", () => {
		const quote =
			"# no heading\n[@holm2024herons] and @ada <script>alert(1)</script> ![x](y)\n```\n---\n1. one\n> q\n| a |";
		const { markdown } = quoteMarkdown([], cited({ quote }));
		expect(findCitations(markdown).flatMap(({ items }) => items.map(({ id }) => id))).toEqual(["holm2024herons"]);
		expect(markdown).toContain("> \\# no heading\n> \\[\\@holm2024herons\\] and \\@ada \\<script\\>");
	});

	test("an id that would end too soon is braced", () => {
		expect(["a", "a:b", "a b", "a.", "漢字2024", "https://x.org/"].map(key)).toEqual([
			"@a",
			"@a:b",
			"@{a b}",
			"@{a.}",
			"@漢字2024",
			"@{https://x.org/}",
		]);
	});

	test("a block stands by itself", () => {
		expect(blockAt("", "> q", "")).toBe("> q\n\n");
		expect(blockAt("one", "> q", "two")).toBe("\n\n> q\n\n");
		expect(blockAt("one\n", "> q", "\n")).toBe("\n> q\n");
		expect(blockAt("one\n\n", "> q", "\n\ntwo")).toBe("> q");
	});

	test("a second citation joins the first", () => {
		const at = (before: string): string => {
			const { back, text } = citationAt(before, "[@b, p. 3]");
			return before.slice(0, before.length - back) + text + before.slice(before.length - back);
		};
		expect(at("So")).toBe("So [@b, p. 3]");
		expect(at("So ")).toBe("So [@b, p. 3]");
		expect(at("So (")).toBe("So ([@b, p. 3]");
		expect(at("So [@a]")).toBe("So [@a; @b, p. 3]");
		expect(at("So [see @a, p. 1] ")).toBe("So [see @a, p. 1; @b, p. 3] ");
		expect(at("So [me@a.example]")).toBe("So [me@a.example] [@b, p. 3]");
	});
});

const LINES = fc
	.array(
		fc.oneof(
			fc.constantFrom(..."\\ ` * _ { } [ ] ( ) < > # + - . ! | ~ ^ $ @ & = : % 1 a i A / ;".split(" ")),
			fc.constantFrom(
				" ",
				"word",
				"[@x]",
				"<b>",
				"&amp;",
				"1.",
				"(a)",
				"#.",
				"---",
				"===",
				"~~~",
				"**",
				"a_b",
				"(@)",
				"![",
				"](x)",
			),
		),
		{ minLength: 1, maxLength: 9 },
	)
	.map((parts) => parts.join("").trim())
	.filter((line) => line !== "");

interface Node {
	t: string;
	c?: unknown;
}

/** The text of blocks in which nothing but text may be; else what is there. */
function plain(node: unknown): string {
	if (Array.isArray(node)) return node.map(plain).join("");
	const { t, c } = node as Node;
	if (t === "Str") return c as string;
	if (t === "Space" || t === "SoftBreak") return " ";
	return t === "Para" || t === "Plain" ? plain(c) : `‹${t}›`;
}

test.runIf(spawnSync("pandoc", ["--version"]).status === 0)(
	"Pandoc reads every line as the text that it was",
	() => {
		const lines = fc.sample(LINES, { numRuns: 1_000, seed: 11 });
		const markdown = lines.map((line) => `> ${escaped(line)}`).join("\n\nx\n\n");
		// Without typography, which sets dashes and quotation marks as it likes.
		const json = execFileSync("pandoc", ["-f", "markdown-smart", "-t", "json"], { input: markdown }).toString();
		const blocks = (JSON.parse(json) as { blocks: Node[] }).blocks.filter(({ t }) => t === "BlockQuote");
		expect(blocks.map(({ c }) => plain(c).replace(/[ \u00a0]+/g, " "))).toEqual(
			lines.map((line) => line.replace(/ +/g, " ")),
		);
	},
	60_000,
);
