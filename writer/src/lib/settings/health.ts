import type { Schemas } from "$lib/api/client";

/** A part of Extrophi, and what it needs. */
export interface Part {
	name: string;
	isWell: boolean;
	dependencies: { name: string; isWell: boolean; detail: string; settings: readonly string[] }[];
}

/** Which settings say where a dependency is (docs/settings.md). */
const SETTINGS: Readonly<Record<string, readonly string[]>> = {
	backend: ["BACKEND_URL"],
	research: ["RESEARCH_URL"],
	database: ["DATABASE_URL"],
	redis: ["REDIS_URL"],
	captures: ["EXTROPHI_CAPTURES_URL", "EXTROPHI_DATA"],
	vectors: ["VECTOR_STORE", "CHROMA_URL"],
	keyword_index: ["EXTROPHI_DATA"],
	service_key: ["EXTROPHI_SERVICE_KEY"],
};

/** The health of the whole, part by part. One that does not answer is its own only dependency. */
export function readHealth(health: Schemas["Health"]): Part[] {
	return Object.entries(health.components).map(([name, told]) => {
		const given = told.dependencies as Record<string, string> | undefined;
		const dependencies = Object.entries(given ?? { [name]: "" }).map(([one, detail]) => ({
			name: one,
			isWell: detail === "ok",
			detail,
			settings: SETTINGS[one] ?? [],
		}));
		return { name, isWell: told.status === "ok", dependencies };
	});
}
