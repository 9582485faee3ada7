import { createContext } from "svelte";
import { Api, type Connection } from "$lib/api/client";
import type { OpenDraft } from "$lib/citing/models";
import { Commands } from "$lib/keys/commands.svelte";
import { Route } from "$lib/route.svelte";
import type { Shell } from "$lib/shell/shell";
import { Toasts } from "$lib/ui/toasts.svelte";

/** What every view has in reach. Made once, given by context. */
export class Desk {
	readonly api: Api;
	readonly route = new Route();
	readonly commands = new Commands();
	readonly toasts = new Toasts();
	/** The draft that is open, if one is. */
	draft = $state.raw<OpenDraft | null>(null);

	constructor(
		readonly shell: Shell,
		connection: Connection,
	) {
		this.api = new Api(connection);
	}
}

export const [getDesk, setDesk] = createContext<Desk>();
