import type { Offsets } from "$lib/offsets";

/** A passage that is selected, in code points of the document's text. */
export interface Selected {
	start: number;
	end: number;
	quote: string;
}

/**
 * What is selected in the text shown, or null for nothing.
 *
 * Every element with `data-start` holds a part of the document's text and nothing else, beginning at that unit. What lies
 * between them (names, times, buttons) is ours: a selection that ends there ends where the text before it does.
 */
export function selectedIn(root: HTMLElement, selection: Selection | null, offsets: Offsets): Selected | null {
	if (!selection || selection.isCollapsed || selection.rangeCount === 0) return null;
	const range = selection.getRangeAt(0);
	if (!root.contains(range.commonAncestorContainer)) return null;
	const parts = root.querySelectorAll<HTMLElement>("[data-start]");
	const start = unitAt(parts, range.startContainer, range.startOffset, "start");
	const end = unitAt(parts, range.endContainer, range.endOffset, "end");
	return start === null || end === null ? null : spanOf(offsets, start, end);
}

/** A span without the white space around it, as code points. Null where nothing is left. */
export function spanOf(offsets: Offsets, from: number, to: number): Selected | null {
	const words = offsets.text.slice(from, to);
	if (!words.trim()) return null;
	const start = offsets.toCodePoint(from + words.length - words.trimStart().length);
	// A place within a pair is moved to the pair's start: its end is the next one's start.
	const last = from + words.trimEnd().length;
	const end = offsets.toCodePoint(last) + (isWithinPair(offsets.text, last) ? 1 : 0);
	return { start, end, quote: offsets.slice(start, end) };
}

const isWithinPair = (text: string, at: number): boolean =>
	text.charCodeAt(at - 1) >> 10 === 0x36 && text.charCodeAt(at) >> 10 === 0x37;

/** The unit of the text at a place of the page; of one between two parts, where the next begins or the last ended. */
function unitAt(parts: NodeListOf<HTMLElement>, node: Node, offset: number, side: "start" | "end"): number | null {
	const element = node instanceof Element ? node : node.parentElement;
	const part = element?.closest<HTMLElement>("[data-start]");
	if (part) {
		const before = document.createRange();
		before.setStart(part, 0);
		before.setEnd(node, offset);
		return startOf(part) + before.toString().length;
	}
	const place = document.createRange();
	place.setStart(node, offset);
	let found: number | null = null;
	for (const one of parts) {
		const at = place.comparePoint(one, 0); // 1: the part begins after the place
		if (side === "start" && at > 0) return startOf(one);
		if (side === "end" && at < 0) found = startOf(one) + one.textContent.length;
	}
	return found;
}

const startOf = (part: HTMLElement): number => Number(part.dataset.start);
