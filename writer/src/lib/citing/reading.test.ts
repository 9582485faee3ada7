import { describe, expect, test } from "vitest";
import { cited } from "./examples";
import { edited, fieldsOf } from "./editing";
import { citeMarkdown } from "./insert";
import { readReferences } from "./reading";
import { ranked } from "./completion";
import { authorsShown, withCited } from "./references";
import { disjoint } from "./disjoint";
import { day } from "./fields";

describe("a bibliography of another program", () => {
	const FOREIGN = [
		{
			id: 7,
			type: "book",
			title: 1984,
			author: [{ family: "Gogh", "non-dropping-particle": "van", given: "Vincent" }],
		},
		{ id: "a", author: "Ada", issued: { raw: "spring 2020" } },
		{ id: "b", type: "book", author: ["Ada", null, { given: "Plato" }], issued: { "date-parts": [["2020", "3"]] } },
		{ id: "c", type: "book", issued: { "date-parts": [] }, custom: { extrophi: { spans: "none" }, zotero: 1 } },
		{ id: "d", type: "book", issued: "2020", custom: [] },
		{ title: "Without an id" },
		"no item",
		null,
	];

	test("is read by all that reads references", () => {
		const read = readReferences(FOREIGN);
		expect(read.map(({ id }) => id)).toEqual(["7", "a", "b", "c", "d", "ndwithout"]);
		expect(read.map(authorsShown)).toEqual(["Vincent van Gogh", "", "Ada, Plato", "", "", ""]);
		expect(read.map((one) => day(one, "issued"))).toEqual([null, null, [2020, 3], null, null, null]);
		expect(ranked(read, "gogh").map(({ id }) => id)).toEqual(["7"]);
		expect(read.map(fieldsOf).map(({ issued }) => issued)).toEqual(["", "", "2020-03", "", "", ""]);
		expect(read[3]?.custom).toEqual({ zotero: 1 });
		expect(citeMarkdown(read, cited()).references).toHaveLength(7);
	});

	test("keeps what nobody touched", () => {
		const [book = null] = readReferences(FOREIGN);
		if (!book) throw new Error("there is a book");
		const now = edited(book, { ...fieldsOf(book), title: "Letters" });
		expect(now).toEqual({ ...book, title: "Letters" });
		const range = { id: "r", type: "book", issued: { "date-parts": [[2020], [2021]] } };
		const [read = null] = readReferences([range]);
		expect(read && edited(read, { ...fieldsOf(read), title: "T" })).toEqual({ ...range, title: "T" });
	});
});

describe("two who made the same id", () => {
	const mine = withCited([], cited({ document_id: "01a20ce0-0000-7000-8000-000000000001" })).references;
	const theirs = withCited([], cited({ document_id: "01a20ce0-0000-7000-8000-000000000002" })).references;

	test("of two documents get two, in the text, too", () => {
		const [id = ""] = theirs.map((one) => one.id);
		expect(mine[0]?.id).toBe(id);
		const text = `Herons wade [see @${id}, p. 3; -@${id}]. \`@${id}\` is code.`;
		const made = disjoint({ text, references: mine }, theirs);
		expect(made.references.map((one) => one.id)).toEqual([`${id}a`]);
		expect(made.text).toBe(`Herons wade [see @${id}a, p. 3; -@${id}a]. \`@${id}\` is code.`);
	});

	test("of one document keep it", () => {
		const written = { text: "[@x]", references: mine };
		expect(disjoint(written, mine)).toBe(written);
	});
});
