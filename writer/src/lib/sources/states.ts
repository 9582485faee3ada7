import type { Schemas } from "$lib/api/client";
import { t } from "$lib/text";

export type Source = Schemas["SourceOut"];
export type State = Source["state"];
export type Job = Schemas["ListedJob"];

/** How a state is to be taken. */
export type Mood = "fine" | "waits" | "attention" | "lost" | "rests" | "absent";

const MOODS: Readonly<Record<State, Mood>> = {
	new: "waits",
	collected: "fine",
	unchanged: "fine",
	blocked: "attention",
	login_needed: "attention",
	rate_limited: "waits",
	no_captions: "attention",
	not_yet: "waits",
	removed: "lost",
	gone: "lost",
	failed: "lost",
	paused: "rests",
};
export const STATES = Object.keys(MOODS) as State[];

export const moodOf = (state: State): Mood => MOODS[state];

const JOB_MOODS: Readonly<Record<Job["status"], Mood>> = {
	queued: "waits",
	running: "waits",
	succeeded: "fine",
	partial: "attention",
	failed: "lost",
	canceled: "rests",
};
export const moodOfJob = (job: Job): Mood => JOB_MOODS[job.status];
export const isOpen = (job: { status: Job["status"] }): boolean => job.status === "queued" || job.status === "running";

/** Those that want somebody come first. */
const ORDER: readonly Mood[] = ["lost", "attention", "waits", "fine", "rests"];

export const SORTS = ["newest", "name", "state", "next", "looked"] as const;
export type Sort = (typeof SORTS)[number];

/** A source as people call it: `youtube.com/@nasa` rather than the number that YouTube knows it by. */
export function nameOf({ title, typed, target }: { title: string; typed: string; target: string }): string {
	const [short, given] = [shortTarget(target), shortTarget(typed)];
	return title || (given.length < short.length ? given : short);
}

/** A target without what all of its kind have: `example.org/blog` rather than `https://www.example.org/blog/`. */
export function shortTarget(target: string): string {
	return target
		.replace(/^https?:\/\/(www\.)?/, "")
		.replace(/^reddit\.com\/(r\/[^/]+)\/(new\/)?$/, "$1")
		.replace(/\/$/, "");
}

/** In the wanted order; what is alike stays as it was. Missing moments come last. */
export function sorted(sources: readonly Source[], by: Sort): Source[] {
	const keys: Readonly<Record<Sort, (a: Source, b: Source) => number>> = {
		newest: () => 0,
		name: (a, b) => nameOf(a).localeCompare(nameOf(b), undefined, { sensitivity: "base", numeric: true }),
		state: (a, b) => ORDER.indexOf(moodOf(a.state)) - ORDER.indexOf(moodOf(b.state)),
		next: (a, b) => moment(a.next_run_at) - moment(b.next_run_at),
		looked: (a, b) => moment(b.looked_at, -Infinity) - moment(a.looked_at, -Infinity) || 0,
	};
	return [...sources].sort((a, b) => keys[by](a, b) || 0);
}

const moment = (text: string | null, none = Infinity): number => (text ? new Date(text).getTime() : none);

/** Whether a source is one that the words name, in whatever order. */
export function holds(source: Source, words: string): boolean {
	const text = `${source.title} ${source.target} ${source.collection}`.toLowerCase();
	return words
		.toLowerCase()
		.split(/\s+/)
		.every((word) => text.includes(word));
}

export const SCHEDULES = ["auto", "1h", "6h", "1d", "1w", "never"] as const;

/** A schedule in words, where we have words for it. */
export function scheduleInWords(schedule: string): string {
	return t.sources.schedules[schedule] ?? schedule;
}
