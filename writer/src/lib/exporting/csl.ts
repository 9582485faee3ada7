import type { Reference } from "$lib/citing/models";

/**
 * A bibliography as CSL-JSON, which is what a draft keeps: nothing is lost, and a post stays a post.
 *
 * Args:
 *     origins: Whether to keep what only Extrophi reads, under `custom`: which document and which passages.
 */
export function writeCSL(references: readonly Reference[], origins: boolean): string {
	const written = origins ? references : references.map(withoutOrigin);
	return `${JSON.stringify(written, null, "\t")}\n`;
}

function withoutOrigin({ custom, ...reference }: Reference): object {
	const others = Object.fromEntries(Object.entries(custom ?? {}).filter(([name]) => name !== "extrophi"));
	return Object.keys(others).length > 0 ? { ...reference, custom: others } : reference;
}
