import type { Text } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";
import { disjoint } from "./disjoint";
import type { Facts } from "./facts";
import { blockAt, citationAt, citeMarkdown, quoteMarkdown } from "./insert";
import { hold } from "./marks.svelte";
import type { Cited, OpenDraft, Reference } from "./models";
import { merged } from "./references";

/** Where the bibliography is kept: the draft's session. */
export interface Bibliography {
	readonly id: string;
	readonly references: readonly Reference[];
	setReferences(references: readonly Reference[]): void;
	keep(): Promise<boolean>;
	save(): Promise<void>;
}

/** The open draft, for those who put something into it: its bibliography and its editor. */
export class CitedDraft implements OpenDraft {
	citations = $state.raw<ReadonlyMap<string, number>>(new Map());
	/** What was asked for first goes in first. */
	#before: Promise<void> = Promise.resolve();

	constructor(
		private readonly bibliography: Bibliography,
		private readonly view: EditorView,
		private readonly learn: (cited: Cited) => Promise<Facts | null>,
	) {}

	get id(): string {
		return this.bibliography.id;
	}

	get references(): readonly Reference[] {
		return this.bibliography.references;
	}

	insert(markdown: string, references: readonly Reference[]): void {
		const { from, to } = this.view.state.selection.main;
		const put = disjoint({ text: markdown, references }, this.references);
		this.#put(from, to, put.text, put.references);
	}

	async save(): Promise<void> {
		await this.bibliography.keep();
		await this.bibliography.save();
	}

	cite(cited: Cited): void {
		this.#after(cited, (facts, at) => {
			const { markdown, references } = citeMarkdown(this.references, cited, facts);
			const { doc } = this.view.state;
			const line = doc.lineAt(at);
			const { back, text } = citationAt(doc.sliceString(line.from, at), markdown);
			this.#put(at - back, at - back, text, references, { cursor: at + text.length });
		});
	}

	quote(cited: Cited): void {
		this.#after(cited, (facts, at) => {
			const { markdown, references } = quoteMarkdown(this.references, cited, facts);
			const { doc } = this.view.state;
			const end = paragraphEnd(doc, at);
			const [before, after] = [doc.sliceString(Math.max(0, end - 200), end), doc.sliceString(end, end + 200)];
			this.#put(end, end, blockAt(before, markdown, after), references, { follow: true });
		});
	}

	/** What is to be known of a passage is asked for first; meanwhile one may write on, and the place moves along. */
	#after(cited: Cited, put: (facts: Facts | null, at: number) => void): void {
		const place = hold(this.view, this.view.state.selection.main.head);
		const facts = this.learn(cited);
		this.#before = this.#before.then(async () => {
			const told = await facts;
			place.release();
			put(told, place.at);
		});
	}

	#put(
		from: number,
		to: number,
		text: string,
		references: readonly Reference[],
		{ cursor = from + text.length, follow = false }: { cursor?: number; follow?: boolean } = {},
	): void {
		const { main } = this.view.state.selection;
		this.bibliography.setReferences(merged(this.references, references));
		// The cursor goes behind what was put where it was. Has it gone on meanwhile, it stays where one writes.
		const isThere = follow || (main.from <= Math.max(to, cursor - text.length) && main.to >= from);
		this.view.dispatch({
			changes: { from, to, insert: text },
			...(isThere ? { selection: { anchor: cursor } } : {}),
			userEvent: "input",
			scrollIntoView: isThere,
		});
		this.view.focus();
	}
}

/** Where the paragraph ends: a block within a sentence would cut it. */
function paragraphEnd(doc: Text, at: number): number {
	let line = doc.lineAt(at);
	if (line.text.trim() === "") return at;
	while (line.number < doc.lines && doc.line(line.number + 1).text.trim() !== "") line = doc.line(line.number + 1);
	return line.to;
}
