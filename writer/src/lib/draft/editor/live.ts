/**
 * Markdown as one means it: its marks step aside where one is not writing (as in Obsidian's live preview).
 *
 * Only what is in view is looked at, so that a keystroke costs the same in a long draft as in a short one.
 */
import { syntaxTree } from "@codemirror/language";
import type { EditorState, Extension, Range } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, WidgetType, type DecorationSet, type ViewUpdate } from "@codemirror/view";
import type { SyntaxNodeRef } from "@lezer/common";

const hidden = Decoration.replace({});
const line = (name: string): Decoration => Decoration.line({ class: name });
const LINES: Readonly<Record<string, Decoration>> = {
	ATXHeading1: line("md-h md-h1"),
	ATXHeading2: line("md-h md-h2"),
	ATXHeading3: line("md-h md-h3"),
	ATXHeading4: line("md-h"),
	ATXHeading5: line("md-h"),
	ATXHeading6: line("md-h"),
	SetextHeading1: line("md-h md-h1"),
	SetextHeading2: line("md-h md-h2"),
	Blockquote: line("md-quote"),
	FencedCode: line("md-code"),
	CodeBlock: line("md-code"),
	Table: line("md-table"),
};
/** Marks that show while the cursor is in what they mark. */
const INLINE = new Set(["Emphasis", "StrongEmphasis", "InlineCode", "Strikethrough", "Link"]);
const MARKS = new Set(["EmphasisMark", "CodeMark", "StrikethroughMark", "LinkMark", "URL", "LinkTitle"]);

class Bullet extends WidgetType {
	override eq(): boolean {
		return true;
	}
	override toDOM(): HTMLElement {
		const bullet = document.createElement("span");
		bullet.className = "md-bullet";
		bullet.textContent = "•";
		bullet.setAttribute("aria-hidden", "true");
		return bullet;
	}
}

class Rule extends WidgetType {
	override eq(): boolean {
		return true;
	}
	override toDOM(): HTMLElement {
		const rule = document.createElement("span");
		rule.className = "md-rule";
		return rule;
	}
}

class Task extends WidgetType {
	constructor(
		private readonly done: boolean,
		private readonly name: string,
	) {
		super();
	}
	override eq(other: Task): boolean {
		return other.done === this.done;
	}
	override toDOM(view: EditorView): HTMLElement {
		const box = document.createElement("input");
		box.type = "checkbox";
		box.className = "md-task";
		box.checked = this.done;
		box.setAttribute("aria-label", this.name);
		box.addEventListener("change", () => {
			const at = view.posAtDOM(box);
			view.dispatch({ changes: { from: at + 1, to: at + 2, insert: this.done ? " " : "x" }, userEvent: "input" });
		});
		return box;
	}
	override ignoreEvent(): boolean {
		return true;
	}
}

/** Where an image of the draft is; null for one that is not the draft's own, which is not loaded. */
export type ImageSource = (name: string) => Promise<string>;

class Picture extends WidgetType {
	constructor(
		private readonly name: string,
		private readonly alt: string,
		private readonly source: ImageSource,
		private readonly missing: string,
	) {
		super();
	}
	override eq(other: Picture): boolean {
		return other.name === this.name && other.alt === this.alt;
	}
	override toDOM(view: EditorView): HTMLElement {
		const image = document.createElement("img");
		image.className = "md-image";
		image.alt = this.alt;
		image.addEventListener("load", () => {
			URL.revokeObjectURL(image.src);
			view.requestMeasure();
		});
		image.addEventListener("error", () => {
			const note = document.createElement("span");
			note.className = "md-image-missing";
			note.textContent = this.missing;
			image.replaceWith(note);
		});
		void this.source(this.name).then((source) => (image.src = source));
		return image;
	}
}

const OWN_IMAGE = /^images\/([0-9a-f]{16}\.[a-z]{3,4})$/;

export interface LiveTexts {
	task: string;
	imageMissing: string;
}

