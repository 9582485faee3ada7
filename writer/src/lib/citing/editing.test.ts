import { expect, test } from "vitest";
import { edited, fieldsOf, readAuthors, readDate, writeAuthors } from "./editing";

test("authors are read as they are written", () => {
	const names = readAuthors("Holm, Ida; @ada ;; The Pond Society, Ltd, Inc");
	expect(names).toEqual([
		{ family: "Holm", given: "Ida" },
		{ literal: "@ada" },
		{ literal: "The Pond Society, Ltd, Inc" },
	]);
	expect(writeAuthors(names)).toBe("Holm, Ida; @ada; The Pond Society, Ltd, Inc");
});

test.each(["2024", "2024-03", "2024-02-29"])("%s is a date", (text) => {
	const dated = edited({ id: "a", type: "book" }, { title: "", author: "", type: "book", issued: text });
	expect(dated && fieldsOf(dated).issued).toBe(text);
});

test.each(["2023-02-29", "2024-13", "March", "2024-00-01", "2024-1-0"])("%s is none", (text) => {
	expect(readDate(text)).toBe(null);
});

test("what is written changes nothing else, and what is emptied goes", () => {
	const reference = {
		id: "a",
		type: "webpage",
		title: "T",
		author: [{ literal: "A" }],
		URL: "https://a.example",
		custom: {},
	};
	const changed = edited(reference, { ...fieldsOf(reference), author: " ", title: "New", type: "book" });
	expect(changed).toEqual({ id: "a", type: "book", title: "New", URL: "https://a.example", custom: {} });
	expect(edited(reference, { ...fieldsOf(reference), issued: "soon" })).toBe(null);
	expect(edited(reference, fieldsOf(reference))).toEqual(reference);
});
