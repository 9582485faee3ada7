import { toProblem, type Problem } from "$lib/api/problems";
import { readReferences } from "$lib/citing/reading";
import { fileOf, idOfFile, type FileDraft, type Folder } from "$lib/shell/shell";
import { CHANGES } from "./changes";
import type { Content, DraftSettings, Revision, Saved } from "./models";
import type { DraftStore } from "./server";

/** Goal and language have no place in a Markdown file: they are kept on this device. */
const SETTINGS = "extrophi.file-settings";

/** Drafts as files. The bibliography lies beside each (`name.bib.json`), images in `images/`. */
export class DraftFiles implements DraftStore {
	constructor(private readonly folder: Folder) {}

	async read(id: string, known?: Revision): Promise<(Saved & { trashed: boolean }) | null> {
		const { text, references, stamp } = await this.folder.read(idIn(id));
		if (stamp === known) return null;
		const settings = readSettings()[id] ?? {};
		return { revision: stamp, text, references: readReferences(references), settings, trashed: false };
	}

	/** Where there was one: a file that was taken away while it was open comes back. */
	create(id: string, content: Content): Promise<Revision> {
		return this.write(id, content, "");
	}

	async write(id: string, { text, references, settings }: Content, seen: Revision): Promise<Revision> {
		const stamp = await this.folder.write(idIn(id), text, references, String(seen));
		keepSettings(id, settings);
		return stamp;
	}

	/** Files have no trash of ours. */
	recover(): Promise<void> {
		return Promise.resolve();
	}

	putImage(id: string, bytes: Blob): Promise<string> {
		return this.folder.putImage(idIn(id), bytes);
	}

	async image(id: string, name: string): Promise<Blob | null> {
		try {
			return await this.folder.image(idIn(id), name);
		} catch (error) {
			if (toProblem(error).status === 404) return null;
			throw error;
		}
	}

	async imageSource(id: string, name: string): Promise<string> {
		const bytes = await this.image(id, name).catch(() => null);
		return bytes ? URL.createObjectURL(bytes) : "";
	}
}

/** The files in the list of drafts. */
export class FileList {
	/** The folder's name; null while none is chosen. */
	name = $state<string | null>(null);
	items = $state.raw<readonly FileDraft[]>([]);
	problem = $state.raw<Problem | null>(null);
	readonly #changes = new BroadcastChannel(CHANGES);
	#looking: ReturnType<typeof setTimeout> | undefined;

	constructor(private readonly folder: Folder) {
		folder.watch((id) => {
			this.#changes.postMessage({ id: idOfFile(id) });
			clearTimeout(this.#looking);
			this.#looking = setTimeout(() => void this.load(), 300); // many may change at once
		});
		void this.load();
	}

	async load(): Promise<void> {
		await this.#attempt(async () => {
			this.name = await this.folder.name();
			this.items = await this.folder.list();
		});
	}

	async choose(): Promise<void> {
		await this.#attempt(async () => {
			if ((await this.folder.choose()) !== null) await this.load();
		});
	}

	/** A new file; its draft's id. */
	async create(name: string): Promise<string | null> {
		return this.#attempt(async () => {
			const { id } = await this.folder.create(name);
			await this.load();
			return idOfFile(id);
		});
	}

	async #attempt<Result>(work: () => Promise<Result>): Promise<Result | null> {
		try {
			const result = await work();
			this.problem = null;
			return result;
		} catch (error) {
			this.problem = toProblem(error);
			return null;
		}
	}
}

const idIn = (draft: string): string => fileOf(draft) ?? "";

function readSettings(): Record<string, DraftSettings> {
	try {
		return JSON.parse(localStorage.getItem(SETTINGS) ?? "{}") as Record<string, DraftSettings>;
	} catch {
		return {};
	}
}

function keepSettings(id: string, settings: DraftSettings): void {
	const all = readSettings();
	if (JSON.stringify(all[id] ?? {}) === JSON.stringify(settings)) return;
	try {
		localStorage.setItem(SETTINGS, JSON.stringify({ ...all, [id]: settings }));
	} catch {
		// A full store: the goal holds until the window closes.
	}
}