export function live(source: ImageSource, texts: LiveTexts): Extension {
	const decorate = (view: EditorView): DecorationSet => {
		const ranges: Range<Decoration>[] = [];
		const { state } = view;
		const hide = (from: number, to: number): void => {
			if (to > from) ranges.push(hidden.range(from, to));
		};
		for (const { from, to } of view.visibleRanges) {
			syntaxTree(state).iterate({
				from,
				to,
				enter: (node) => {
					const kind = LINES[node.name];
					if (kind) everyLine(state, node, from, to, (at) => ranges.push(kind.range(at)));
					switch (node.name) {
						case "HeaderMark":
							if (!onLine(state, node)) hide(node.from, pastBlank(state, node.to));
							break;
						case "QuoteMark":
							if (!onLine(state, node)) hide(node.from, pastBlank(state, node.to));
							break;
						case "ListMark":
							decorateItem(state, node, ranges);
							break;
						case "TaskMarker": {
							if (touches(state, node.from, node.to)) break;
							const done = /x/i.test(state.sliceDoc(node.from, node.to));
							ranges.push(Decoration.replace({ widget: new Task(done, texts.task) }).range(node.from, node.to));
							break;
						}
						case "HorizontalRule":
							if (!onLine(state, node))
								ranges.push(Decoration.replace({ widget: new Rule() }).range(node.from, node.to));
							break;
						case "Image": {
							const found = /^!\[([^\]]*)\]\(([^)\s]*)/.exec(state.sliceDoc(node.from, node.to));
							const name = OWN_IMAGE.exec(found?.[2] ?? "")?.[1];
							if (!name) return false;
							const widget = new Picture(name, found?.[1] ?? "", source, texts.imageMissing);
							if (onLine(state, node)) ranges.push(Decoration.widget({ widget, side: 1 }).range(node.to));
							else ranges.push(Decoration.replace({ widget }).range(node.from, node.to));
							return false;
						}
						default:
							if (INLINE.has(node.name)) return hideMarks(state, node, hide);
					}
					return undefined;
				},
			});
		}
		return Decoration.set(ranges, true);
	};

	return ViewPlugin.fromClass(
		class {
			decorations: DecorationSet;
			#tree;
			constructor(view: EditorView) {
				this.decorations = decorate(view);
				this.#tree = syntaxTree(view.state);
			}
			update(update: ViewUpdate): void {
				const tree = syntaxTree(update.state);
				// While a word is composed (an input method), what is under it must stand still.
				if (update.view.composing && update.docChanged) this.decorations = this.decorations.map(update.changes);
				else if (update.docChanged || update.viewportChanged || update.selectionSet || tree !== this.#tree) {
					this.decorations = decorate(update.view);
				}
				this.#tree = tree;
			}
		},
		{ decorations: (plugin) => plugin.decorations },
	);
}

function hideMarks(state: EditorState, node: SyntaxNodeRef, hide: (from: number, to: number) => void): undefined {
	if (touches(state, node.from, node.to)) return;
	const link = node.name === "Link";
	// `[text]` alone may be a citation or a reference: only `[text](address)` is shown as its text.
	if (link && !node.node.getChild("URL")) return;
	for (let child = node.node.firstChild; child; child = child.nextSibling) {
		if (MARKS.has(child.name)) hide(child.from, child.to);
	}
	if (link) {
		const [open, title] = [node.node.getChild("URL"), node.node.getChild("LinkTitle")];
		if (open && title) hide(open.to, title.from);
	}
}

function decorateItem(state: EditorState, node: SyntaxNodeRef, ranges: Range<Decoration>[]): void {
	const start = state.doc.lineAt(node.from);
	const depth = state.sliceDoc(start.from, node.from);
	if (/^\s*$/.test(depth)) ranges.push(line("md-item").range(start.from));
	const isBullet = node.node.parent?.parent?.name === "BulletList";
	if (!isBullet || touches(state, node.from, node.to + 1)) return;
	const isTask = state.sliceDoc(node.to, node.to + 2) === " [";
	if (isTask) ranges.push(hidden.range(node.from, Math.min(node.to + 1, state.doc.length)));
	else {
		const to = Math.min(pastBlank(state, node.to), start.to);
		ranges.push(Decoration.replace({ widget: new Bullet() }).range(node.from, to));
	}
}

function everyLine(
	state: EditorState,
	node: SyntaxNodeRef,
	from: number,
	to: number,
	mark: (at: number) => void,
): void {
	const end = Math.min(node.to, to);
	for (let at = state.doc.lineAt(Math.max(node.from, from)); ; at = state.doc.line(at.number + 1)) {
		mark(at.from);
		if (at.to >= end || at.number === state.doc.lines) return;
	}
}

function touches(state: EditorState, from: number, to: number): boolean {
	return state.selection.ranges.some((range) => range.from <= to && range.to >= from);
}

function onLine(state: EditorState, node: SyntaxNodeRef): boolean {
	const first = state.doc.lineAt(node.from);
	return touches(state, first.from, node.to <= first.to ? first.to : node.to);
}

const pastBlank = (state: EditorState, at: number): number => (state.sliceDoc(at, at + 1) === " " ? at + 1 : at);
