import type { ZipOptions } from "fflate";
import type { Reference } from "$lib/citing/models";
import { writeBibTeX } from "./bibtex";
import { writeCSL } from "./csl";
import { readDocument } from "./document";
import { fileName } from "./filename";
import { htmlBody, htmlPage, type HTMLTexts } from "./html";
import { writeMarkdown } from "./markdown";
import type { Style } from "./notes";
import { asPNG, isElsewhere, loadPictures, type Picture } from "./pictures";
import { cleaned } from "./purify";
import { resolve, type Resolved } from "./resolve";
import { writeRIS } from "./ris";
import { inlinesOf } from "./tree";

export const FORMATS = ["docx", "html", "markdown", "pandoc", "csl", "bibtex", "ris"] as const;
export type Format = (typeof FORMATS)[number];

/** A draft as it is given away. */
export interface Draft {
	title: string;
	text: string;
	references: readonly Reference[];
	image: (name: string) => Promise<Blob | null>;
}

/** What of the page is ours, and how references read in it. */
export interface Manner {
	style: Style;
	/** Of our words. */
	language: string;
	texts: HTMLTexts;
	untitled: string;
}

/** A draft read for export: what all formats are written from, and what is amiss with it. */
export interface Survey {
	draft: Draft;
	resolved: Resolved;
	pictures: ReadonlyMap<string, Picture>;
	cited: readonly Reference[];
	missing: {
		/** Ids that are cited, and no reference has. */
		references: readonly string[];
		/** Names of images that could not be had. */
		images: readonly string[];
		/** Addresses of images that are not the draft's own. */
		elsewhere: readonly string[];
	};
}

export async function survey(draft: Draft, { style }: Manner): Promise<Survey> {
	const document = readDocument(draft.text, draft.title);
	const resolved = resolve(document, draft.references, style);
	const blocks = [...document.blocks, ...[...document.footnotes.values()].flat()];
	const names = [...inlinesOf(blocks)].flatMap((one) => (one.kind === "image" ? [one.name] : []));
	const { pictures, missing } = await loadPictures(names, draft.image);
	return {
		draft,
		resolved,
		pictures,
		cited: resolved.cited,
		missing: {
			references: resolved.missing,
			images: missing.filter((name) => !isElsewhere(name)),
			elsewhere: missing.filter(isElsewhere),
		},
	};
}

/** A file, ready to be saved. */
export interface File {
	name: string;
	bytes: Blob;
}

const ENDINGS: Readonly<Record<Format, string>> = {
	docx: "docx",
	html: "html",
	markdown: "md",
	pandoc: "zip",
	csl: "json",
	bibtex: "bib",
	ris: "ris",
};

/** What the file is called, and what all files of an archive begin with. */
export function fileNames(format: Format, found: Survey, manner: Manner): { base: string; file: string } {
	const base = fileName(found.resolved.document.title, manner.untitled);
	const isPacked = format === "markdown" && found.pictures.size > 0;
	return { base, file: `${base}.${isPacked ? "zip" : ENDINGS[format]}` };
}

/**
 * Args:
 *     origins: Whether CSL-JSON keeps what only Extrophi reads.
 */
export async function write(format: Format, found: Survey, manner: Manner, origins: boolean): Promise<File> {
	const { draft, resolved, pictures, cited } = found;
	const { base, file: name } = fileNames(format, found, manner);
	switch (format) {
		case "docx": {
			const { writeDocx } = await import("./docx"); // half a megabyte that few sessions need
			const known = await Promise.all([...pictures].map(async ([at, one]) => [at, await forWord(one)] as const));
			const bytes = await writeDocx(resolved, new Map(known), manner.texts.bibliography, manner.language);
			return file(name, bytes, "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
		}
		case "html":
			return file(name, htmlPage(resolved, html(found, manner), manner.language), "text/html");
		case "markdown":
			return packed(base, { [`${base}.md`]: markdown(found, manner) }, pictures);
		case "pandoc":
			return packed(base, { [`${base}.md`]: draft.text, [`${base}.json`]: writeCSL(cited, origins) }, pictures);
		case "csl":
			return file(name, writeCSL(cited, origins), "application/vnd.citationstyles.csl+json");
		case "bibtex":
			return file(name, writeBibTeX(cited), "application/x-bibtex");
		case "ris":
			return file(name, writeRIS(cited), "application/x-research-info-systems");
	}
}

/** What goes to the clipboard: words, and for programs that take it, their look. */
export function copied(
	format: Format,
	found: Survey,
	manner: Manner,
	origins: boolean,
): { text: string; html?: string } {
	switch (format) {
		case "docx":
		case "html":
			return { text: markdown(found, manner), html: html(found, manner) };
		case "markdown":
			return { text: markdown(found, manner) };
		case "pandoc":
			return { text: found.draft.text };
		case "csl":
			return { text: writeCSL(found.cited, origins) };
		case "bibtex":
			return { text: writeBibTeX(found.cited) };
		case "ris":
			return { text: writeRIS(found.cited) };
	}
}

const markdown = ({ draft }: Survey, { style, texts }: Manner): string =>
	writeMarkdown(draft.text, draft.references, style, texts.bibliography);

const html = ({ resolved, pictures }: Survey, { texts }: Manner): string =>
	cleaned(htmlBody(resolved, pictures, texts));

const forWord = async (picture: Picture): Promise<Picture> =>
	/webp|avif/.test(picture.type) ? asPNG(picture) : picture;

const file = (name: string, content: string | Uint8Array<ArrayBuffer>, type: string): File => ({
	name,
	bytes: new Blob([content], { type }),
});

/** Texts and the images they name, in one archive; a text alone is a file alone. */
async function packed(
	name: string,
	texts: Readonly<Record<string, string>>,
	pictures: ReadonlyMap<string, Picture>,
): Promise<File> {
	const [alone, ...others] = Object.entries(texts);
	if (alone && others.length === 0 && pictures.size === 0) return file(alone[0], alone[1], "text/markdown");
	const { strToU8, zipSync } = await import("fflate");
	const images = [...pictures].map(([at, { bytes }]): [string, [Uint8Array, ZipOptions]] => [
		inside(at),
		[bytes, { level: 0 }], // an image is packed already
	]);
	const files: (readonly [string, Uint8Array])[] = Object.entries(texts).map(
		([at, text]) => [at, strToU8(text)] as const,
	);
	return file(
		`${name}.zip`,
		zipSync(Object.fromEntries<Uint8Array | [Uint8Array, ZipOptions]>([...files, ...images])),
		"application/zip",
	);
}

/** Where an image lies in the archive: where the text says, but never above it. */
const inside = (name: string): string =>
	name
		.split(/[\\/]+/)
		.filter((part) => part && part !== "." && part !== "..")
		.join("/");
