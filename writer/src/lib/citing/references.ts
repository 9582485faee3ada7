/** From what was collected to an entry of a bibliography (CSL-JSON 1.0.2), and back to the passages that it stands for. */

import { t } from "$lib/text";
import { isOutside } from "$lib/shell/shell";
import { at, type Facts } from "./facts";
import { names } from "./fields";
import { newId } from "./ids";
import type { Cited, DateParts, Origin, Reference, Span } from "./models";

/** Hosts that hold nothing but people's own journals. */
const WEBLOGS =
	/(?:^|\.)(?:substack\.com|blogspot\.[a-z.]+|wordpress\.com|tumblr\.com|bearblog\.dev|ghost\.io|medium\.com)$/;

/** What a file is, by how its name ends; the rest are documents. */
const FILES: Readonly<Record<string, string>> = {
	epub: "book",
	eml: "personal_communication",
	pptx: "speech",
	csv: "dataset",
	xlsx: "dataset",
};

/** The address of the very words, where they are somebody's own and not the document's: a comment, a quoted post. */
export function partOf(cited: Cited, facts: Facts | null): string | null {
	const { platform, url, deep_link: link } = cited;
	if (link === null || !isOutside(link)) return null;
	if (platform === "youtube") return new URL(link).searchParams.has("lc") ? link : null;
	if (link === url) return null;
	if (platform === "reddit") return link;
	if (platform === "twitter") return cited.author === authorOf(cited, facts) ? null : link;
	return null;
}

/** Who wrote the document; without its facts X's addresses tell, elsewhere we believe the citation. */
function authorOf(cited: Cited, facts: Facts | null): string | null {
	if (facts) return facts.author;
	if (cited.platform !== "twitter" || cited.url === null || !URL.canParse(cited.url)) return cited.author;
	const handle = new URL(cited.url).pathname.split("/")[1] ?? "";
	const said = `@${handle}`;
	return handle === "" || handle === "i" || said.toLowerCase() === cited.author?.toLowerCase() ? cited.author : said;
}

/** The reference that already stands for what is cited. */
export function referenceOf(
	references: readonly Reference[],
	cited: Cited,
	facts: Facts | null = null,
): Reference | undefined {
	const part = partOf(cited, facts);
	return references.find(({ custom }) => {
		const origin = custom?.extrophi;
		return origin?.document_id === cited.document_id && origin.part === part;
	});
}

/** Whether the draft cites the very passage, or at least what it is from. `ids` are those in the text. */
export function citedAs(
	references: readonly Reference[],
	ids: ReadonlyMap<string, number>,
	cited: Cited,
): "passage" | "document" | null {
	const origins = references
		.filter(({ id, custom }) => ids.has(id) && custom?.extrophi?.document_id === cited.document_id)
		.flatMap(({ custom }) => custom?.extrophi ?? []);
	if (origins.length === 0) return null;
	const overlaps = ({ version, start, end }: Span): boolean =>
		version === cited.version && start < cited.quote_end && cited.quote_start < end;
	return origins.some(({ spans }) => spans.some(overlaps)) ? "passage" : "document";
}

export function spanOf(cited: Cited, facts: Facts | null): Span {
	const link = cited.deep_link;
	return {
		locator: partOf(cited, facts) === null ? (facts?.locator ?? locatorOf(link)) : "",
		version: cited.version,
		start: cited.quote_start,
		end: cited.quote_end,
		quote: cited.quote,
		deep_link: link !== null && isOutside(link) ? link : null,
	};
}

/** What a deep link alone tells of the place. */
function locatorOf(link: string | null): string {
	if (link === null || !URL.canParse(link)) return "";
	const { hash, searchParams } = new URL(link);
	const page = /^#page=(\d+)$/.exec(hash)?.[1];
	if (page !== undefined) return `p. ${page}`;
	const seconds = searchParams.get("t");
	return seconds !== null && /^\d+$/.test(seconds) ? at(Number(seconds)) : "";
}

/** The bibliography with what is cited in it, and its entry there. The same passage again changes nothing. */
export function withCited(
	references: readonly Reference[],
	cited: Cited,
	facts: Facts | null = null,
): { references: readonly Reference[]; reference: Reference; span: Span } {
	const span = spanOf(cited, facts);
	const found = referenceOf(references, cited, facts);
	if (found) {
		const spans = found.custom?.extrophi?.spans ?? [];
		const same = spans.find((other) => samePlace(other, span));
		if (same) return { references, reference: found, span: same };
		const reference = withSpans(found, [...spans, span]);
		return { references: references.map((other) => (other === found ? reference : other)), reference, span };
	}
	const made = newReference(cited, span, facts);
	const reference = {
		...made,
		id: newId(
			made,
			references.map(({ id }) => id),
		),
	};
	return { references: [...references, reference], reference, span };
}

