import { Text } from "@codemirror/state";
import fc from "fast-check";
import { expect, test } from "vitest";
import { lineChanges } from "./setup";

const TEXT = fc
	.array(fc.constantFrom("heron", " ", "\n", "🪶", "e\u0301", "reeds\n"), { maxLength: 30 })
	.map((w) => w.join(""));

test("the changes make the one text of the other", () => {
	fc.assert(
		fc.property(TEXT, TEXT, (before, after) => {
			let text = Text.of(before.split("\n"));
			for (const { from, to, insert } of lineChanges(before, after).reverse()) {
				text = text.replace(from, to, Text.of(insert.split("\n")));
			}
			expect(text.toString()).toBe(after);
		}),
	);
});

test("what stands between two changes stands still", () => {
	const changes = lineChanges("one\nmiddle\nthree\n", "One\nmiddle\nthree!\n");
	expect(changes).toEqual([
		{ from: 0, to: 1, insert: "O" },
		{ from: 16, to: 16, insert: "!" },
	]);
});
