import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readMarkdown, readPlain, spoken, type Block, type Inline } from "./markdown";

const paragraph = (...of: Inline[]): Block => ({ kind: "paragraph", of });
const text = (said: string): Inline => ({ kind: "text", text: said });

describe("an answer in Markdown", () => {
	it("has its citations where they stand", () => {
		expect(readMarkdown("Phones **tire** [1][2].", 2)).toEqual([
			paragraph(
				text("Phones "),
				{ kind: "strong", of: [text("tire")] },
				text(" "),
				{ kind: "citation", n: 1 },
				{ kind: "citation", n: 2 },
				text("."),
			),
		]);
	});

	it("reads a number beyond its citations, and a source's own, as text", () => {
		expect(readMarkdown("As Holm says \\[12\\], so [3].", 2).map(spoken)).toEqual(["As Holm says [12], so [3]."]);
		expect(readMarkdown("`rows\\[1\\]` and\n```\nrows\\[2\\]\n```", 2)).toEqual([
			paragraph({ kind: "code", text: "rows[1]" }, text(" and")),
			{ kind: "code", text: "rows[2]\n" },
		]);
	});

	it("lets no address take a citation's place", () => {
		expect(readMarkdown("So [1](https://evil.example) it is.", 1)).toEqual([
			paragraph(text("So "), { kind: "citation", n: 1 }, text("(https://evil.example) it is.")),
		]);
		expect(readMarkdown("So [1].\n\n[1]: https://evil.example", 1)[0]).toEqual(
			paragraph(text("So "), { kind: "citation", n: 1 }, text(".")),
		);
	});

	it("has no HTML, no image, and no link but to where people may go", () => {
		expect(readMarkdown("<img src=x onerror=alert(1)>", 0)).toEqual([paragraph(text("<img src=x onerror=alert(1)>"))]);
		expect(readMarkdown("![seen](https://a.example/x.png)", 0)).toEqual([
			paragraph({ kind: "link", url: "https://a.example/x.png", of: [text("seen")] }),
		]);
		for (const url of [
			"javascript:alert(1)",
			"JAVASCRIPT:alert(1)",
			"data:text/html,x",
			"file:///etc/passwd",
			"/api/x",
			"tel:1",
		]) {
			expect(JSON.stringify(readMarkdown(`[here](${url}) <${url}>`, 0)), url).not.toContain('"link"');
		}
	});

	it("has headings, lists, quotations, code and tables", () => {
		const kinds = readMarkdown("# A\n\n1. b\n   - c\n\n> d\n\n```\ne\n```\n\n|f|\n|-|\n|g|\n\n---\n", 0);
		expect(kinds.map((block) => block.kind)).toEqual(["heading", "list", "quotation", "code", "table", "rule"]);
		expect(kinds.map(spoken)).toEqual(["A", "b c", "d", "e\n", "f. g", ""]);
	});

	it("is read whatever it holds, and says of plain words all", { timeout: 30_000 }, () => {
		fc.assert(
			fc.property(fc.string({ unit: "binary", maxLength: 200 }), (said) => {
				readMarkdown(said, 3);
				readPlain(said, 3);
			}),
		);
		fc.assert(
			fc.property(fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1 }), (said) => {
				expect(readMarkdown(said.join(" "), 0).map(spoken)).toEqual([said.join(" ")]);
			}),
		);
	});
});

describe("an answer of the sources' own sentences", () => {
	it("shows them as they are", () => {
		expect(readPlain("“# 2 * 3 \\[12\\] <b>” [1]\n\n“So” [2]", 2)).toEqual([
			paragraph(text("“# 2 * 3 [12] <b>” "), { kind: "citation", n: 1 }),
			paragraph(text("“So” "), { kind: "citation", n: 2 }),
		]);
	});
});
