import { expect, test } from "vitest";
import { ranked } from "./ranking";

const NAMES = ["Go to drafts", "Go to the library", "New draft", "History of this draft", "Word goal", "Résumé"];
const find = (typed: string): string[] => ranked(typed, NAMES, (name) => name);

test("a name that begins with it comes first, then one with a word that does, then one that holds it", () => {
	expect(find("go")).toEqual(["Go to drafts", "Go to the library", "Word goal"]);
	expect(find("draft")).toEqual(["Go to drafts", "New draft", "History of this draft"]);
	expect(find("story")).toEqual(["History of this draft"]);
});

test("each word counts, in any order, without capitals and accents", () => {
	expect(find("DRAFT new")).toEqual(["New draft"]);
	expect(find("resume")).toEqual(["Résumé"]);
	expect(find("draft nothing")).toEqual([]);
});

test("first letters do", () => {
	expect(find("gttl")).toEqual(["Go to the library"]);
	expect(find("xq")).toEqual([]);
});
