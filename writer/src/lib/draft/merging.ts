/**
 * Two people, or two windows, wrote on from the same text: what both wrote, together.
 *
 * Paragraphs are merged first (Khanna, Kunal & Pierce, “A Formal Investigation of Diff3”, 2007), and words where both changed
 * one paragraph. Where both changed the same words, neither is preferred: it is a conflict, and the person decides.
 */
import { diff3Merge } from "node-diff3";
import type { Reference, Span } from "$lib/citing/models";
import { compared, LINES, WORDS, type Cut } from "./comparing";
import type { Content, DraftSettings, Part } from "./models";

/** The merged text in parts; without conflicts it has at most one. */
export function mergeTexts(base: string, mine: string, theirs: string): Part[] {
	if (mine === theirs || theirs === base) return joined([{ text: mine }]);
	if (mine === base) return joined([{ text: theirs }]);
	const byLines = merged({ base, mine, theirs }, LINES);
	return joined(byLines.flatMap((part) => ("text" in part ? [part] : merged(part, WORDS))));
}

/** The text, where there is no conflict in it; otherwise null. */
export function agreed(parts: readonly Part[]): string | null {
	const texts = parts.map((part) => ("text" in part ? part.text : null));
	return texts.includes(null) ? null : texts.join("");
}

/** References and settings never conflict: what one added stays, and of what both changed, mine. */
export function mergeRest(base: Content, mine: Content, theirs: Content): Pick<Content, "references" | "settings"> {
	return {
		references: mergeReferences(base.references, mine.references, theirs.references),
		settings: mergeSettings(base.settings, mine.settings, theirs.settings),
	};
}

/** What cannot be compared in time is a conflict as a whole: nothing of it is lost. */
function merged(versions: Exclude<Part, { text: string }>, cuts: readonly Cut[]): Part[] {
	const found = compared([versions.base, versions.mine, versions.theirs], cuts);
	if (!found) return [versions];
	const [base = [], mine = [], theirs = []] = found.rows.map((row) => [...row]);
	const parts = diff3Merge(mine, base, theirs, { excludeFalseConflicts: true }).map((region): Part =>
		region.ok
			? { text: region.ok.join("") }
			: {
					mine: region.conflict?.a.join("") ?? "",
					base: region.conflict?.o.join("") ?? "",
					theirs: region.conflict?.b.join("") ?? "",
				},
	);
	return [{ text: found.head }, ...parts, { text: found.tail }];
}

/** Neighbours that agree become one, and empty ones none. */
function joined(parts: readonly Part[]): Part[] {
	const kept: Part[] = [];
	for (const part of parts) {
		const last = kept.at(-1);
		if ("text" in part && part.text === "") continue;
		if ("text" in part && last && "text" in last) kept[kept.length - 1] = { text: last.text + part.text };
		else kept.push(part);
	}
	return kept;
}

function mergeReferences(
	base: readonly Reference[],
	mine: readonly Reference[],
	theirs: readonly Reference[],
): readonly Reference[] {
	const [before, other] = [byId(base), byId(theirs)];
	const kept = mine
		// What they took away, and I left as it was, is gone.
		.filter((one) => other.has(one.id) || !isEqual(before.get(one.id), one))
		.map((one) => {
			const theirOne = other.get(one.id);
			if (!theirOne) return one;
			return withSpans(isEqual(before.get(one.id), one) ? theirOne : one, one, theirOne);
		});
	const ids = new Set(mine.map((one) => one.id));
	// What is theirs alone is new, unless I took it away.
	const added = theirs.filter((one) => !ids.has(one.id) && !isEqual(before.get(one.id), one));
	return [...kept, ...added];
}

/** Both may have cited other passages of one document: all of them are kept. */
function withSpans(reference: Reference, one: Reference, other: Reference): Reference {
	const origin = reference.custom?.extrophi;
	if (!origin) return reference;
	const spans = new Map<string, Span>();
	for (const from of [one, other]) {
		for (const span of from.custom?.extrophi?.spans ?? []) spans.set(JSON.stringify(span), span);
	}
	return { ...reference, custom: { ...reference.custom, extrophi: { ...origin, spans: [...spans.values()] } } };
}

function mergeSettings(base: DraftSettings, mine: DraftSettings, theirs: DraftSettings): DraftSettings {
	const names = new Set([...Object.keys(mine), ...Object.keys(theirs)]);
	const chosen = [...names].map((name) => [name, isEqual(base[name], mine[name]) ? theirs[name] : mine[name]] as const);
	return Object.fromEntries(chosen.filter(([, value]) => value !== undefined));
}

const byId = (references: readonly Reference[]): Map<string, Reference> =>
	new Map(references.map((one) => [one.id, one]));
const isEqual = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
