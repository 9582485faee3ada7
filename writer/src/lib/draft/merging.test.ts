import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Reference } from "$lib/citing/models";
import { agreed, mergeRest, mergeTexts } from "./merging";
import { countWords, titleOf } from "./models";

const BASE = "# Herons\n\nThe heron stands in the shallows.\n\nIt eats at dawn.\n";
const TEXT = fc
	.array(fc.constantFrom("heron ", "pond\n", "\n", "dawn 🪶", ". ", "reeds "), { maxLength: 12 })
	.map((w) => w.join(""));

describe("merging texts", () => {
	test("changes of different paragraphs are both there", () => {
		const mine = BASE.replace("stands", "waits");
		const theirs = BASE.replace("at dawn", "at dusk");
		expect(agreed(mergeTexts(BASE, mine, theirs))).toBe(BASE.replace("stands", "waits").replace("at dawn", "at dusk"));
	});

	test("changes of different words of one paragraph are both there", () => {
		const mine = BASE.replace("The heron", "The grey heron");
		const theirs = BASE.replace("in the shallows", "in the reeds");
		expect(agreed(mergeTexts(BASE, mine, theirs))).toContain("The grey heron stands in the reeds.");
	});

	test("two changes of the same words are a conflict that holds both, and all around it is merged", () => {
		const mine = BASE.replace("at dawn", "at noon").replace("# Herons", "# The heron");
		const parts = mergeTexts(BASE, mine, BASE.replace("at dawn", "at dusk"));
		expect(agreed(parts)).toBeNull();
		expect(parts).toContainEqual({ mine: "noon", base: "dawn", theirs: "dusk" });
		expect(parts[0]).toHaveProperty("text", expect.stringContaining("# The heron"));
	});

	test("two paragraphs written at the same place are a conflict, not one of them", () => {
		const parts = mergeTexts(BASE, `${BASE}\nMine.\n`, `${BASE}\nTheirs.\n`);
		expect(JSON.stringify(parts)).toMatch(/Mine.*Theirs/);
	});

	test("what only one changed is that one's", () => {
		fc.assert(
			fc.property(TEXT, TEXT, (base, changed) => {
				expect(agreed(mergeTexts(base, changed, base))).toBe(changed);
				expect(agreed(mergeTexts(base, base, changed))).toBe(changed);
				expect(agreed(mergeTexts(base, changed, changed))).toBe(changed);
			}),
		);
	});

	test("no word that either wrote is gone, whether in conflict or not", () => {
		fc.assert(
			fc.property(TEXT, TEXT, TEXT, (base, mine, theirs) => {
				const parts = mergeTexts(base, mine, theirs);
				const all = parts.map((part) => ("text" in part ? part.text : part.mine + part.theirs)).join("");
				for (const word of new Set(`${mine}${theirs}`.match(/\p{L}+/gu) ?? [])) {
					if (!base.includes(word)) expect(all).toContain(word);
				}
			}),
		);
	});
});

describe("merging the rest", () => {
	const reference = (id: string, title = id): Reference => ({ id, type: "webpage", title });
	const content = (references: Reference[], settings = {}) => ({ text: "", references, settings });

	test("what either added is there, what either took away and the other left alone is not", () => {
		const base = content([reference("a"), reference("b"), reference("c")]);
		const mine = content([reference("b"), reference("c", "changed"), reference("mine")]);
		const theirs = content([reference("a"), reference("theirs")]);
		const ids = mergeRest(base, mine, theirs).references.map((one) => one.id);
		expect(ids).toEqual(["c", "mine", "theirs"]);
	});

	test("settings are merged one by one", () => {
		const { settings } = mergeRest(
			content([], { goal: 1 }),
			content([], { goal: 2 }),
			content([], { goal: 1, language: "da" }),
		);
		expect(settings).toEqual({ goal: 2, language: "da" });
	});
});

test("a title is the first heading, or the first line, without marks", () => {
	expect(titleOf("intro\n\n## The *grey* heron ##\n")).toBe("The grey heron");
	expect(titleOf("\n\n> [Ponds](https://pond.example) at dawn\nmore")).toBe("Ponds at dawn");
	expect(titleOf("")).toBe("");
});

const words = readFileSync(new URL("../../../../tests/data/words.json", import.meta.url), "utf8");
test.each(Object.entries(JSON.parse(words) as Record<string, number>))(
	"%j: words are counted as the server counts them",
	(text, count) => expect(countWords(text)).toBe(count),
);
