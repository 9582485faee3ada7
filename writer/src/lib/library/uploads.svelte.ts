import { problemOf, type Api, type Schemas } from "$lib/api/client";
import { toProblem } from "$lib/api/problems";

/** A file that is being added, and what came of it. */
export interface Upload {
	/** Its path from what was dropped. */
	name: string;
	file: File;
	state: "waiting" | "created" | "updated" | "unchanged" | "failed";
	/** Why it could not be added. */
	detail: string | null;
	id: string | null;
}

const AT_ONCE = 2;

/** Files on their way into the library: each by itself, so that each has its result and none waits for the largest. */
export class Uploads {
	all = $state.raw<readonly Upload[]>([]);
	readonly done = $derived(this.all.filter(({ state }) => state !== "waiting").length);
	readonly isBusy = $derived(this.done < this.all.length);

	constructor(
		private readonly api: Api,
		private readonly collection: () => string,
	) {}

	/** Ends when all that were given have a result. */
	async add(files: readonly { name: string; file: File }[]): Promise<void> {
		const first = this.isBusy ? this.all.length : 0;
		const before = this.isBusy ? this.all : [];
		const added = files.map((one): Upload => ({ ...one, state: "waiting", detail: null, id: null }));
		this.all = [...before, ...added];
		const indexes = added.keys();
		const work = async (): Promise<void> => {
			for (const n of indexes) this.#put(first + n, await this.#send(added[n] as Upload));
		};
		await Promise.all(Array.from({ length: AT_ONCE }, work));
	}

	clear(): void {
		this.all = [];
	}

	async #send({ name, file }: Upload): Promise<Partial<Upload>> {
		try {
			const body = new FormData();
			body.append("files", file, name);
			body.append("collection", this.collection());
			const request = new Request(`${this.api.origin}/api/uploads`, { method: "POST", body });
			const response = await this.api.fetch(request);
			if (!response.ok) throw await problemOf(response);
			const { items, failures } = (await response.json()) as Schemas["Uploaded"];
			const saved = items[0];
			if (!saved) return { state: "failed", detail: failures[0]?.detail ?? null };
			return { state: saved.status, id: saved.id };
		} catch (error) {
			const { detail, hint } = toProblem(error);
			return { state: "failed", detail: hint ? `${detail} ${hint}` : detail };
		}
	}

	#put(index: number, change: Partial<Upload>): void {
		this.all = this.all.map((one, n) => (n === index ? { ...one, ...change } : one));
	}
}

/** The files of a drop, those in folders, too. It has to be called while the event lasts. */
export function filesOf(data: DataTransfer): Promise<{ name: string; file: File }[]> {
	const entries = [...data.items].map((item) => (item.kind === "file" ? item.webkitGetAsEntry() : null));
	return Promise.all(entries.flatMap((entry) => (entry ? [within(entry)] : []))).then((found) => found.flat());
}

async function within(entry: FileSystemEntry): Promise<{ name: string; file: File }[]> {
	const name = entry.fullPath.replace(/^\//, "");
	if (entry.isFile) {
		const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
		return [{ name, file }];
	}
	const reader = (entry as FileSystemDirectoryEntry).createReader();
	const found: { name: string; file: File }[] = [];
	for (;;) {
		// A folder is read in parts; an empty one is the end.
		const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
		if (part.length === 0) return found;
		found.push(...(await Promise.all(part.map(within))).flat());
	}
}
