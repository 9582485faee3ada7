import type { Connection } from "$lib/api/client";
import type { Problem } from "$lib/api/problems";

/** What is around the Writer: a browser, or the desktop program. All that differs between the two is behind this. */
export interface Shell {
	readonly kind: "browser" | "desktop";
	/** The way to Extrophi. The desktop program finds one, starts it, or has the person choose. */
	connect(): Promise<Connection>;
	/** Save bytes where the person wants them; false when they thought better of it. */
	save(name: string, bytes: Blob): Promise<boolean>;
	/** Open an address outside: a browser's tab. Only http, https and mailto. */
	open(url: string): Promise<void>;
	/** Drafts that are files in a folder of the person's. Null where there are no files. */
	readonly folder: Folder | null;
	/** What can be chosen and started. Null in a browser, which has the Extrophi that it came from. */
	readonly services: Services | null;
	/** Called with the route (`#/…`) of each `extrophi://` link or file that the system hands us, or why it is not opened. */
	onOpened(open: (route: string) => void, failed: (problem: Problem) => void): void;
	/** Called before the window closes, which waits for it a moment. A browser's window waits for nobody. */
	onClosing(finish: () => Promise<void>): void;
}

/** Files that are drafts: then the file is the master, and anybody may change it. */
export interface Folder {
	/** Its name; null while none is chosen. */
	name(): Promise<string | null>;
	/** Let the person choose one. Null: they thought better of it. */
	choose(): Promise<string | null>;
	/** The newest first. Beside the folder's, those that were opened by themselves. */
	list(): Promise<readonly FileDraft[]>;
	read(id: string): Promise<FileContent>;
	/** The new stamp. Throws a `Problem` `draft_changed` when the file is no longer what `seen` was; empty: it is not there. */
	write(id: string, text: string, references: readonly unknown[], seen: string): Promise<string>;
	create(name: string): Promise<FileDraft>;
	/** Keep an image beside the draft; its name. */
	putImage(id: string, bytes: Blob): Promise<string>;
	image(id: string, name: string): Promise<Blob>;
	/** Called for each draft that is changed, by whomever. */
	watch(changed: (id: string) => void): void;
}

export interface FileDraft {
	id: string;
	name: string;
	/** Milliseconds since 1970. */
	modified_at: number;
}

export interface FileContent {
	text: string;
	/** CSL-JSON. */
	references: readonly { id: string }[];
	/** Tells two contents apart. */
	stamp: string;
	writable: boolean;
}

export interface Services {
	/** Try a key with the Extrophi that is in use, and keep it. False: no keychain answers, so it is asked for again. */
	giveKey(key: string): Promise<boolean>;
	/** Let the person choose another Extrophi. The page begins anew with it. */
	choose(): void;
	/** How the start of this machine's Extrophi goes, as far as it is told while the page is there. What is returned ends it. */
	onProgress(told: (progress: Progress) => void): () => void;
}

export type Progress =
	{ state: "said"; line: string } | { state: "ready"; base: string } | { state: "failed"; problem: Problem };

const OUTSIDE = new Set(["http:", "https:", "mailto:"]);

/** Whether an address may be opened outside. What was collected may hold any (`javascript:`, `file:`, a program's own). */
export function isOutside(url: string): boolean {
	return URL.canParse(url) && OUTSIDE.has(new URL(url).protocol);
}

const FILE = "file:";

/** The id that a draft has in the Writer when it is a file. */
export const idOfFile = (id: string): string => `${FILE}${id}`;

/** The file's own id; null for a draft that is the server's. */
export const fileOf = (draft: string): string | null => (draft.startsWith(FILE) ? draft.slice(FILE.length) : null);
