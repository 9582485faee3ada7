import { validate } from "uuid";
import { unwrap, type Api, type Schemas } from "$lib/api/client";
import type { Reference, Span } from "./models";
import { LONGEST_QUOTE } from "./reading";

export type Checked = Schemas["CheckedOut"];
/** `same` says nothing; `gone` is a document that its source no longer has, as far as its text goes unchanged. */
export type Mood = "same" | "changed" | "vanished" | "gone" | "deleted" | "unknown";

type Place = Schemas["CitedIn"];
export type Check = (places: readonly Place[]) => Promise<readonly Checked[]>;

const MOST = 500; // places in a call: the API's limit
const EVERY = 5 * 60_000; // ms
const SOON = 1_500; // ms after a reference came, so that a hand full of them is one call
const WORST: readonly Mood[] = ["deleted", "vanished", "changed", "gone", "unknown", "same"];

export const checkWith =
	(api: Api): Check =>
	async (places) => {
		const body = { citations: [...places] };
		return (await unwrap(api.http.POST("/api/citations/check", { body }))).items;
	};

export function moodOf(checked: Checked | undefined): Mood {
	if (!checked) return "same";
	if (checked.state === "same" || checked.state === "moved") return checked.gone_at === null ? "same" : "gone";
	return checked.state;
}

/** The one that a mark shows where several passages are cited. */
export const worst = (moods: readonly Mood[]): Mood => WORST.find((mood) => moods.includes(mood)) ?? "same";

/** Whether what a draft cites is still so at its source. One per open draft. */
export class Standing {
	#byPlace = $state.raw<ReadonlyMap<string, Checked>>(new Map());

	constructor(private readonly check: Check) {}

	/** What became of a passage; undefined while nobody has looked. */
	of(reference: Reference, span: Span): Checked | undefined {
		const origin = reference.custom?.extrophi;
		return origin && this.#byPlace.get(keyOf({ document_id: origin.document_id, ...span }));
	}

	/** Read in an effect, it runs again when anything is known anew. */
	seen(): unknown {
		return this.#byPlace;
	}

	/** Look now, and again every few minutes while the page is seen, until what is returned is called. */
	follow(references: () => readonly Reference[]): () => void {
		let soon: ReturnType<typeof setTimeout> | undefined;
		const all = (): void => {
			if (document.visibilityState === "visible") void this.look(references());
		};
		const every = setInterval(all, EVERY);
		const stop = $effect.root(() => {
			$effect(() => {
				const now = references();
				clearTimeout(soon);
				soon = setTimeout(() => void this.look(now, true), SOON);
			});
		});
		return () => {
			stop();
			clearInterval(every);
			clearTimeout(soon);
		};
	}

	/** Ask of all passages, or only of those that nobody has asked of. What cannot be asked stays as it was. */
	async look(references: readonly Reference[], onlyNew = false): Promise<void> {
		const places = placesOf(references).filter((place) => !onlyNew || !this.#byPlace.has(keyOf(place)));
		for (let at = 0; at < places.length; at += MOST) {
			const batch = places.slice(at, at + MOST);
			try {
				const found = await this.check(batch);
				this.#byPlace = new Map([...this.#byPlace, ...batch.flatMap((place, n) => pair(place, found[n]))]);
			} catch {
				return; // The next look asks again; a mark without a word claims nothing.
			}
		}
	}
}

const keyOf = ({ document_id, version, start, end }: Place): string => [document_id, version, start, end].join();

const pair = (place: Place, checked: Checked | undefined): [string, Checked][] =>
	checked ? [[keyOf(place), checked]] : [];

/** The API refuses a call for one place that cannot be: the others are asked without it. */
function mayBeAsked({ document_id, version, start, end }: Place): boolean {
	const isSpan = start >= 0 && start <= end && end - start <= LONGEST_QUOTE && end < 2 ** 31;
	return validate(document_id) && version >= 1 && version < 2 ** 31 && isSpan;
}

function placesOf(references: readonly Reference[]): Place[] {
	return references.flatMap(({ custom }) => {
		const origin = custom?.extrophi;
		if (!origin) return [];
		const { document_id } = origin;
		return origin.spans.map(({ version, start, end }) => ({ document_id, version, start, end })).filter(mayBeAsked);
	});
}
