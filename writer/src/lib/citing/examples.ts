/** What the tests of this folder begin from. */

import type { Facts } from "./facts";
import type { Cited } from "./models";

export const cited = (fields: Partial<Cited> = {}): Cited => ({
	document_id: "01900000-0000-7000-8000-000000000001",
	version: 1,
	platform: "web",
	external_id: "https://pond.example/herons",
	title: "The herons of the pond",
	author: "Ida Holm",
	published_at: "2024-03-01T10:00:00Z",
	url: "https://pond.example/herons",
	deep_link: "https://pond.example/herons#:~:text=Herons%20stand",
	quote: "Herons stand in the shallows at dawn.",
	quote_start: 10,
	quote_end: 47,
	...fields,
});

export const facts = (fields: Partial<Facts> = {}): Facts => ({
	title: "The herons of the pond",
	author: "Ida Holm",
	published_at: "2024-03-01T10:00:00Z",
	collected_at: "2026-01-31T12:00:00Z",
	language: "en",
	locator: "",
	...fields,
});
