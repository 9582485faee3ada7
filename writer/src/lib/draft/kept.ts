/**
 * What is written, kept on this device (IndexedDB), whatever becomes of the network, the server, or this window.
 *
 * Each session, a draft as one window has it open, keeps a record of its own, so that two never write over one another. A
 * record that was not saved, and whose session is over, is what a crash left, or a server that was away: the next session of
 * the draft takes it over.
 */
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import { v4 as uuid } from "uuid";
import type { Connection } from "$lib/api/client";
import type { Content, Saved } from "./models";

export interface KeptDraft extends Content {
	draft: string;
	/** The session: its window's name, a point, and a number. */
	window: string;
	/** What the server had when this was written from it; null: it never had the draft. */
	base: Saved | null;
	/** Whether the server has all of it. */
	saved: boolean;
	/** Milliseconds since 1970. */
	at: number;
}

interface Schema extends DBSchema {
	drafts: { key: [string, string]; value: KeptDraft; indexes: { draft: string } };
	/** Images that the server does not have yet. */
	images: { key: [string, string]; value: { draft: string; name: string; bytes: Blob } };
}

/** Records that the server has, too, are kept so long, to open a draft without it. */
const SAVED_FOR = 30 * 24 * 3600 * 1000; // ms

/** Where a tab notes its window, for the page after a reload. */
const WINDOW = "extrophi.window";
/** ms; a tab that was duplicated has the name of a window that lives, and need not wait for longer. */
const RELEASE = 1_000;

export class Kept {
	/** This window, for as long as it lives. */
	readonly #window = uuid();
	readonly #sessions = new Set<string>();
	#begun = 0;
	#alive: Promise<void> | null = null;

	private constructor(private readonly db: IDBPDatabase<Schema> | null) {}

