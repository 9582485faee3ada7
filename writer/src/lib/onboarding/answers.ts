import type { Schemas } from "$lib/api/client";

export type Numbered = Schemas["NumberedCitation"];
export type Part = { text: string } | { n: number };

/** An answer in its parts: text, and numbers of citations. A source's own numbers come as `\[12\]`, and are text. */
export function partsOf(answer: string): Part[] {
	const parts: Part[] = [];
	let at = 0;
	for (const found of answer.matchAll(/(?<!\\)\[(\d+)\]/g)) {
		if (found.index > at) parts.push({ text: unescaped(answer.slice(at, found.index)) });
		parts.push({ n: Number(found[1]) });
		at = found.index + found[0].length;
	}
	if (at < answer.length) parts.push({ text: unescaped(answer.slice(at)) });
	return parts;
}

const unescaped = (text: string): string => text.replace(/\\([[\]\\])/g, "$1");
