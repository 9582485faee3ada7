import { unwrap, type Api } from "$lib/api/client";

/** What there is to know of a platform before something of it is added: its credentials are missing, files are not read. */
export async function platformNotes(api: Api, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
	const { items } = await unwrap(api.http.GET("/api/platforms", { signal }));
	const lacking = items.filter((one) => one.credentials === "missing" || !one.available);
	return new Map(lacking.map((one) => [one.platform, one.hint]));
}
