/** Where in the Writer one is: a fragment of the page's address, so that it works from a file, a server and in Tauri. */
export interface Place {
	/** `drafts`, `library`, `documents`, `sources`, `answers`, `investigations`, `settings`. */
	view: string;
	id: string | null;
	query: URLSearchParams;
}

export function readPlace(hash: string): Place {
	const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
	const [view = "", id = ""] = path.split("/", 2);
	return { view: view || "drafts", id: id ? decode(id) : null, query: new URLSearchParams(query) };
}

function decode(part: string): string {
	try {
		return decodeURIComponent(part);
	} catch {
		return part;
	}
}

/** The address of a place, for `href`. */
export function to(
	view: string,
	id?: string | null,
	query?: Record<string, string | number | null | undefined>,
): string {
	const given = Object.entries(query ?? {}).filter(
		([, value]) => value !== null && value !== undefined && value !== "",
	);
	const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
	return `#/${view}${id ? `/${encodeURIComponent(id)}` : ""}${search ? `?${search}` : ""}`;
}

export class Route {
	place = $state.raw(readPlace(location.hash));

	constructor() {
		addEventListener("hashchange", () => (this.place = readPlace(location.hash)));
	}

	go(href: string): void {
		location.hash = href;
	}

	/** Another address of the same place: going back does not come by here. */
	replace(href: string): void {
		history.replaceState(history.state, "", href);
		this.place = readPlace(href);
	}
}
