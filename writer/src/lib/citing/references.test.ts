import { describe, expect, test } from "vitest";
import { at, factsOf } from "./facts";
import { cited, facts } from "./examples";
import { newId } from "./ids";
import type { Reference } from "./models";
import { spansAt } from "./passages";
import { citedAs, merged, withCited } from "./references";

const referenceFor = (...given: Parameters<typeof cited>): Reference => withCited([], cited(...given)).reference;

describe("a reference", () => {
	test("of a page has what a bibliography prints, and where it is from", () => {
		expect(withCited([], cited(), facts()).reference).toEqual({
			id: "holm2024herons",
			type: "webpage",
			title: "The herons of the pond",
			author: [{ literal: "Ida Holm" }],
			issued: { "date-parts": [[2024, 3, 1]] },
			accessed: { "date-parts": [[2026, 1, 31]] },
			URL: "https://pond.example/herons",
			language: "en",
			"container-title": "pond.example",
			custom: {
				extrophi: {
					document_id: "01900000-0000-7000-8000-000000000001",
					platform: "web",
					part: null,
					spans: [
						{
							locator: "",
							version: 1,
							start: 10,
							end: 47,
							quote: "Herons stand in the shallows at dawn.",
							deep_link: "https://pond.example/herons#:~:text=Herons%20stand",
						},
					],
				},
			},
		});
	});

	test("of a journal, a book, a paper on a disk is what it is, and tells no one's folders", () => {
		expect(referenceFor({ url: "https://ada.substack.com/p/x" }).type).toBe("post-weblog");
		const file = {
			platform: "files",
			url: "file:///home/ada/The%20Pond.epub",
			deep_link: "file:///home/ada/The%20Pond.epub",
		};
		const book = referenceFor(file);
		expect(book.type).toBe("book");
		expect(JSON.stringify(book)).not.toContain("/home/ada");
		expect(referenceFor({ platform: "files", url: null, deep_link: null, external_id: "note-1" }).type).toBe(
			"document",
		);
	});

	test("of a thread on X is one, of a post that it quotes another", () => {
		const post = { platform: "twitter", author: "@ada", url: "https://x.com/ada/status/1" };
		const first = withCited([], cited({ ...post, deep_link: "https://x.com/ada/status/1" }));
		const second = withCited(
			first.references,
			cited({ ...post, deep_link: "https://x.com/ada/status/2", quote_start: 90, quote_end: 99 }),
		);
		expect(second.references.length).toBe(1);
		expect(second.reference.custom?.extrophi?.spans.length).toBe(2);
		expect(second.reference).toMatchObject({ type: "post", genre: "Post", "container-title": "X" });
		const other = withCited(
			second.references,
			cited({ ...post, author: "@bo", deep_link: "https://x.com/bo/status/3" }),
		);
		expect(other.references.map(({ id, URL }) => [id, URL])).toEqual([
			["ada2024herons", "https://x.com/ada/status/1"],
			["bo2024herons", "https://x.com/bo/status/3"],
		]);
	});

	test("of a discussion is the post's, of a comment its own", () => {
		const post = { platform: "reddit", url: "https://www.reddit.com/r/birding/comments/1/herons/" };
		expect(referenceFor({ ...post, author: "ada", deep_link: post.url })).toMatchObject({
			type: "post",
			genre: "Forum post",
			title: "The herons of the pond",
			author: [{ literal: "u/ada" }],
			"container-title": "r/birding",
			publisher: "Reddit",
		});
		expect(referenceFor({ ...post, author: "bo", deep_link: `${post.url}k3/` })).toMatchObject({
			genre: "Comment",
			title: "Comment on “The herons of the pond”",
			author: [{ literal: "u/bo" }],
			URL: `${post.url}k3/`,
		});
	});

	test("of a video is the video, at its second", () => {
		const video = { platform: "youtube", url: "https://www.youtube.com/watch?v=x" };
		const made = withCited([], cited({ ...video, deep_link: `${video.url}&t=754` }));
		expect(made.reference).toMatchObject({ type: "motion_picture", publisher: "YouTube", URL: video.url });
		expect(made.span.locator).toBe("at 12:34");
		const comment = withCited(made.references, cited({ ...video, author: "@bo", deep_link: `${video.url}&lc=k` }));
		expect(comment.reference).toMatchObject({ type: "post", genre: "Comment", URL: `${video.url}&lc=k` });
	});

	test("is made once: the same passage again changes nothing, another is added", () => {
		const first = withCited([], cited());
		expect(withCited(first.references, cited()).references).toBe(first.references);
		const second = withCited(first.references, cited({ quote_start: 60, quote_end: 70 }));
		expect(second.references.length).toBe(1);
		expect(second.reference.id).toBe(first.reference.id);
	});

	test("is cited as the passage, or as what it is from, once the text cites it", () => {
		const { references, reference } = withCited([], cited());
		const ids = new Map([[reference.id, 1]]);
		expect(citedAs(references, ids, cited({ quote_start: 40, quote_end: 50 }))).toBe("passage");
		expect(citedAs(references, ids, cited({ quote_start: 47, quote_end: 50 }))).toBe("document");
		expect(citedAs(references, new Map(), cited())).toBe(null);
		expect(citedAs(references, ids, cited({ document_id: "other" }))).toBe(null);
	});

	test("of two bibliographies is one, with the passages of both", () => {
		const first = withCited([], cited()).references;
		const second = withCited([], cited({ quote_start: 60, quote_end: 70 })).references;
		const [one, ...rest] = merged(first, [...second, { id: "b", type: "book" }]);
		expect(one?.custom?.extrophi?.spans.map(({ start }) => start)).toEqual([10, 60]);
		expect(rest.map(({ id }) => id)).toEqual(["b"]);
	});
});

