import { expect, it } from "vitest";
import { partsOf } from "./answers";

it("the numbers of an answer are told from those of its sources", () => {
	expect(partsOf("Herons wait [1]. Ruiz \\[1\\] counted them [2][3]")).toEqual([
		{ text: "Herons wait " },
		{ n: 1 },
		{ text: ". Ruiz [1] counted them " },
		{ n: 2 },
		{ n: 3 },
	]);
	expect(partsOf("")).toEqual([]);
	expect(partsOf("[a] [12")).toEqual([{ text: "[a] [12" }]);
});
