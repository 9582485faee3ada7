import type { Cited } from "$lib/citing/models";
import { day, t } from "$lib/text";
import type { Anchored, Place, ReadDocument } from "./passages";
import type { Selected } from "./selecting";

const LONGEST_FRAGMENT = 300;
const EDGE_WORDS = 6;

/** What is said of a place: the last anchor at or before it. */
export function placeAt(anchors: readonly Anchored[], at: number): Place {
	return anchors.findLast((anchor) => anchor.at <= at)?.place ?? {};
}

/** A passage that a reader chose, as research would cite it: by whom it says, with a link to the very place. */
export function citationOf(
	document: ReadDocument,
	anchors: readonly Anchored[],
	at: number,
	{ start, end, quote }: Selected,
): Cited {
	const place = placeAt(anchors, at);
	const isComment = place.depth !== undefined; // whose author and day may be unknown, and are never the document's
	return {
		document_id: document.id,
		version: document.version,
		platform: document.platform,
		external_id: document.external_id,
		title: document.title,
		author: place.author ?? (isComment ? null : document.author),
		published_at: place.published_at ?? (isComment ? null : document.published_at),
		url: document.url,
		deep_link: deepLink(document, place, quote),
		quote,
		quote_start: start,
		quote_end: end,
	};
}

/** Where the words can be seen in the original: a comment's own address, a page, a second, the words themselves. */
export function deepLink(document: Pick<ReadDocument, "url" | "platform">, place: Place, quote = ""): string | null {
	if (place.url !== undefined) return place.url;
	if (document.url === null) return null;
	const [bare = "", named = ""] = document.url.split("#", 2);
	if (place.page !== undefined) return `${bare}#page=${place.page}`;
	if (place.seconds !== undefined) return `${bare}${bare.includes("?") ? "&" : "?"}t=${Math.floor(place.seconds)}`;
	if (document.platform !== "web" || !quote || !/^https?:/.test(document.url)) return document.url;
	return `${bare}#${/^[/!]/.test(named) ? named : ""}:~:text=${fragment(quote)}`;
}

/** A text directive (https://wicg.github.io/scroll-to-text-fragment/): the quote, or how it begins and ends. */
function fragment(quote: string): string {
	const line = quote.trim();
	const words = line.split(/\s+/);
	if (line.length <= LONGEST_FRAGMENT && !line.includes("\n")) return encoded(line);
	if (words.length < 2 * EDGE_WORDS) return encoded(line.split("\n", 1)[0] ?? line);
	return `${encoded(words.slice(0, EDGE_WORDS).join(" "))},${encoded(words.slice(-EDGE_WORDS).join(" "))}`;
}

/** A half of a pair by itself has no encoding. */
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

// A dash would mark a prefix or suffix.
const encoded = (text: string): string => encodeURIComponent(text.replace(LONE, "\ufffd")).replaceAll("-", "%2D");

/** The quote and where it is from, as text. */
export function asText(cited: Cited): string {
	const from = [cited.author, cited.title, day(cited.published_at), cited.deep_link ?? cited.url];
	return `“${cited.quote}”\n— ${from.filter(Boolean).join(", ") || t.common.untitled}`;
}

/** 3725 as 1:02:05. */
export function clock(seconds: number): string {
	const whole = Math.floor(seconds);
	const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
	const two = (value: number): string => String(value).padStart(2, "0");
	return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
