import type { Cited, DateParts, Reference, Span } from "$lib/citing/models";

/** Put a citation of a passage into words: `[@id]`, and the references with the one it names, made if there was none. */
export function citeMarkdown(
	references: readonly Reference[],
	cited: Cited,
): { markdown: string; references: readonly Reference[] } {
	const span: Span = {
		locator: "",
		version: cited.version,
		start: cited.quote_start,
		end: cited.quote_end,
		quote: cited.quote,
	};
	const link = cited.deep_link ?? cited.url;
	const known = references.find((one) => {
		const origin = one.custom?.extrophi;
		return origin?.document_id === cited.document_id && one.URL === (link ?? undefined);
	});
	const made = known ?? referenceOf(cited, link, new Set(references.map(({ id }) => id)));
	const origin = made.custom?.extrophi;
	const spans = origin?.spans ?? [];
	const has = spans.some((one) => one.version === span.version && one.start === span.start && one.end === span.end);
	const told: Reference = {
		...made,
		custom: {
			...made.custom,
			extrophi: {
				document_id: cited.document_id,
				platform: cited.platform,
				deep_link: cited.deep_link,
				spans: has ? spans : [...spans, span],
			},
		},
	};
	return {
		markdown: `[@${told.id}]`,
		references: known ? references.map((one) => (one === known ? told : one)) : [...references, told],
	};
}

const TYPES: Readonly<Record<string, string>> = {
	twitter: "post",
	reddit: "post",
	youtube: "motion_picture",
	web: "webpage",
	files: "document",
};

function referenceOf(cited: Cited, link: string | null, taken: ReadonlySet<string>): Reference {
	const issued = dateOf(cited.published_at);
	return {
		id: idOf(cited, taken),
		type: TYPES[cited.platform] ?? "document",
		title: cited.title,
		...(cited.author ? { author: [{ literal: cited.author }] } : {}),
		...(issued ? { issued } : {}),
		...(link ? { URL: link } : {}),
	};
}

function dateOf(moment: string | null): DateParts | null {
	const found = /^(\d{4})-(\d\d)-(\d\d)/.exec(moment ?? "");
	return found ? { "date-parts": [[Number(found[1]), Number(found[2]), Number(found[3])]] } : null;
}

/** Readable, and of the letters that Pandoc takes everywhere: `holm2024long`. */
function idOf({ author, title, published_at: published }: Cited, taken: ReadonlySet<string>): string {
	const [name, word] = [folded(author).at(-1), folded(title).find((one) => one.length > 3)];
	const base = `${name ?? "source"}${published?.slice(0, 4) ?? ""}${word ?? ""}`;
	let id = base;
	for (let n = 2; taken.has(id); n++) id = `${base}-${n}`;
	return id;
}

function folded(text: string | null): string[] {
	const plain = (text ?? "").normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
	return (plain.match(/[a-z0-9]+/g) ?? []).map((word) => word.slice(0, 24));
}
