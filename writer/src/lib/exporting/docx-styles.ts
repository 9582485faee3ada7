import { AlignmentType, LevelFormat, type ILevelsOptions, type IParagraphOptions, type IStylesOptions } from "docx";

const STEP = 360;
const DEEPEST = 8;
const SERIF = "Cambria";
const SANS = "Calibri";
const MONO = "Consolas";

const heading = (size: number, before: number) => ({
	run: { font: SANS, size, bold: true, color: "22211E", italics: false },
	paragraph: { spacing: { before, after: 100 }, keepNext: true, keepLines: true },
});

/** Sizes are half points, spacing is twips. The names are Word's own, so that a person's template takes over. */
export const STYLES = (language: { value?: string; bidirectional?: string }): IStylesOptions => ({
	default: {
		document: {
			run: { font: SERIF, size: 22, language },
			paragraph: { spacing: { after: 140, line: 290 } },
		},
		title: {
			run: { font: SANS, size: 44, bold: true, color: "22211E" },
			paragraph: { spacing: { after: 120 } },
		},
		heading1: heading(34, 360),
		heading2: heading(28, 320),
		heading3: heading(24, 280),
		heading4: heading(22, 240),
		heading5: heading(22, 200),
		heading6: heading(22, 200),
		hyperlink: { run: { color: "1F5F7E", underline: {} } },
		footnoteText: { run: { size: 18 }, paragraph: { spacing: { after: 40, line: 240 } } },
		listParagraph: { paragraph: { spacing: { after: 60 } } },
	},
	paragraphStyles: [
		{
			id: "Quote",
			name: "Quote",
			basedOn: "Normal",
			next: "Normal",
			quickFormat: true,
			run: { color: "4A4740" },
			paragraph: { indent: { start: STEP, end: STEP } },
		},
		{
			id: "Bibliography",
			name: "Bibliography",
			basedOn: "Normal",
			paragraph: { indent: { start: STEP, hanging: STEP }, spacing: { after: 100 } },
		},
		{
			id: "Byline",
			name: "Byline",
			basedOn: "Normal",
			run: { font: SANS, color: "5F5B53" },
			paragraph: { spacing: { after: 360 } },
		},
		{
			id: "SourceCode",
			name: "Source Code",
			basedOn: "Normal",
			run: { font: MONO, size: 18, noProof: true },
			paragraph: { spacing: { line: 240 }, alignment: AlignmentType.LEFT },
		},
		{ id: "TableText", name: "Table Text", basedOn: "Normal", paragraph: { spacing: { before: 40, after: 40 } } },
		{ id: "TableHeading", name: "Table Heading", basedOn: "TableText", run: { bold: true } },
	],
	characterStyles: [
		{ id: "VerbatimChar", name: "Verbatim Char", basedOn: "DefaultParagraphFont", run: { font: MONO, size: 19 } },
	],
});

type Numbering = NonNullable<IParagraphOptions["numbering"]>;

/** The lists of a document: each numbered one counts by itself. */
export class Lists {
	readonly #starts = new Set<number>();
	#instances = 0;

	bullets(depth: number): Numbering {
		return { reference: "bullets", level: Math.min(depth, DEEPEST) };
	}

	/** Call it once for each list. */
	numbers(start: number, depth: number): Numbering {
		this.#starts.add(start);
		return { reference: `numbers-${start}`, level: Math.min(depth, DEEPEST), instance: this.#instances++ };
	}

	get config() {
		const numbers = [...this.#starts].map((start) => ({
			reference: `numbers-${start}`,
			levels: levels((level) => ({ format: LevelFormat.DECIMAL, text: `%${level + 1}.`, start })),
		}));
		const signs = ["•", "◦", "▪"];
		const bullets = levels((level) => ({ format: LevelFormat.BULLET, text: signs[level % signs.length] ?? "•" }));
		return [{ reference: "bullets", levels: bullets }, ...numbers];
	}
}

function levels(of: (level: number) => Pick<ILevelsOptions, "format" | "text" | "start">): ILevelsOptions[] {
	return Array.from({ length: DEEPEST + 1 }, (_, level) => ({
		level,
		alignment: AlignmentType.START,
		style: { paragraph: { indent: { start: (level + 1) * STEP, hanging: STEP } } },
		...of(level),
	}));
}
