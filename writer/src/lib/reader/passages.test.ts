import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codePoints, Offsets } from "$lib/offsets";
import { passagesOf, unfolded, type Place, type ReadDocument } from "./passages";

function make(
	text: string,
	more: { anchors?: [number, Place][]; blocks?: [number, number, number][]; format?: string; author?: string } = {},
): ReadDocument {
	return {
		id: "01a20ce0-0000-7000-8000-000000000000",
		version: 1,
		platform: "web",
		text,
		format: "text",
		author: null,
		anchors: [],
		blocks: [],
		...more,
	} as unknown as ReadDocument;
}

const read = (document: ReadDocument) => passagesOf(document, new Offsets(document.text));
const words = (document: ReadDocument) => read(document).map(({ start, end }) => document.text.slice(start, end));

describe("passages", () => {
	test("a text without blocks is its paragraphs", () => {
		expect(words(make("One.\n\nTwo 🪶,\nstill two.\n \nThree."))).toEqual(["One.", "Two 🪶,\nstill two.", "Three."]);
	});

	test("the signs of a heading are not shown, those of an item are with its words", () => {
		const text = "# Herons\n\n## At dawn\n\n- They stand.\n\nEnd ##";
		const blocks: [number, number, number][] = ["Herons", "At dawn", "They stand.", "End"].map((part, index) => {
			const start = text.indexOf(part);
			return [start, start + part.length, index < 2 ? index + 1 : 0];
		});
		const shown = ["Herons", "At dawn", "- They stand.", "End", "##"];
		expect(words(make(text, { format: "markdown", blocks }))).toEqual(shown);
	});

	test("blocks are counted in code points, and what they leave out is shown, too", () => {
		expect(
			words(
				make("🪶 Herons\n\nLeft out.\n\nStand.", {
					blocks: [
						[0, 8, 1],
						[21, 27, 0],
					],
				}),
			),
		).toEqual(["🪶 Herons", "Left out.", "Stand."]);
	});

	test("Markdown that came without blocks has its headings, and its broken lines flow", () => {
		const [heading, prose, list] = read(
			make("## Herons\n\nThey stand in the shallows\nat dawn.\n\n- one\n- two", { format: "markdown" }),
		);
		expect(heading?.level).toBe(2);
		expect(prose?.flows).toBe(true);
		expect(list?.flows).toBe(false);
	});

	test("comments are a tree: who answers whom is told by their depths", () => {
		const parts = ["Post", "a", "b", "c", "d"];
		const text = parts.join("\n\n");
		const at = (part: string) => text.indexOf(part);
		const passages = read(
			make(text, {
				author: "ida",
				anchors: [
					[0, { author: "ida", url: "https://r.example/" }],
					[at("a"), { author: "x", depth: 0, score: 3 }],
					[at("b"), { author: "y", depth: 1 }],
					[at("c"), { depth: 2, state: "deleted" }],
					[at("d"), { author: "z", depth: 0 }],
				],
			}),
		);
		expect(passages[0]?.voice).toBeNull(); // the document's head says whose words they are
		expect(passages.map(({ voice }) => voice?.replies)).toEqual([undefined, 2, 1, 0, 0]);
		const shown = unfolded(passages, new Set([1])).map(({ start, end }) => text.slice(start, end));
		expect(shown).toEqual(["Post", "a", "d"]);
	});

	test("a page and a second are told once, where they begin", () => {
		const passages = read(
			make("a\n\nb\n\nc", {
				anchors: [
					[0, { page: 1 }],
					[3, { page: 2 }],
					[6, { page: 2, seconds: 61.5 }],
				],
			}),
		);
		expect(passages.map(({ page }) => page)).toEqual([1, 2, null]);
		expect(passages.map(({ seconds }) => seconds)).toEqual([null, null, 61.5]);
	});

	test("a paragraph without end is drawn in parts that never split a character", () => {
		const text = "🪶".repeat(9_000);
		const parts = words(make(text));
		expect(parts.length).toBeGreaterThan(1);
		expect(parts.join("")).toBe(text);
		expect(parts.every((part) => Array.from(part).every((one) => one === "🪶"))).toBe(true);
	});

	test("whatever blocks and anchors say, every character that is no white space is shown once, in order", () => {
		const text = fc
			.array(fc.constantFrom("a", "🪶", " ", "\n", "\n\n", "שלום", "# x", "e\u0301"), { maxLength: 40 })
			.map((parts) => parts.join(""));
		const numbers = fc.array(fc.nat(60), { maxLength: 8 }).map((list) => list.sort((a, b) => a - b));
		fc.assert(
			fc.property(text, numbers, numbers, (given, ends, offsets) => {
				const length = codePoints(given);
				const places = ends.map((end) => Math.min(end, length));
				const blocks = places.slice(1).map((end, n): [number, number, number] => [places[n] ?? 0, end, n % 3]);
				const anchors = offsets.map((at, n): [number, Place] => [Math.min(at, length), { depth: n % 4, author: "x" }]);
				const shown = words(make(given, { blocks, anchors }));
				expect(shown.join("").replaceAll(/\s/g, "")).toBe(given.replaceAll(/\s/g, ""));
			}),
		);
	});
});
