import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countCited, findCitations } from "./syntax";

/** As Pandoc's own tree would be written: `mode:prefix>id<locator`, `|` between those of one citation. */
const shown = (text: string): string[] =>
	findCitations(text).map(({ items }) =>
		items
			.map(({ id, prefix, locator, inText, suppressesAuthor }) => {
				const mode = inText ? "A" : suppressesAuthor ? "S" : "N";
				return `${mode}:${prefix}>${id}<${locator}`;
			})
			.join("|"),
	);

describe("citations in Markdown", () => {
	test.each([
		["[@a]", ["N:>a<"]],
		["[see @a, p. 3 and more; @b; -@c]", ["N:see>a<p. 3 and more|N:>b<|S:>c<"]],
		["As @a [p. 3] and @b [@c] say.", ["A:>a<p. 3", "A:>b<|N:>c<"]],
		["@{https://x.org/a_(b)}, [@{ab}, p. 3]", ["A:>https://x.org/a_(b)<", "N:>ab<p. 3"]],
		["[@a, at 12:34] [@a, para. 3]", ["N:>a<at 12:34", "N:>a<para. 3"]],
		["@漢字2024 @é @a: @a:b @a-b- @a//b.", ["A:>漢字2024<", "A:>é<", "A:>a<", "A:>a:b<", "A:>a-b<", "A:>a//b<"]],
		["me@pond.example, x.@a, \\@b, `@c`, <d@e.org>, <!-- @f --> <b title='@g'>@h</b>", ["A:>h<"]],
		["[@a](https://a.example) and ![@b](c.png) and [@d]{.e}", ["A:>a<", "A:>b<", "A:>d<"]],
		['https://pond.example/@a and [b](https://pond.example/@c "@d")', []],
		["[see @a; and more] [x [y] @b] [@c, p. [3]] [see [@d]]", ["A:>a<", "N:x [y]>b<", "N:>c<p. [3]", "N:>d<"]],
		["> one [@a,\n> p. 3] two", ["N:>a<p. 3"]],
		["    @a\n\n```\n@b\n```\n\n<div>\n@c\n</div>\n\n# @d\n\n| @e |\n|---|\n| @f |", ["A:>d<", "A:>e<", "A:>f<"]],
		['---\ntitle: x\nnocite: "@a"\n---\n\n@b\n', ["A:>b<"]],
		["Said[^1].\n\n[^1]: @a\n", ["A:>a<"]],
		["[a]: @b\n", []],
		["[@a\n\np. 3]", ["A:>a<"]],
	] as [string, string[]][])("%j", (text, expected) => {
		expect(shown(text)).toEqual(expected);
	});

	test("each is where it says", () => {
		const text = "🪶 One [see @a, p. 3; -@b] and @c [p. 4].";
		const citations = findCitations(text);
		expect(citations.map(({ from, to }) => text.slice(from, to))).toEqual(["[see @a, p. 3; -@b]", "@c [p. 4]"]);
		expect(citations.flatMap(({ items }) => items.map(({ from, to }) => text.slice(from, to)))).toEqual([
			"@a",
			"-@b",
			"@c",
		]);
		expect(countCited(citations)).toEqual(new Map([["a", 1], ["b", 1], ["c", 1]])); // prettier-ignore
	});

	test("whatever the text, they ascend, apart, within it", () => {
		fc.assert(
			fc.property(PARAGRAPHS, (text) => {
				let at = 0;
				for (const { from, to, items } of findCitations(text)) {
					expect(from).toBeGreaterThanOrEqual(at);
					expect(items.length).toBeGreaterThan(0);
					for (const item of items) {
						expect(item.from).toBeGreaterThanOrEqual(from);
						expect(item.to).toBeLessThanOrEqual(to);
						expect(text.slice(item.from, item.to)).toContain(item.id);
					}
					at = to;
				}
			}),
			{ numRuns: 300 },
		);
	});

	test("a long line of brackets costs little", () => {
		const started = performance.now();
		findCitations("[@a ".repeat(3_000));
		expect(performance.now() - started).toBeLessThan(2_000);
	});
});

// No backticks: what a single one of them opens is not the citations' grammar.
const PARTS = "@a @b1 -@c @{d} [ [ ] ] ; , p. 3 ( ) \\@ x . - : see 1".split(" ");
const PARAGRAPHS = fc
	.array(fc.tuple(fc.constantFrom(...PARTS), fc.constantFrom("", " ")), { minLength: 1, maxLength: 12 })
	.map((parts) => `x ${parts.map((pair) => pair.join("")).join("")}`.trim());

interface Node {
	t: string;
	c?: unknown;
}

/** What Pandoc cites in each text, in order: `N:id`. */
function pandoc(texts: readonly string[]): string[][] {
	const folder = mkdtempSync(join(tmpdir(), "citations-"));
	try {
		const files = texts.map((text, n) => {
			const file = join(folder, `${n}.md`);
			writeFileSync(file, text);
			return file;
		});
		// Each file by itself: an open bracket would reach into the next.
		const json = execFileSync("pandoc", ["--file-scope", "-f", "markdown", "-t", "json", ...files]).toString();
		return (JSON.parse(json) as { blocks: Node[] }).blocks.map((block) => cited(block.c));
	} finally {
		rmSync(folder, { recursive: true });
	}
}

function cited(node: unknown): string[] {
	if (Array.isArray(node)) return node.flatMap(cited);
	if (typeof node !== "object" || node === null) return [];
	if ("citationId" in node && "citationMode" in node) {
		const { citationId, citationMode, citationSuffix } = node as Record<string, unknown>;
		return [`${(citationMode as Node).t[0] ?? ""}:${String(citationId)}`, ...cited(citationSuffix)];
	}
	const { t, c } = node as Node;
	// A citation's second part is its own source, as text.
	return t === "Cite" ? cited((c as unknown[])[0]) : cited(c);
}

test.runIf(spawnSync("pandoc", ["--version"]).status === 0)(
	"Pandoc finds the same",
	() => {
		const texts = fc.sample(PARAGRAPHS, { numRuns: 400, seed: 7 });
		const theirs = pandoc(texts);
		const ours = texts.map((text) =>
			findCitations(text).flatMap(({ items }) =>
				items.map(({ id, inText, suppressesAuthor }) => `${inText ? "A" : suppressesAuthor ? "S" : "N"}:${id}`),
			),
		);
		const told = (cited: readonly string[][]): string[] =>
			texts.map((text, n) => `${text} → ${cited[n]?.join() ?? ""}`);
		expect(told(ours)).toEqual(told(theirs));
	},
	60_000,
);
