import { createContext } from "svelte";
import { Api, type Connection } from "$lib/api/client";
import type { OpenDraft, Reference } from "$lib/citing/models";
import { Commands } from "$lib/keys/commands.svelte";
import { Route } from "$lib/route.svelte";
import type { Shell } from "$lib/shell/shell";
import { Toasts } from "$lib/ui/toasts.svelte";

/** Markdown for a draft, and the references with which it goes: those of the draft, and what it cites beyond them. */
export type Handed = (references: readonly Reference[]) => { markdown: string; references: readonly Reference[] };

/** What every view has in reach. Made once, given by context. */
export class Desk {
	readonly api: Api;
	readonly route = new Route();
	readonly commands = new Commands();
	readonly toasts = new Toasts();
	/** The draft that is open, if one is. */
	draft = $state.raw<OpenDraft | null>(null);
	/** What a draft is to begin with, or gets at its end when it opens. Null: the next new one. */
	handed: { draft: string | null; write: Handed } | null = null;

	/** Whether a key is asked for before anything else can be. */
	locked = $state(false);

	constructor(
		readonly shell: Shell,
		connection: Connection,
	) {
		this.api = new Api(connection);
		this.api.onlocked = () => (this.locked = true);
	}
}

export const [getDesk, setDesk] = createContext<Desk>();
