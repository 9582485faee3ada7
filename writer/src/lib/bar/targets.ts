/** What of a typed line can be collected, and what is asked of it. */

export interface Wish {
	/** As typed: Extrophi says what each is, or asks. */
	targets: readonly string[];
	/** The rest; empty where nothing is asked. */
	question: string;
}

// Words, or what stands in double quotes: paths may hold spaces.
const WORD = /"[^"]+"|\S+/gu;
const AROUND = /^[<([{"'“‘«]+|[>)\]}"'”’»,;:!?.…]+$/gu;
const KINDS: readonly RegExp[] = [
	/^https?:\/\/[^\s/]+/iu,
	/^(?:[\p{L}\p{N}-]+\.)+\p{L}{2,}\/\S*$/u, // holm.example/post: a path, else half of all sentences would hold one
	/^www\.\S+\.\S+$/iu,
	/^\/?r\/\w{2,21}$/u,
	/^\/?u(?:ser)?\/[\w-]{3,20}$/u,
	/^@[\w.·-]{2,50}$/u,
	/^\/[^/\s].*$/su,
	/^[a-z]:[\\/]\S/isu,
];

/** Targets in a line. Those at its ends are no part of the question; one within it is, and is asked about by name. */
export function readWish(typed: string): Wish {
	const words = Array.from(typed.matchAll(WORD), (found) => ({
		start: found.index,
		end: found.index + found[0].length,
		target: targetOf(found[0]),
	}));
	const targets = [...new Set(words.flatMap(({ target }) => target ?? []))];
	const first = words.findIndex(({ target }) => target === null);
	if (first < 0) return { targets, question: "" };
	const last = words.findLastIndex(({ target }) => target === null);
	return { targets, question: typed.slice(words[first]?.start, words[last]?.end).trim() };
}

function targetOf(word: string): string | null {
	const bare = word.replace(AROUND, "");
	return KINDS.some((kind) => kind.test(bare)) ? bare : null;
}

/** Whether a line is a question, as far as that can be told from its looks. */
export function isQuestion(typed: string): boolean {
	return /[?？؟;՞]\s*$/u.test(typed) && typed.trim().length > 1;
}

const HOSTS: readonly [RegExp, string][] = [
	[/(?:^|[./])(?:x|twitter)\.com(?:\/|$)/i, "twitter"],
	[/(?:^|[./])(?:youtube\.com|youtu\.be)(?:\/|$)/i, "youtube"],
	[/(?:^|[./])(?:reddit\.com|redd\.it)(?:\/|$)|^\/?(?:r|u|user)\//i, "reddit"],
];

/** The platform that a target looks like, to say beforehand what it would need; null where its looks tell none. */
export function likelyPlatform(target: string): string | null {
	return HOSTS.find(([host]) => host.test(target))?.[1] ?? null;
}