describe("ids", () => {
	const id = (author: string | null, title: string, year: number | null, taken: string[] = []): string =>
		newId(
			{
				id: "",
				type: "webpage",
				title,
				...(author ? { author: [{ literal: author }] } : {}),
				...(year ? { issued: { "date-parts": [[year]] } } : {}),
			},
			taken,
		);

	test("say who, when and on what, in letters that any program reads", () => {
		expect(id("Ida Holm", "Why long articles lose on phones", 2024)).toBe("holm2024long");
		expect(id("Søren Ærø", "Über die Ångström-Skala", 1999)).toBe("aero1999uber");
		expect(id("@ada_l", "“It’s a heron”", 2024)).toBe("adal2024heron");
		expect(id("u/bo", "https://pond.example/x", null)).toBe("bondpond");
		expect(id("李明", "池塘的鹭", 2020)).toBe("李明2020池塘的鹭");
		expect(id("Holm, Jens Juul", "The pond", 2024)).toBe("holm2024pond");
		expect(id(null, "🪶", null)).toBe("source");
	});

	test("are never given twice", () => {
		const taken = ["holm2024pond"];
		for (let n = 0; n < 30; n++) taken.push(id("Ida Holm", "The pond", 2024, taken));
		expect(new Set(taken).size).toBe(31);
		expect(taken.slice(0, 3)).toEqual(["holm2024pond", "holm2024ponda", "holm2024pondb"]);
		expect(taken.at(-1)).toBe("holm2024pondad");
	});
});

describe("places", () => {
	const place = (anchors: unknown[][], blocks: number[][], start: number): string =>
		factsOf(
			{ title: "", author: null, published_at: null, collected_at: "", language: null, anchors, blocks } as never,
			cited({ quote_start: start }),
		).locator;

	test("are pages, seconds or, in what is long, paragraphs", () => {
		expect(place([[0, { page: 1 }], [50, { page: 12 }]], [], 60)).toBe("p. 12"); // prettier-ignore
		expect(place([[0, { url: "" }], [50, { seconds: 3725.4 }]], [], 60)).toBe("at 1:02:05"); // prettier-ignore
		const long = [[0, 9, 1], [10, 500, 0], [502, 900, 0], [902, 1300, 0], [1302, 1900, 0]]; // prettier-ignore
		expect(place([], long, 910)).toBe("para. 3");
		expect(place([], long.slice(0, 3), 510)).toBe("");
		expect(place([[0, {}], [1302, { depth: 0, author: "bo" }]], long, 1400)).toBe(""); // prettier-ignore
		expect(at(7)).toBe("at 0:07");
	});
});

describe("the passages of a citation", () => {
	const one = cited({ quote: "Herons stand in the shallows at dawn.", quote_start: 10, quote_end: 47 });
	const two = cited({ quote: "Frogs are quiet after rain.", quote_start: 60, quote_end: 87 });
	const { reference } = withCited(withCited([], one).references, two);
	const starts = (locator: string, around: string): number[] =>
		spansAt(reference, locator, around).map(({ start }) => start);

	test("are told by their locator, then by the words around, and else are all", () => {
		expect(starts("", "After the rain no frog was heard.")).toEqual([60]);
		expect(starts("p. 7", "The heron stood in the shallows.")).toEqual([10]);
		expect(starts("", "Nothing of the kind.")).toEqual([10, 60]);
		expect(spansAt({ id: "b", type: "book" }, "", "")).toEqual([]);
	});
});
