/** What somebody pasted or dropped, as the targets in it: one a line, each once. */
export function readTargets(text: string): string[] {
	const found = new Set<string>();
	for (const line of text.split(/[\r\n]+/)) {
		// In a list of addresses (RFC 2483) a line that begins with # is a comment; no target begins so.
		if (line.startsWith("#")) continue;
		// Several addresses in one line: a search or a path may hold spaces, an address may not.
		const parts = line.trim().split(/[\s,]+(?=https?:\/\/)/);
		for (const part of parts) if (part.trim()) found.add(part.trim());
	}
	return [...found];
}

/** What a drop or a paste brought: addresses as text, or files, those of folders with their paths. */
export interface Brought {
	text: string;
	files: readonly NamedFile[];
}

/** A file and the name it is to have: within a dropped folder, its path. */
export interface NamedFile {
	name: string;
	file: File;
}

/** Read all of it at once: the browser empties a `DataTransfer` when the event's handler returns. */
export async function readBrought(transfer: DataTransfer): Promise<Brought> {
	const text = transfer.getData("text/uri-list") || transfer.getData("text/plain");
	const entries = [...transfer.items]
		.filter((item) => item.kind === "file")
		.map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
	const files: NamedFile[] = [];
	for (const entry of entries) {
		if (entry instanceof File) files.push({ name: entry.name, file: entry });
		else if (entry) files.push(...(await walk(entry)));
	}
	return { text: files.length > 0 ? "" : text, files };
}

const MOST_FILES = 5_000; // of one drop: a whole disk dropped by mistake should not hang the page

async function walk(entry: FileSystemEntry, found: NamedFile[] = []): Promise<NamedFile[]> {
	if (entry.name.startsWith(".") || found.length >= MOST_FILES) return found; // nobody's texts: .git, .DS_Store
	if (isFile(entry)) {
		const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
		found.push({ name: entry.fullPath.replace(/^\//, ""), file });
	} else if (isFolder(entry)) {
		const reader = entry.createReader();
		// A reader gives a hundred at a time, and an empty list at the end.
		for (;;) {
			const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
			if (some.length === 0) break;
			for (const one of some) await walk(one, found);
		}
	}
	return found;
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;

/** Whether a file may be a person's data archive: those come as ZIP files, and no document does. */
export function isArchive(file: NamedFile): boolean {
	return /\.zip$/i.test(file.name);
}

const BATCH_FILES = 16;
const BATCH_BYTES = 16_000_000;

/** Files in requests of a bearable size. One that is larger goes alone. */
export function batches(files: readonly NamedFile[]): NamedFile[][] {
	const made: NamedFile[][] = [];
	let bytes = Infinity;
	for (const one of files) {
		const last = made[made.length - 1];
		if (!last || last.length >= BATCH_FILES || bytes + one.file.size > BATCH_BYTES) {
			made.push([one]);
			bytes = one.file.size;
		} else {
			last.push(one);
			bytes += one.file.size;
		}
	}
	return made;
}
