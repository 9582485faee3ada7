import { expect, test } from "vitest";
import { isQuestion, likelyPlatform, readWish } from "./targets";

test("addresses, names and paths are targets", () => {
	for (const target of [
		"https://holm.example/a?b=1#c",
		"http://127.0.0.1:8080/feed.xml",
		"holm.example/post",
		"www.holm.example",
		"r/selfhosted",
		"u/ida_holm",
		"@ida",
		"/home/ida/reading",
		"C:\\Users\\ida",
	]) {
		expect(readWish(target)).toEqual({ targets: [target], question: "" });
	}
	expect(readWish('"/home/ida/my notes" what now?')).toEqual({
		targets: ["/home/ida/my notes"],
		question: "what now?",
	});
});

test("words are none", () => {
	for (const said of ["and/or", "ida@holm.example", "e.g. this", "it ended.Then", "@", "a / b", "24/7 r/w"]) {
		expect(readWish(said)).toEqual({ targets: [], question: said });
	}
});

test("what is asked is the line without the targets at its ends", () => {
	expect(readWish("r/books, (https://a.example/b): why do people stop reading? @ida")).toEqual({
		targets: ["r/books", "https://a.example/b", "@ida"],
		question: "why do people stop reading?",
	});
	expect(readWish("what does @ida say of it?").question).toBe("what does @ida say of it?");
	expect(readWish("r/books r/books").targets).toEqual(["r/books"]);
});

test("a question ends as one", () => {
	expect(["Why?", "為什麼？", "لماذا؟", "why ? "].every(isQuestion)).toBe(true);
	expect(["Why", "?", ""].some(isQuestion)).toBe(false);
});

test("a platform is known by its looks", () => {
	expect(
		["https://x.com/a", "https://m.youtube.com/@a", "youtu.be/x", "/r/a", "https://netflix.com/a", "@a"].map(
			likelyPlatform,
		),
	).toEqual(["twitter", "youtube", "youtube", "reddit", null, null]);
});