/** Two bibliographies as one. What both have is kept as it stands, with the passages of both. */
export function merged(references: readonly Reference[], more: readonly Reference[]): readonly Reference[] {
	const byId = new Map(references.map((reference) => [reference.id, reference]));
	for (const reference of more) {
		const known = byId.get(reference.id);
		const spans = known?.custom?.extrophi?.spans ?? [];
		const added = (reference.custom?.extrophi?.spans ?? []).filter(
			(span) => !spans.some((other) => samePlace(other, span)),
		);
		if (!known) byId.set(reference.id, reference);
		else if (added.length > 0) byId.set(reference.id, withSpans(known, [...spans, ...added]));
	}
	return [...byId.values()];
}

function samePlace(one: Span, other: Span): boolean {
	return one.version === other.version && one.start === other.start && one.end === other.end;
}

function withSpans(reference: Reference, spans: readonly Span[]): Reference {
	const origin = reference.custom?.extrophi;
	return origin ? { ...reference, custom: { ...reference.custom, extrophi: { ...origin, spans } } } : reference;
}

/** A citation to read: what the reader is opened with. */
export function citedFrom(reference: Reference, span: Span): Cited | null {
	const origin = reference.custom?.extrophi;
	if (!origin) return null;
	return {
		document_id: origin.document_id,
		version: span.version,
		platform: origin.platform,
		external_id: "",
		title: reference.title ?? "",
		author: authorsShown(reference) || null,
		published_at: null,
		url: reference.URL ?? null,
		deep_link: span.deep_link,
		quote: span.quote,
		quote_start: span.start,
		quote_end: span.end,
	};
}

/** The authors as one line. */
export function authorsShown(reference: Reference): string {
	return names(reference)
		.map(({ given, family }) => [given, family].filter(Boolean).join(" "))
		.join(", ");
}

function newReference(cited: Cited, span: Span, facts: Facts | null): Reference {
	const part = partOf(cited, facts);
	const whole = part === null;
	const title = facts?.title ?? cited.title;
	const author = whole ? authorOf(cited, facts) : cited.author;
	const issued = dateParts(whole ? (facts?.published_at ?? cited.published_at) : cited.published_at);
	const url = part ?? cited.url;
	return {
		id: "",
		title: whole || cited.platform === "twitter" ? title : t.citing.commentOn.replace("#", title),
		...(author
			? { author: [{ literal: cited.platform === "reddit" ? `u/${author.replace(/^u\//, "")}` : author }] }
			: {}),
		...(issued ? { issued } : {}),
		accessed: dateParts(facts?.collected_at ?? new Date().toISOString()) as DateParts,
		...(url !== null && isOutside(url) ? { URL: url } : {}),
		...(facts?.language && whole ? { language: facts.language } : {}),
		...published(cited, whole),
		custom: {
			extrophi: { document_id: cited.document_id, platform: cited.platform, part, spans: [span] } satisfies Origin,
		},
	};
}

/** What kind of thing it is and what it appeared in, as Zotero files it: forum posts, video recordings, web pages. */
function published(cited: Cited, whole: boolean): Pick<Reference, "type" | "genre" | "publisher" | "container-title"> {
	const { genres } = t.citing;
	const url = cited.url !== null && URL.canParse(cited.url) ? new URL(cited.url) : null;
	switch (cited.platform) {
		case "twitter":
			return { type: "post", genre: genres.post, "container-title": "X" };
		case "reddit": {
			const place = url?.pathname.match(/^\/(r|u(?:ser)?)\/[^/]+/)?.[0].slice(1);
			return {
				type: "post",
				genre: whole ? genres.forumPost : genres.comment,
				"container-title": place?.replace(/^user\//, "u/") ?? "Reddit",
				publisher: "Reddit",
			};
		}
		case "youtube":
			return whole
				? { type: "motion_picture", genre: genres.video, publisher: "YouTube" }
				: { type: "post", genre: genres.comment, "container-title": "YouTube" };
		case "web": {
			const host = url?.hostname.replace(/^www\./, "");
			if (!host) return { type: "webpage" };
			return { type: WEBLOGS.test(host) ? "post-weblog" : "webpage", "container-title": host };
		}
		default: {
			const ending = /\.([a-z0-9]+)$/i.exec(url?.pathname ?? cited.external_id)?.[1] ?? "";
			return { type: FILES[ending.toLowerCase()] ?? "document" };
		}
	}
}

/** The day in UTC, as it is stored: where one reads it must not change a bibliography. */
export function dateParts(moment: string | null): DateParts | null {
	const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)/.exec(moment ?? "") ?? [];
	return year ? { "date-parts": [[Number(year), Number(month), Number(day)]] } : null;
}
