import { expect, test } from "vitest";
import type { Hit } from "./evidence.svelte";
import { shared, sharedWords, surroundings } from "./matching";

const text = "🪶 Herons wait. The grey heron stands in shallows at dawn. Then it flies.";
const quote = "The grey heron stands in shallows at dawn.";
const start = 100 + Array.from(text.slice(0, text.indexOf(quote))).length;
const hit = {
	text,
	start: 100,
	end: 100 + Array.from(text).length,
	citation: { quote, quote_start: start, quote_end: start + quote.length },
} as unknown as Hit;

test("the quote stands in its surroundings, whatever code points are before it", () => {
	expect(surroundings(hit)).toEqual({ before: "🪶 Herons wait. ", quote, after: " Then it flies." });
});

test("long surroundings are cut at words", () => {
	const long = { ...hit, text: `${"heron ".repeat(60)}${quote}`, start: 0 };
	const at = 360;
	const { before } = surroundings({
		...long,
		citation: { ...long.citation, quote_start: at, quote_end: at + quote.length },
	});
	expect(before.length).toBeLessThan(150);
	expect(before).toMatch(/^… heron/);
});

test("words that both have are told, by what they begin with, and short ones are not", () => {
	expect(sharedWords(hit, "At dawn, a heron was standing here")).toEqual(["herons", "heron", "stands", "dawn"]);
	expect(sharedWords(hit, "Birds that fish")).toEqual([]);
	expect(shared("Café in dawn", "CAFE").map((one) => one.text)).toEqual(["Café", " in dawn"]);
});
