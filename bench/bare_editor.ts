/** The editor that the Writer builds upon, by itself: what `keystrokes.py` measures beside it. Reached as `bare(text)`. */
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { markdownLanguage } from "@codemirror/lang-markdown";
import { LanguageSupport } from "@codemirror/language";
import { drawSelection, EditorView, keymap } from "@codemirror/view";

function bare(doc: string): void {
	const extensions = [
		history(),
		drawSelection(),
		EditorView.lineWrapping,
		new LanguageSupport(markdownLanguage),
		keymap.of([...defaultKeymap, ...historyKeymap]),
		EditorView.contentAttributes.of({ spellcheck: "true" }),
		EditorView.theme({
			"&": { height: "100vh", font: "18px/1.6 serif" },
			".cm-content": { maxWidth: "42rem", margin: "0 auto" },
		}),
	];
	const parent = document.body;
	parent.replaceChildren();
	Object.assign(globalThis, { view: new EditorView({ doc, extensions, parent }) });
}
Object.assign(globalThis, { bare });
