import type { Schemas } from "$lib/api/client";

/** What is said to a question, whole. */
export type Answer = Schemas["AnswerOut"];
/** A passage that an answer stands on, under its number in the text. */
export type Numbered = Schemas["NumberedCitation"];
/** What was looked through for an answer. */
export type Searched = Schemas["SearchedOut"];
export type Filters = Partial<Schemas["FiltersIn"]>;

/** What an answer is to be made from. */
export interface Scope {
	filters: Filters;
	/** A moment: only what the library held then. */
	asOf: string | null;
}

export const WHOLE_LIBRARY: Scope = { filters: {}, asOf: null };

/** A job of an investigation as its event tells it; a target that cannot be collected never became a job. */
export type Collecting = Schemas["JobOut"] | Refused;

export interface Refused {
	id?: undefined;
	target: string;
	status: "failed";
	error: { code: string; detail: string; hint?: string | null };
}

/** The model that answers without a chat model: by the sources' own sentences. */
export const EXTRACTIVE = "extractive";