	/** Where the browser keeps nothing (a private window of some), an empty one whose `put` says false. */
	static async open(extrophi: string): Promise<Kept> {
		const db = await openDB<Schema>(["extrophi", extrophi].filter(Boolean).join(" "), 1, {
			upgrade(made) {
				made.createObjectStore("drafts", { keyPath: ["draft", "window"] }).createIndex("draft", "draft");
				made.createObjectStore("images", { keyPath: ["draft", "name"] });
			},
			// Another window of a newer release waits for this one to let go.
			blocking: (_, __, event) => (event.target as IDBDatabase).close(),
		}).catch(() => null);
		const kept = new Kept(db);
		// A reload may be here before the browser has let go of what the page before it held: what that one left is this one's.
		const before = windowBefore(kept.#window);
		if (before) await released(lockOf(before));
		kept.#alive = holdLock(lockOf(kept.#window));
		await kept.#alive;
		// Only over https and on this machine can the browser be asked to keep it when room is short.
		if ("storage" in navigator) void navigator.storage.persist().catch(() => false);
		return kept;
	}

	/** A session begins; its name. */
	begin(): string {
		const name = `${this.#window}.${this.#begun++}`;
		this.#sessions.add(name);
		return name;
	}

	/** It is over: what it left unsaved is the next one's. */
	end(session: string): void {
		this.#sessions.delete(session);
	}

	/** Whether it is kept now. False where the browser keeps nothing, or its room is used up. */
	async put(draft: Omit<KeptDraft, "at">): Promise<boolean> {
		try {
			await this.db?.put("drafts", { ...draft, at: Date.now() });
			return this.db !== null;
		} catch {
			return false;
		}
	}

	/** What sessions left of a draft: the unsaved first, the oldest of them first. Those that go on keep theirs. */
	async left(draft: string): Promise<KeptDraft[]> {
		const all = (await this.db?.getAllFromIndex("drafts", "draft", draft)) ?? [];
		return (await this.#over(all)).sort((one, other) => Number(one.saved) - Number(other.saved) || one.at - other.at);
	}

	/** The drafts of which sessions left something that the server does not have. */
	async unsaved(): Promise<Set<string>> {
		const all = ((await this.db?.getAll("drafts")) ?? []).filter((one) => !one.saved);
		return new Set((await this.#over(all)).map((one) => one.draft));
	}

	/** Those of the records whose session is over. */
	async #over(records: readonly KeptDraft[]): Promise<KeptDraft[]> {
		const living = await livingLocks();
		return records.filter(({ window: session }) => {
			const [window = ""] = session.split(".");
			return window === this.#window ? !this.#sessions.has(session) : !living.has(lockOf(window));
		});
	}

	/** Forget records that are taken over, or whose draft is gone. */
	async forget(records: readonly Pick<KeptDraft, "draft" | "window">[]): Promise<void> {
		const done = this.db?.transaction("drafts", "readwrite");
		for (const one of records) void done?.store.delete([one.draft, one.window]);
		await done?.done;
	}

	/** Forget all that the server has, too, but for what is open in a window. */
	async forgetSaved(): Promise<void> {
		const all = (await this.db?.getAll("drafts")) ?? [];
		await this.forget(await this.#over(all.filter((one) => one.saved)));
	}

	/** Forget a draft that was removed for good. */
	async forgetDraft(draft: string): Promise<void> {
		await this.forget((await this.db?.getAllFromIndex("drafts", "draft", draft)) ?? []);
	}

	/** The newest record of each draft on this device, for a list while the server is away. */
	async newest(): Promise<KeptDraft[]> {
		const all = ((await this.db?.getAll("drafts")) ?? []).sort((one, other) => one.at - other.at);
		return [...new Map(all.map((one) => [one.draft, one])).values()].reverse();
	}

	/** Forget what the server has had for long. */
	async tidy(): Promise<void> {
		const all = (await this.db?.getAll("drafts")) ?? [];
		await this.forget(
			all.filter((one) => one.saved && one.at < Date.now() - SAVED_FOR && !this.#sessions.has(one.window)),
		);
	}

	async putImage(draft: string, name: string, bytes: Blob): Promise<boolean> {
		try {
			await this.db?.put("images", { draft, name, bytes });
			return this.db !== null;
		} catch {
			return false;
		}
	}

	async image(draft: string, name: string): Promise<Blob | null> {
		return (await this.db?.get("images", [draft, name]))?.bytes ?? null;
	}

	/** The images of a draft that the server does not have yet. */
	async images(draft: string): Promise<{ name: string; bytes: Blob }[]> {
		return (await this.db?.getAll("images", IDBKeyRange.bound([draft], [draft, []]))) ?? [];
	}

	async forgetImage(draft: string, name: string): Promise<void> {
		await this.db?.delete("images", [draft, name]);
	}
}

let opened: Promise<Kept> | undefined;
/** This window's, for the Extrophi it speaks to: one for as long as it lives, since it holds a lock. */
export const keptHere = ({ name }: Connection): Promise<Kept> => (opened ??= Kept.open(name));

/** The window that the page before this one was, and a note for the one after it. */
function windowBefore(now: string): string | null {
	try {
		const before = sessionStorage.getItem(WINDOW);
		sessionStorage.setItem(WINDOW, now);
		return before;
	} catch {
		return null; // a browser that keeps nothing for sites
	}
}

const lockOf = (window: string): string => `extrophi-window-${window}`;

/** Held until the window closes or dies; resolves once it is held. Nothing happens where there are no locks (plain http). */
async function holdLock(name: string): Promise<void> {
	if (!("locks" in navigator)) return;
	await new Promise<void>((held) => {
		void navigator.locks.request(name, () => {
			held();
			return new Promise(() => undefined);
		});
	});
}

/** Resolves when nobody holds the lock, or after a moment. */
async function released(name: string): Promise<void> {
	if (!("locks" in navigator)) return;
	const signal = AbortSignal.timeout(RELEASE);
	await navigator.locks.request(name, { signal }, () => undefined).catch(() => undefined);
}

async function livingLocks(): Promise<ReadonlySet<string>> {
	if (!("locks" in navigator)) return new Set();
	const { held } = await navigator.locks.query();
	return new Set(held?.flatMap((lock) => lock.name ?? []));
}
