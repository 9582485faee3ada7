/** The desktop program's commands (`src-tauri/src/commands.rs`): the only way from the page to the machine. */
import { invoke, type Channel } from "@tauri-apps/api/core";
import { readProblem, type Problem } from "$lib/api/problems";
import type { FileContent, FileDraft } from "./shell";

/** What the program tells without being asked. */
export type Notice =
	| { kind: "opened"; route: string }
	| { kind: "opened_file"; id: string }
	| { kind: "changed"; id: string }
	| { kind: "service"; progress: Told }
	| { kind: "closing" }
	| { kind: "problem"; problem: unknown };

export type Told =
	{ state: "said"; line: string } | { state: "ready"; base: string } | { state: "failed"; problem: unknown };

export type Found =
	| { state: "ready"; base: string; here: boolean }
	| { state: "starting" }
	| { state: "choose"; base: string | null; problem: unknown };

export const commands = {
	listen: (channel: Channel<Notice>) => call<null>("listen", { channel }),
	find: () => call<Found>("find"),
	start: (program: string | null) => call<null>("start", { program }),
	chooseProgram: () => call<string | null>("choose_program"),
	connect: (address: string, key: string | null) =>
		call<{ base: string; key_kept: boolean }>("connect", { address, key }),
	ask: (asked: unknown, channel: Channel<ArrayBuffer | null>, body: ArrayBuffer) =>
		send<ArrayBuffer>("ask", body, { asked, channel: channel.toJSON() }),
	cancel: (id: number) => call<null>("cancel", { id }),
	openOutside: (address: string) => call<null>("open_outside", { address }),
	saveFile: (name: string, bytes: ArrayBuffer) => send<boolean>("save_file", bytes, { name }),
	leave: () => call<null>("leave"),
	folder: () => call<string | null>("folder"),
	chooseFolder: () => call<string | null>("choose_folder"),
	listDrafts: () => call<FileDraft[]>("list_drafts"),
	readDraft: (id: string) => call<FileContent>("read_draft", { id }),
	writeDraft: (id: string, text: string, references: readonly unknown[], seen: string) =>
		call<string>("write_draft", { id, text, references, seen }),
	createDraft: (name: string) => call<FileDraft>("create_draft", { name }),
	putImage: (id: string, ending: string, bytes: ArrayBuffer) => send<string>("put_image", bytes, { id, ending }),
	readImage: (id: string, name: string) => call<ArrayBuffer>("read_image", { id, name }),
};

async function call<Result>(name: string, given: Record<string, unknown> = {}): Promise<Result> {
	try {
		return await invoke<Result>(name, given);
	} catch (error) {
		throw told(error);
	}
}

/** With bytes as they are; what goes with them is in headers. */
async function send<Result>(name: string, bytes: ArrayBuffer, given: Record<string, unknown>): Promise<Result> {
	const headers = Object.entries(given).map(([key, value]): [string, string] => [
		key,
		encodeURIComponent(JSON.stringify(value)),
	]);
	try {
		return await invoke<Result>(name, bytes, { headers });
	} catch (error) {
		throw told(error);
	}
}

/** What the program told, as a problem. */
export function told(error: unknown): Problem {
	const status = (error as { status?: unknown } | null)?.status;
	if (typeof status === "number") return readProblem(status, error);
	// Tauri's own: a command that is not granted, a page that is not ours.
	return readProblem(-1, { code: "refused", detail: String(error) });
}
