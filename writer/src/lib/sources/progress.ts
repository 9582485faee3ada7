import { plural, t } from "$lib/text";
import type { Job } from "./states";

/** “12 found, 3 new, 1 failed”: what there is none of is left out. */
export function inWords({ progress, finished_at }: Pick<Job, "progress" | "finished_at">): string {
	const { found, created, updated, unchanged, failed } = progress;
	const words = t.sources.jobs;
	const parts: [number, { one: string; other: string }][] = [
		[found, words.found],
		[created, words.created],
		[updated, words.updated],
		[unchanged, words.unchanged],
		[failed, words.failed],
	];
	const said = parts.filter(([count]) => count > 0).map(([count, forms]) => plural(count, forms));
	return said.join(", ") || (finished_at ? words.nothing : words.nothingYet);
}
