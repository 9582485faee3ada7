import { unwrap, type Api, type Schemas } from "$lib/api/client";
import type { Cited } from "./models";

type DocumentOut = Schemas["DocumentOut"];

/** What the document tells of a citation that the citation does not: who wrote the whole, and where in it the place is. */
export interface Facts {
	title: string;
	author: string | null;
	published_at: string | null;
	collected_at: string;
	language: string | null;
	/** `p. 12`, `at 12:34`, `para. 3`, or nothing. */
	locator: string;
}

interface Anchor {
	page?: number;
	seconds?: number;
	author?: string;
	depth?: number;
}

/** Characters. In less one finds a sentence without being told where. */
const LONG = 1_500;

export function factsOf(document: DocumentOut, cited: Cited): Facts {
	const { title, author, published_at, collected_at, language } = document;
	return { title, author, published_at, collected_at, language, locator: locate(document, cited) };
}

/**
 * The facts of a citation, or null: what is cited can be cited without them, so that nothing here may fail or keep one
 * waiting.
 */
export async function learn(api: Api, cited: Cited, patience = 1_500): Promise<Facts | null> {
	try {
		const document = await unwrap(
			api.http.GET("/api/documents/{id}", {
				params: { path: { id: cited.document_id }, query: { version: cited.version } },
				signal: AbortSignal.timeout(patience),
			}),
		);
		return factsOf(document, cited);
	} catch {
		return null;
	}
}

function locate(document: Pick<DocumentOut, "anchors" | "blocks">, cited: Cited): string {
	const anchors = document.anchors as [number, Anchor][];
	const here = anchors.findLast(([offset]) => offset <= cited.quote_start)?.[1];
	if (here?.page !== undefined) return `p. ${here.page}`;
	if (here?.seconds !== undefined) return at(here.seconds);
	if (here?.depth !== undefined) return ""; // a comment has its own reference
	// Only what the document's author says is counted: below it, others may talk for ever.
	const comments = anchors.find(([, anchor]) => anchor.depth !== undefined)?.[0] ?? Infinity;
	const own = (document.blocks as [number, number, number][]).filter(([start]) => start < comments);
	const paragraphs = own.filter(([, , level]) => level === 0);
	if ((own.at(-1)?.[1] ?? 0) < LONG || paragraphs.length < 4) return "";
	return `para. ${Math.max(1, paragraphs.filter(([start]) => start <= cited.quote_start).length)}`;
}

/** `at 12:34`: Pandoc would take a number alone for a page. */
export function at(seconds: number): string {
	const whole = Math.floor(seconds);
	const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
	const two = (value: number): string => String(value).padStart(2, "0");
	return hours > 0 ? `at ${hours}:${two(minutes)}:${two(rest)}` : `at ${minutes}:${two(rest)}`;
}
