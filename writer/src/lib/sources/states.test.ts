import { describe, expect, it } from "vitest";
import { holds, shortTarget, sorted, type Source } from "./states";

const source = (fields: Partial<Source>): Source =>
	({
		title: "",
		target: "",
		typed: "",
		collection: "default",
		state: "collected",
		next_run_at: null,
		...fields,
	}) as Source;
const titles = (sources: Source[]) => sources.map((one) => one.title);

describe("a list of sources", () => {
	const made = [
		source({ title: "b 10", next_run_at: "2026-02-02T00:00:00Z", looked_at: null }),
		source({ title: "B 9", state: "failed", next_run_at: null, looked_at: "2026-01-01T00:00:00Z" }),
		source({ title: "a", state: "paused", next_run_at: "2026-02-01T00:00:00Z", looked_at: "2026-01-02T00:00:00Z" }),
	];
	it("is sorted as asked, and what has no moment comes last", () => {
		expect(titles(sorted(made, "newest"))).toEqual(["b 10", "B 9", "a"]);
		expect(titles(sorted(made, "name"))).toEqual(["a", "B 9", "b 10"]);
		expect(titles(sorted(made, "state"))).toEqual(["B 9", "b 10", "a"]);
		expect(titles(sorted(made, "next"))).toEqual(["a", "b 10", "B 9"]);
		expect(titles(sorted(made, "looked"))).toEqual(["a", "B 9", "b 10"]);
	});
	it("is narrowed by words in any order", () => {
		const one = source({ title: "Grey herons", target: "https://pond.example/" });
		expect(holds(one, "POND grey")).toBe(true);
		expect(holds(one, "")).toBe(true);
		expect(holds(one, "grey storks")).toBe(false);
	});
});

it("a target is shown without what all of its kind have", () => {
	expect(shortTarget("https://www.example.org/blog/")).toBe("example.org/blog");
	expect(shortTarget("https://www.reddit.com/r/birds/new/")).toBe("r/birds");
	expect(shortTarget("/home/ida/notes")).toBe("/home/ida/notes");
});
