import { describe, expect, it } from "vitest";
import { batches, readTargets, type NamedFile } from "./targets";

describe("targets in what was pasted", () => {
	it("are one a line, each once, without blanks around", () => {
		expect(readTargets("  r/birds \r\n\n@ida\nr/birds\n")).toEqual(["r/birds", "@ida"]);
	});
	it("leave out the comments of a list of addresses", () => {
		expect(readTargets("# two\r\nhttps://a.example/\r\nhttps://b.example/")).toEqual([
			"https://a.example/",
			"https://b.example/",
		]);
	});
	it("are found when several addresses share a line, and kept whole when a path has spaces", () => {
		expect(readTargets("https://a.example/, https://b.example/ http://c.example/")).toHaveLength(3);
		expect(readTargets("/home/ida/my notes")).toEqual(["/home/ida/my notes"]);
	});
});

const file = (size: number): NamedFile => ({ name: "a.txt", file: { size } as File });

describe("files in requests", () => {
	it("are few enough and small enough, and none is left out", () => {
		expect(batches(Array.from({ length: 40 }, () => file(10))).map((one) => one.length)).toEqual([16, 16, 8]);
		expect(batches([file(10), file(60_000_000), file(10)]).map((one) => one.length)).toEqual([1, 1, 1]);
		expect(batches([])).toEqual([]);
	});
});
