import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codePoints, Offsets, toCodePoint } from "./offsets";

// Letters, combining marks, emoji of one and of several code points, right-to-left text, halves of pairs by themselves.
const TEXTS = fc
	.array(fc.constantFrom("a", "é", "e\u0301", "🪶", "👩‍👩‍👧", "🇩🇰", "שלום", "ا", "\n", "\ud83e", "\udeb6", "漢"), {
		maxLength: 40,
	})
	.map((parts) => parts.join(""));

describe("offsets", () => {
	test("a text's length in code points is Python's", () => {
		expect(codePoints("heron")).toBe(5);
		expect(codePoints("🪶 e\u0301")).toBe(4);
		expect(codePoints("👩‍👩‍👧")).toBe(5);
		expect(codePoints("\ud83e")).toBe(1);
	});

	test("a slice is the one that the code points say", () => {
		fc.assert(
			fc.property(TEXTS, fc.nat(60), fc.nat(60), (text, one, other) => {
				const [start, end] = [Math.min(one, other), Math.max(one, other)];
				expect(new Offsets(text).slice(start, end)).toBe(Array.from(text).slice(start, end).join(""));
			}),
		);
	});

	test("there and back is where one was", () => {
		fc.assert(
			fc.property(TEXTS, fc.nat(60), (text, place) => {
				const offsets = new Offsets(text);
				const codePoint = Math.min(place, codePoints(text));
				expect(offsets.toCodePoint(offsets.toUnit(codePoint))).toBe(codePoint);
				expect(toCodePoint(text, offsets.toUnit(codePoint))).toBe(codePoint);
			}),
		);
	});

	test("a place inside a pair is the pair's start, one outside the text its end", () => {
		const offsets = new Offsets("a🪶b");
		expect(offsets.toCodePoint(2)).toBe(1);
		expect(toCodePoint("a🪶b", 2)).toBe(1);
		expect(offsets.toCodePoint(99)).toBe(3);
		expect(offsets.toUnit(99)).toBe(4);
		expect(offsets.toUnit(-1)).toBe(0);
	});
});
