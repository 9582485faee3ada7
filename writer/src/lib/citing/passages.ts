import type { Reference, Span } from "./models";
import { shared, tellingStems } from "./words";

const plain = (locator: string): string => locator.replace(/\s+/g, " ").replace(/[.,]$/, "").toLowerCase();

/**
 * The passages that a citation in the text stands for.
 *
 * Its locator says which; where several have it, or a person wrote another, the one whose words are most like those
 * around the citation. Where that tells nothing either, all that it may be.
 */
export function spansAt(reference: Reference, locator: string, around: string): readonly Span[] {
	const spans = reference.custom?.extrophi?.spans ?? [];
	const there = spans.filter((span) => plain(span.locator) === plain(locator));
	return nearest(there.length > 0 ? there : spans, around);
}

function nearest(spans: readonly Span[], around: string): readonly Span[] {
	if (spans.length < 2) return spans;
	const stems = tellingStems(around);
	const likeness = spans.map(({ quote }) => {
		const wanted = tellingStems(quote).size;
		return wanted === 0 ? 0 : new Set(shared(quote, stems).map(({ folded }) => folded)).size / wanted;
	});
	const best = Math.max(...likeness);
	return spans.filter((_, n) => likeness[n] === best);
}
