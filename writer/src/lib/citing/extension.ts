/** All that the editor is given for citations: marks, what they tell, completion, and the keys. */

import { Facet, type Extension } from "@codemirror/state";
import {
	activateHover,
	closeHoverTooltips,
	EditorView,
	hasHoverTooltips,
	hoverTooltip,
	keymap,
	type Command,
	type Tooltip,
} from "@codemirror/view";
import { mount, unmount } from "svelte";
import CitationCard from "./CitationCard.svelte";
import { completionWhenAsked } from "./completing";
import { DRAGGED } from "./dragging";
import { looks } from "./looks";
import { markExtension, type MarkOptions } from "./marks.svelte";
import { citationAt, meaning, type Meant } from "./meaning";
import type { Cited } from "./models";
import { citedFrom } from "./references";

export interface CitationOptions extends MarkOptions {
	/** Read a passage where it is from. */
	onread: (cited: Cited) => void;
	/** A passage was dropped into the text; the cursor is where. */
	ondropped: (cited: Cited) => void;
}

/** One per editor. */
const given = Facet.define<CitationOptions, CitationOptions | null>({ combine: ([options]) => options ?? null });

function meant(view: EditorView, at: number): Meant[] {
	const options = view.state.facet(given);
	const items = options ? (citationAt(view.state, at)?.items ?? []) : [];
	return items.map((item) => meaning(view.state, item, options?.references() ?? [], options?.standing));
}

function readAt(view: EditorView, at: number): boolean {
	const [cited] = meant(view, at).flatMap(
		({ reference, spans }) => (reference && spans[0] && citedFrom(reference, spans[0].span)) ?? [],
	);
	if (cited) view.state.facet(given)?.onread(cited);
	return cited !== undefined;
}

/** Where the card was asked for by key: there it takes the focus. */
const askedAt = new WeakMap<EditorView, number>();

/** Read what the citation at the cursor cites. */
export const readCitation: Command = (view) => readAt(view, view.state.selection.main.head);

/** Show what the citation at the cursor stands for. */
export const showCitation: Command = (view) => {
	const at = view.state.selection.main.head;
	if (!citationAt(view.state, at)) return false;
	askedAt.set(view, at);
	activateHover(view, at, 1, { tooltip: hovering, until: (one) => one.docChanged || one.selection !== undefined });
	return true;
};

const hideCard: Command = (view) => {
	if (!hasHoverTooltips(view.state)) return false;
	view.dispatch({ effects: closeHoverTooltips });
	return true;
};

function card(view: EditorView, at: number): Tooltip | null {
	const found = citationAt(view.state, at);
	if (!found) return null;
	const { from, to } = found.items.length === 1 ? (found.items[0] ?? found.citation) : found.citation;
	const isAsked = askedAt.get(view) === at;
	askedAt.delete(view);
	return {
		pos: from,
		end: to,
		above: true,
		create() {
			const dom = document.createElement("div");
			const onclose = (): void => {
				hideCard(view);
				view.focus();
			};
			const onread = (cited: Cited): void => {
				onclose();
				view.state.facet(given)?.onread(cited);
			};
			const made = mount(CitationCard, { target: dom, props: { meant: meant(view, at), isAsked, onread, onclose } });
			return { dom, destroy: () => void unmount(made) };
		},
	};
}

const hovering = hoverTooltip(card, { hoverTime: 250 });

function click(event: MouseEvent, view: EditorView): boolean {
	if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return false;
	const mark = event.target instanceof Element ? event.target.closest(".cm-cited") : null;
	// A selection that was drawn ends with a click, too.
	if (!mark || !view.state.selection.main.empty) return false;
	return readAt(view, view.posAtDOM(mark) + 1);
}

function drop(event: DragEvent, view: EditorView): boolean {
	const dropped = event.dataTransfer?.getData(DRAGGED);
	const at = view.posAtCoords({ x: event.clientX, y: event.clientY });
	if (!dropped || at === null) return false;
	event.preventDefault();
	view.dispatch({ selection: { anchor: at } });
	view.state.facet(given)?.ondropped(JSON.parse(dropped) as Cited);
	return true;
}

export function citationExtension(options: CitationOptions): Extension {
	return [
		given.of(options),
		markExtension(options),
		hovering,
		keymap.of([
			{ key: "Mod-Enter", run: readCitation },
			{ key: "Alt-c", run: showCitation },
			{ key: "Escape", run: hideCard },
		]),
		EditorView.domEventHandlers({ click, drop }),
		completionWhenAsked(options.references),
		looks,
	];
}
