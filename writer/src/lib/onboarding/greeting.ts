import { unwrap } from "$lib/api/client";
import type { Desk } from "$lib/desk.svelte";
import { preferences } from "$lib/preferences.svelte";
import { to } from "$lib/route.svelte";

/** Lead somebody who has never been here, and has nothing in the library, to the first steps. Other addresses stand. */
export async function greet(desk: Desk): Promise<void> {
	const isAtTheDoor = (): boolean => desk.route.place.view === "drafts" && desk.route.place.id === null;
	if (preferences.welcomed || !isAtTheDoor()) return;
	try {
		const { documents } = await unwrap(desk.api.http.GET("/api/stats"));
		if (documents === 0 && isAtTheDoor()) desk.route.replace(to("welcome"));
	} catch {
		// Whoever cannot be asked is not greeted; the view says what is wrong.
	}
}
