import { describe, expect, test } from "vitest";
import { Api } from "$lib/api/client";
import { Evidence, settled, type Found } from "./evidence.svelte";
import { parts, sharedWords } from "./matching";
import type { Hit } from "./models";
import { passageOf, saysEnough } from "./passages";
import { tellingStems } from "$lib/citing/words";
import { cited } from "$lib/citing/examples";

const hit = (id: string, fields: Partial<Hit> = {}): Hit => ({
	document_id: id,
	version: 1,
	chunk_id: id,
	score: 1,
	text: "Herons stand in the shallows at dawn.",
	start: 0,
	end: 37,
	citation: cited({ quote_start: 0, quote_end: 37 }),
	also: [],
	...fields,
});

interface Asked {
	passage: string;
	signal: AbortSignal;
	answer: (ids: string[]) => Promise<void>;
	fail: () => Promise<void>;
}

/** Evidence from a server whose answers come when the test says so. */
class Slow extends Evidence {
	readonly asked: Asked[] = [];

	constructor() {
		super(new Api({ base: "https://extrophi.invalid", ask: null, outside: "", name: "" }));
	}

	protected override enrich(passage: string, signal: AbortSignal): Promise<Found> {
		const settle = async (): Promise<void> => new Promise((done) => setTimeout(done));
		return new Promise<Found>((resolve, reject) => {
			const answer = (ids: string[]): Promise<void> => {
				resolve({ items: ids.map((id) => hit(id)), degraded: null });
				return settle();
			};
			const fail = (): Promise<void> => {
				reject(new Error("away"));
				return settle();
			};
			this.asked.push({ passage, signal, answer, fail });
		});
	}
}

const ids = (evidence: Evidence): string[] => evidence.hits.map(({ chunk_id }) => chunk_id);
const PASSAGE = "Herons stand in shallow water.";

describe("evidence", () => {
	test("is of the last passage, however late the one before is answered", async () => {
		const evidence = new Slow();
		void evidence.find(PASSAGE);
		void evidence.find("Frogs are quiet after the rain.");
		expect(evidence.asked[0]?.signal.aborted).toBe(true);
		await evidence.asked[1]?.answer(["frogs"]);
		await evidence.asked[0]?.answer(["herons"]);
		expect(ids(evidence)).toEqual(["frogs"]);
		expect(evidence.searching).toBe(false);
	});

	test("of the same passage is not asked for again, of too few words not at all", async () => {
		const evidence = new Slow();
		void evidence.find(PASSAGE);
		await evidence.asked[0]?.answer(["herons"]);
		await evidence.find(PASSAGE);
		expect(evidence.asked.length).toBe(1);
		await evidence.find("Too few.");
		expect(evidence.asked.length).toBe(1);
		expect(ids(evidence)).toEqual(["herons"]);
	});

	test("stays when the next cannot be had, and is asked for again at one's word", async () => {
		const evidence = new Slow();
		void evidence.find(PASSAGE);
		await evidence.asked[0]?.answer(["herons"]);
		void evidence.find("Frogs are quiet after the rain.");
		await evidence.asked[1]?.fail();
		expect(evidence.problem?.detail).toBe("away");
		expect(ids(evidence)).toEqual(["herons"]);
		void evidence.retry();
		await evidence.asked[2]?.answer([]);
		expect([evidence.problem, evidence.none]).toEqual([null, true]);
	});

	test("that is selected stays selected while the list changes around it", async () => {
		const evidence = new Slow();
		void evidence.find(PASSAGE);
		await evidence.asked[0]?.answer(["a", "b", "c"]);
		evidence.step(1);
		void evidence.find("Frogs are quiet after the rain.");
		await evidence.asked[1]?.answer(["d", "e", "b"]);
		expect(evidence.selected?.chunk_id).toBe("b");
		evidence.step(1);
		evidence.step(1);
		expect(evidence.selected?.chunk_id).toBe("e");
	});

	test("does not change under one's hands", async () => {
		const evidence = new Slow();
		void evidence.find(PASSAGE);
		await evidence.asked[0]?.answer(["herons"]);
		evidence.attend(true);
		void evidence.find("Frogs are quiet after the rain.");
		await evidence.asked[1]?.answer(["frogs"]);
		expect(ids(evidence)).toEqual(["herons"]);
		evidence.attend(false);
		expect([ids(evidence), evidence.waiting]).toEqual([["frogs"], null]);
	});
});

test("what stays in the list does not move", () => {
	const order = (before: string[], now: string[]): string[] =>
		settled(
			before.map((id) => hit(id)),
			now.map((id) => hit(id)),
		).map(({ chunk_id }) => chunk_id);
	expect(order(["a", "b", "c"], ["c", "d", "a"])).toEqual(["a", "d", "c"]);
	expect(order([], ["b", "a"])).toEqual(["b", "a"]);
	expect(order(["a", "b", "c"], ["c"])).toEqual(["c"]);
	expect(order(["a"], ["x", "y", "a"])).toEqual(["a", "x", "y"]);
});

describe("a hit", () => {
	const text = "🪶 At the pond. Herons stand in the shallows at dawn. They leave by noon.";
	const found = hit("a", { text, start: 100, citation: cited({ quote_start: 115, quote_end: 152 }) });
	const stems = tellingStems("A heron stood at dawn in shallow water by the pond");

	test("shows its quote where it stands, in code points", () => {
		const drawn = parts(found, stems);
		expect(drawn.map((part) => part.text).join("")).toBe(text);
		const quote = drawn.filter(({ isQuote }) => isQuote).map((part) => part.text);
		expect(quote.join("")).toBe("Herons stand in the shallows at dawn.");
		expect(drawn.filter(({ isShared }) => isShared).map((part) => part.text)).toEqual([
			"pond",
			"Herons",
			"shallows",
			"dawn",
		]);
	});

	test("says which words it shares, and which none", () => {
		expect(sharedWords(found, stems)).toEqual(["herons", "shallows", "dawn", "pond"]);
		expect(sharedWords(found, tellingStems("Nothing of the kind is here"))).toEqual([]);
		expect(
			sharedWords(hit("b", { text: "池塘 的 鹭", citation: cited({ quote: "池塘" }) }), tellingStems("我们 池塘")),
		).toContain("池塘");
	});

	test("of a long chunk shows what is around, cut at words", () => {
		const long = `${"before ".repeat(60)}The quote. ${"after ".repeat(60)}`;
		const start = long.indexOf("The");
		const drawn = parts(
			hit("c", { text: long, citation: cited({ quote_start: start, quote_end: start + 10 }) }),
			new Set(),
		);
		const all = drawn.map((part) => part.text).join("");
		expect(all).toMatch(/^… before before .*The quote\. after .* …$/);
		expect(all.length).toBeLessThan(320);
	});
});

describe("a passage", () => {
	test("is its words, without what is cited and how it is set", () => {
		expect(passageOf("> **Herons** stand [@holm2024, p. 3] in [the shallows](https://pond.example) at `dawn`.")).toBe(
			"Herons stand in the shallows at dawn.",
		);
		expect(passageOf("1. One\n2. Two \\@ada")).toBe("One Two @ada");
		expect(passageOf("a ".repeat(9_000)).length).toBeLessThanOrEqual(4_000);
	});

	test("says enough from four words on, in any script", () => {
		expect([
			saysEnough("One two three."),
			saysEnough("One two three four."),
			saysEnough("池塘里的鹭在黎明时分站立"),
		]).toEqual([false, true, true]);
	});
});
