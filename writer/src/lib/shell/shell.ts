import type { Connection } from "$lib/api/client";

/** What is around the Writer: a browser, or the desktop program. All that differs between the two is behind this. */
export interface Shell {
	readonly kind: "browser" | "desktop";
	/** Where Extrophi is. The desktop program finds one, or starts it. */
	connect(): Promise<Connection>;
	/** Save bytes where the person wants them; false when they thought better of it. */
	save(name: string, bytes: Blob): Promise<boolean>;
	/** Open an address outside: a browser's tab. Only http, https and mailto. */
	open(url: string): Promise<void>;
	/** Drafts that are files in a folder of the person's. Null where there are no files. */
	readonly folder: Folder | null;
	/** Called with the route (`#/…`) of each `extrophi://` link or file that the system hands us. */
	onOpened(open: (route: string) => void): void;
}

/** Files that are drafts: then the file is the master, and anybody may change it. */
export interface Folder {
	list(): Promise<readonly FileDraft[]>;
	read(id: string): Promise<FileDraft & { text: string; references: string }>;
	/** Throws a `Problem` `draft_changed` when the file is no longer what `seen` was. */
	write(id: string, content: { text: string; references: string }, seen: string): Promise<FileDraft>;
	create(name: string): Promise<FileDraft>;
	remove(id: string): Promise<void>;
	choose(): Promise<string | null>;
	watch(changed: (id: string) => void): void;
}

export interface FileDraft {
	id: string;
	name: string;
	/** Tells two contents apart. */
	stamp: string;
	modifiedAt: string;
}

const OUTSIDE = new Set(["http:", "https:", "mailto:"]);

/** Whether an address may be opened outside. What was collected may hold any (`javascript:`, `file:`, a program's own). */
export function isOutside(url: string): boolean {
	return URL.canParse(url) && OUTSIDE.has(new URL(url).protocol);
}
