/** The desktop program around the Writer (`src-tauri/`). */
import { ENDINGS } from "$lib/image";
import { Channel } from "@tauri-apps/api/core";
import type { Connection } from "$lib/api/client";
import type { Problem } from "$lib/api/problems";
import { to } from "$lib/route.svelte";
import { ask, BASE } from "./asking";
import { commands, told, type Found, type Notice } from "./commands";
import { idOfFile, isOutside, type Progress, type Shell } from "./shell";

/** What comes before anybody listens waits for them. */
class News<What> {
	readonly #listeners = new Set<(what: What) => void>();
	readonly #waiting: What[] = [];

	tell(what: What): void {
		if (this.#listeners.size === 0) this.#waiting.push(what);
		for (const listener of this.#listeners) listener(what);
	}

	/** What is returned ends it. */
	listen(listener: (what: What) => void): () => void {
		this.#listeners.add(listener);
		for (const what of this.#waiting.splice(0)) listener(what);
		return () => void this.#listeners.delete(listener);
	}
}

/** Where Extrophi is, as far as it is known. */
let outside = "";
/** This machine's is the nameless one, at whatever port. One that was chosen is called by its address. */
let name = "";
let finish: () => Promise<void> = () => Promise.resolve();
const progress = new News<Progress>();
const opened = new News<string>();
const refused = new News<Problem>();
const changed = new News<string>();

function hear(notice: Notice): void {
	switch (notice.kind) {
		case "opened":
			return opened.tell(notice.route);
		case "opened_file":
			return opened.tell(to("drafts", idOfFile(notice.id)));
		case "changed":
			return changed.tell(notice.id);
		case "service":
			if (notice.progress.state === "ready") [outside, name] = [notice.progress.base, ""];
			return progress.tell(
				notice.progress.state === "failed"
					? { state: "failed", problem: told(notice.progress.problem) }
					: notice.progress,
			);
		case "problem":
			return refused.tell(told(notice.problem));
		case "closing":
			return void finish().finally(() => commands.leave());
	}
}

const connection: Connection = {
	base: BASE,
	ask,
	get outside() {
		return outside;
	},
	get name() {
		return name;
	},
};

/** The person chooses. Resolves once there is an Extrophi, or they begin without one. */
async function choose(found: Extract<Found, { state: "choose" }>, mayClose: boolean): Promise<boolean> {
	const [{ mount, unmount }, { default: ConnectView }] = await Promise.all([
		import("svelte"),
		import("$lib/connecting/ConnectView.svelte"),
	]);
	const target = document.body.appendChild(document.createElement("div"));
	return new Promise((done) => {
		const view = mount(ConnectView, {
			target,
			props: {
				address: found.base ?? "",
				problem: found.problem ? told(found.problem) : null,
				mayClose,
				connect: async (address: string, key: string | null) => {
					const kept = await commands.connect(address, key);
					outside = name = kept.base;
					return kept.key_kept;
				},
				start: commands.start,
				chooseProgram: commands.chooseProgram,
				onProgress: (listener: (progress: Progress) => void) => progress.listen(listener),
				onend: (connected: boolean) => {
					void unmount(view);
					target.remove();
					done(connected);
				},
			},
		});
	});
}

// Links of the page's own are its routes; all others leave it. Nothing opens inside.
addEventListener("click", (event) => {
	const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
	if (!(link instanceof HTMLAnchorElement) || link.origin === location.origin || link.protocol === "blob:") return;
	event.preventDefault();
	void tauri.open(link.href);
});

export const tauri: Shell = {
	kind: "desktop",
	async connect() {
		await commands.listen(new Channel<Notice>(hear));
		const found = await commands.find();
		if (found.state === "ready") [outside, name] = [found.base, found.here ? "" : found.base];
		if (found.state === "choose") await choose(found, false);
		return connection;
	},
	save: async (name, bytes) => commands.saveFile(name, await bytes.arrayBuffer()),
	async open(url) {
		if (isOutside(url)) await commands.openOutside(url);
	},
	onOpened(open, failed) {
		refused.listen(failed);
		opened.listen(open);
	},
	onClosing: (given) => (finish = given),
	services: {
		giveKey: async (key) => (await commands.connect(outside, key)).key_kept,
		choose() {
			const asked = { state: "choose", base: null, problem: null } as const;
			void choose(asked, true).then((connected) => {
				if (connected) location.reload();
			});
		},
		onProgress: (listener) => progress.listen(listener),
	},
	folder: {
		name: commands.folder,
		choose: commands.chooseFolder,
		list: commands.listDrafts,
		read: commands.readDraft,
		write: commands.writeDraft,
		create: commands.createDraft,
		async putImage(id, bytes) {
			return commands.putImage(id, ENDINGS[bytes.type] ?? "", await bytes.arrayBuffer());
		},
		image: async (id, name) => new Blob([await commands.readImage(id, name)]),
		watch: (listener) => void changed.listen(listener),
	},
};
