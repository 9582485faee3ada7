import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Offsets } from "$lib/offsets";
import { asText, clock, deepLink } from "./citing";
import { spanOf } from "./selecting";

describe("what is selected", () => {
	test("is told in code points, without the white space around it", () => {
		const text = "🪶 The heron\u0301 waits.\n";
		expect(spanOf(new Offsets(text), 2, text.length)).toEqual({ start: 2, end: 19, quote: "The heron\u0301 waits." });
	});

	test("is nothing where only white space is", () => {
		expect(spanOf(new Offsets("a  \n b"), 1, 5)).toBeNull();
	});

	test("takes in a character whose half is selected", () => {
		expect(spanOf(new Offsets("a🪶b"), 0, 2)?.quote).toBe("a🪶");
		expect(spanOf(new Offsets("a🪶b"), 2, 4)?.quote).toBe("🪶b");
	});

	test("is the very text between its offsets, in every script", () => {
		const text = fc
			.array(fc.constantFrom("a", " ", "e\u0301", "🪶", "👩‍👩‍👧", "שלום", "ا", "\n", "漢"), { minLength: 1, maxLength: 30 })
			.map((parts) => parts.join(""));
		fc.assert(
			fc.property(text, fc.nat(60), fc.nat(60), (given, one, other) => {
				const [from, to] = [Math.min(one, other), Math.max(one, other)];
				const found = spanOf(new Offsets(given), from, to);
				if (!found) return;
				expect(Array.from(given).slice(found.start, found.end).join("")).toBe(found.quote);
				expect(found.quote).toBe(found.quote.trim());
				expect(found.quote).toContain(given.slice(from, to).trim());
			}),
		);
	});
});

describe("where a passage is in the original", () => {
	const page = { url: "https://pond.example/herons#top", platform: "web" };

	test("is a comment's own address, a page, a second, or the words themselves", () => {
		expect(deepLink(page, { url: "https://r.example/c/1" }, "x")).toBe("https://r.example/c/1");
		expect(deepLink(page, { page: 12 }, "x")).toBe("https://pond.example/herons#page=12");
		expect(deepLink({ ...page, url: "https://v.example/watch?v=1" }, { seconds: 61.5 })).toBe(
			"https://v.example/watch?v=1&t=61",
		);
		expect(deepLink(page, {}, "grey-blue heron")).toBe("https://pond.example/herons#:~:text=grey%2Dblue%20heron");
		expect(deepLink({ url: null, platform: "files" }, {}, "x")).toBeNull();
	});

	test("halves of pairs break no link", () => {
		expect(deepLink(page, {}, "\ud83e")).toContain("%EF%BF%BD");
	});

	test("times are written as players write them", () => {
		expect([0, 61.5, 3725].map(clock)).toEqual(["0:00", "1:01", "1:02:05"]);
	});

	test("a copied quote says where it is from", () => {
		const cited = {
			quote: "Herons wait.",
			author: "Ida",
			title: "Herons",
			published_at: null,
			deep_link: null,
			url: "https://pond.example/",
		};
		expect(asText(cited as Parameters<typeof asText>[0])).toBe("“Herons wait.”\n— Ida, Herons, https://pond.example/");
	});
});
