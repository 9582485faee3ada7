import { v4 as uuid } from "uuid";
import { unwrap, type Api } from "$lib/api/client";

/** A note of one's own is a document like any other: pushed in, found and cited by everything that finds and cites. */
export interface Note {
	external_id: string;
	platform: string;
	text: string;
	collections?: readonly string[];
}

const PREFIX = "note:";
const KEY = "extrophi.note";
const LONGEST_TITLE = 120;

export const isNote = (document: { platform: string; external_id: string }): boolean =>
	document.platform === "files" && document.external_id.startsWith(PREFIX);

/** What the first line that says something says, without Markdown's signs. */
export function titleOf(text: string): string {
	const line = text.split("\n").find((one) => /[\p{L}\p{N}]/u.test(one)) ?? "";
	const bare = line
		.replace(/^[\s#>*+-]+/, "")
		.replaceAll(/[*_`]/g, "")
		.trim();
	return bare.length <= LONGEST_TITLE ? bare : `${bare.slice(0, LONGEST_TITLE - 1).trimEnd()}…`;
}

/** Save a note, or another version of one; its document's id. */
export async function saveNote(
	api: Api,
	externalId: string | null,
	text: string,
	collections: readonly string[],
): Promise<string> {
	const saved = await unwrap(
		api.http.POST("/api/documents", {
			body: {
				documents: [
					{
						platform: "files",
						external_id: externalId ?? newNoteId(),
						title: titleOf(text),
						text,
						format: "markdown",
						collection: "default",
						collections: [...collections],
						anchors: [],
						state: "collected",
					},
				],
			},
		}),
	);
	return saved.items[0]?.id ?? "";
}

export const newNoteId = (): string => `${PREFIX}${uuid()}`;

/** What is being written, kept on this device until it is saved. One for each note, and one for a new one. */
export function unsaved(externalId: string | null): string | null {
	try {
		return localStorage.getItem(`${KEY}.${externalId ?? "new"}`);
	} catch {
		return null;
	}
}

export function keepUnsaved(externalId: string | null, text: string | null): void {
	try {
		if (text === null) localStorage.removeItem(`${KEY}.${externalId ?? "new"}`);
		else localStorage.setItem(`${KEY}.${externalId ?? "new"}`, text);
	} catch {
		// A full or forbidden store: it is kept while the dialog is open.
	}
}
