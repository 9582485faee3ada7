/**
 * One open draft: what is written is kept on this device within the second, and at its master soon after.
 *
 * The master is the server, or a file. What was written elsewhere meanwhile is merged in; where both changed the same words, the
 * writing goes on and the person is asked. Whatever happens to the server, the network or this window, the text is in one of
 * three places: the window, this device (`Kept`), the server.
 */
import { untrack } from "svelte";
import { toProblem, Problem } from "$lib/api/problems";
import { disjoint } from "$lib/citing/disjoint";
import type { Reference } from "$lib/citing/models";
import { CHANGES } from "./changes";
import { ENDINGS, typeOf } from "$lib/image";
import { fileOf } from "$lib/shell/shell";
import type { Kept, KeptDraft } from "./kept";
import { agreed, mergeRest, mergeTexts } from "./merging";
import {
	countWords,
	EMPTY,
	isSame,
	titleOf,
	type Conflict,
	type Content,
	type DraftSettings,
	type Saved,
} from "./models";
import type { DraftStore, Mark } from "./server";

/** ms of quiet until it is kept here, and at most while typing goes on: what a crash may take. */
const KEEP = { pause: 250, most: 700 };
/** ms of quiet until it is saved at the server, and at most. */
const SAVE = { pause: 800, most: 4_000 };
/** ms between tries while the server is away: the first, and the longest. */
const AWAY = { first: 2_000, most: 30_000 };
/** ms between looks at what was written elsewhere. */
const LOOK = 10_000;

export type Status = "saving" | "saved" | "local" | "conflict" | "failed";
export type News = "merged" | "adopted" | "recovered" | "recreated" | "imageRefused";
/** Told of what happened to the draft without the person's doing; with the words of whoever refused something. */
export type Tell = (news: News, problem?: Problem) => void;

/** The text in the editor. Until there is an editor, a variable. */
export interface TextPort {
	read(): string;
	/** Another text in its place, changed only where it differs, so that the cursor stays where it was. */
	replace(text: string, undoable: boolean): void;
}

export class DraftSession {
	status = $state<Status>("saved");
	problem = $state.raw<Problem | null>(null);
	conflict = $state.raw<Conflict | null>(null);
	references = $state.raw<readonly Reference[]>([]);
	settings = $state.raw<DraftSettings>({});
	title = $state("");
	words = $state(0);
	/** When it was last saved at the server; null: not since it was opened. */
	savedAt = $state.raw<Date | null>(null);

	/** What it is called where it keeps its text. */
	readonly #session: string;
	#port: TextPort;
	#base: Saved | null = null;
	/** Whether anything was written since it was last kept here. */
	#stale = false;
	#mark: Mark | null = null;
	#saving: Promise<void> | null = null;
	/** What other windows left, forgotten as soon as this one's record or the master has it. */
	#left: readonly KeptDraft[] = [];
	/** Images that the master will not have: they stay on this device. */
	readonly #refused = new Set<string>();
	#away: number = AWAY.first;
	readonly #keeping = new Pause(KEEP, () => void this.keep());
	readonly #sending = new Pause(SAVE, () => void this.save());
	readonly #counting = new Pause({ pause: 150, most: 1_000 }, () => this.#count());
	readonly #channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(CHANGES) : null;
	readonly #ended = new AbortController();

	private constructor(
		readonly id: string,
		private readonly server: DraftStore,
		private readonly kept: Kept,
		private readonly tell: Tell,
		opened: Content,
	) {
		this.#session = kept.begin();
		this.#port = new Plain(opened.text);
		this.references = opened.references;
		this.settings = opened.settings;
		this.#count();
	}

	/** The draft's own window on it, with all that was left unsaved of it. Throws a `Problem` when neither place has it. */
	static async open(id: string, server: DraftStore, kept: Kept, tell: Tell): Promise<DraftSession> {
		const left = await kept.left(id);
		const unsaved = left.filter((one) => !one.saved);
		const newest = unsaved.at(-1) ?? left.at(-1);
		let session: DraftSession;
		let saved: (Saved & { trashed: boolean }) | null = null;
		let away = false;
		try {
			saved = await server.read(id);
			session = new DraftSession(id, server, kept, tell, saved ?? EMPTY);
			session.#base = saved;
		} catch (error) {
			const problem = toProblem(error);
			if (!newest || !(problem.passes || (isGone(problem) && !newest.saved))) throw problem;
			session = new DraftSession(id, server, kept, tell, newest);
			session.#base = isGone(problem) ? null : newest.base;
			away = true;
		}
		for (const one of unsaved) if (!away || one !== newest) session.#adopt(one);
		session.#left = left;
		await session.keep();
		session.#begin();
		if (session.#isSaved || session.conflict) return session;
		if (away) session.#later("local");
		else void session.save();
		return session;
	}

	/** A new draft. The server learns of it with the first word. */
	static create(id: string, server: DraftStore, kept: Kept, tell: Tell, content = EMPTY): DraftSession {
		const session = new DraftSession(id, server, kept, tell, content);
		session.#begin();
		if (!isSame(content, EMPTY)) session.changed();
		return session;
	}

	/** The editor takes the text over; what is returned gives it back. */
	attach(port: (text: string) => TextPort): () => void {
		this.#port = port(this.#port.read());
		return () => (this.#port = new Plain(this.#port.read()));
	}

	/** Whether a file is its master. Then history and trash are not ours: they are those of the person's folder. */
	get isFile(): boolean {
		return fileOf(this.id) !== null;
	}

	/** Whether its master has never had it. */
	get isNew(): boolean {
		return this.#base === null;
	}

	get content(): Content {
		return { text: this.#port.read(), references: this.references, settings: this.settings };
	}

	get text(): string {
		return this.#port.read();
	}

	/** Something was written. Called for each keystroke: it only sets clocks. */
	changed(): void {
		this.#stale = true;
		if (this.status === "saved") this.status = "saving";
		this.#keeping.touch();
		this.#sending.touch();
		this.#counting.touch();
	}

	setReferences(references: readonly Reference[]): void {
		this.references = references;
		this.changed();
	}

	setSettings(change: DraftSettings): void {
		this.settings = Object.fromEntries(
			Object.entries({ ...this.settings, ...change }).filter(([, value]) => value !== undefined),
		);
		this.changed();
	}

	/**
	 * Put an older text back: it becomes the newest revision, and what was there stays in the history. False: what is there now
	 * is in no history yet, and would be lost.
	 */
	async restore(content: Content): Promise<boolean> {
		await this.save(); // so that what is there now is a revision
		if (this.conflict || !this.#isSaved) return false;
		this.#put(content, true);
		this.#mark = "restored";
		await this.save();
		return true;
	}

	/** Keep all of it on this device. False: it cannot be kept here. */
	async keep(): Promise<boolean> {
		this.#keeping.stop();
		this.#stale = false;
		const content = this.content;
		const isSaved = this.#base !== null && isSame(content, this.#base);
		if (this.#base === null && isSame(content, EMPTY)) return true;
		const done = await this.kept.put({
			draft: this.id,
			window: this.#session,
			base: this.#base,
			saved: isSaved,
			...content,
		});
		if (done) {
			await this.#forgetLeft();
		} else {
			this.#stale = true;
			this.#sending.now();
		}
		return done;
	}

	async #forgetLeft(): Promise<void> {
		if (this.#left.length === 0) return;
		const left = this.#left;
		this.#left = [];
		await this.kept.forget(left);
	}

	/** Save it at the server now. Two at once are one; what is written meanwhile is saved after. */
	async save(): Promise<void> {
		this.#sending.stop();
		if (this.#saving) {
			await this.#saving;
			if (this.#isSaved || this.status !== "saved") return;
		}
		this.#saving = this.#save().finally(() => (this.#saving = null));
		await this.#saving;
	}

	async #save(): Promise<void> {
		if (this.conflict) return;
		for (let tries = 0; tries < 3; tries++) {
			const content = this.content;
			try {
				if (!isSame(content, this.#base ?? EMPTY)) await this.#write(content);
				if (this.#base) await this.#sendImages();
				this.#away = AWAY.first;
				[this.status, this.problem] = ["saved", null];
				if (!this.#isSaved) this.#sending.touch();
				return;
			} catch (error) {
				if (!(await this.#mend(toProblem(error)))) return;
			}
		}
		this.#later("local");
	}

	async #write(content: Content): Promise<void> {
		this.status = "saving";
		const revision = this.#base
			? await this.server.write(this.id, content, this.#base.revision, this.#mark)
			: await this.server.create(this.id, content);
		this.#base = { ...content, revision };
		this.#mark = null;
		this.savedAt = new Date();
		this.#channel?.postMessage({ id: this.id, revision });
		await this.#forgetLeft();
		await this.keep();
	}

	/** Whether saving may be tried again at once. */
	async #mend(problem: Problem): Promise<boolean> {
		try {
			if (problem.code === "draft_changed" || problem.code === "draft_exists") return await this.#pull();
			if (problem.code === "draft_trashed") {
				await this.server.recover(this.id);
				this.tell("recovered");
				return true;
			}
			if (isGone(problem)) {
				this.#base = null; // removed for good elsewhere, while it is written here: it is made anew
				this.tell("recreated");
				return true;
			}
		} catch (error) {
			return this.#fail(toProblem(error));
		}
		return this.#fail(problem);
	}

	#fail(problem: Problem): false {
		this.problem = problem;
		this.#later(problem.passes ? "local" : "failed");
		return false;
	}

	#later(status: Status): void {
		this.status = status;
		if (this.#ended.signal.aborted) return;
		this.#sending.after(this.#away);
		this.#away = Math.min(this.#away * 2, AWAY.most);
	}

	/** What was written elsewhere, merged in. False when it conflicts. */
	async #pull(): Promise<boolean> {
		const theirs = await this.server.read(this.id, this.#base?.revision);
		if (theirs) this.#take(theirs);
		return this.conflict === null;
	}

	#take(theirs: Saved): void {
		const base = this.#base ?? { ...EMPTY, revision: 0 };
		const mine = distinct(this.content, base, theirs);
		const parts = mergeTexts(base.text, mine.text, theirs.text);
		const text = agreed(parts);
		if (text === null) {
			if (mine.text !== this.#port.read()) this.#put(mine, false);
			this.conflict = { theirs, parts };
			this.status = "conflict";
			return;
		}
		const merged: Content = { text, ...mergeRest(base, mine, theirs) };
		this.#base = theirs;
		this.conflict = null;
		this.#put(merged, false);
		if (!isSame(mine, base) && !isSame(merged, theirs)) {
			this.#mark = "merged";
			this.tell("merged");
		}
	}

	/** The conflict as it is now: writing may have gone on. */
	compare(): Conflict | null {
		if (!this.conflict) return null;
		const { theirs } = this.conflict;
		return { theirs, parts: mergeTexts(this.#base?.text ?? "", this.#port.read(), theirs.text) };
	}

	/** The person has decided, having seen `theirs`. What came after that is merged as any other change. */
	async resolve(text: string, theirs: Saved): Promise<void> {
		const rest = mergeRest(this.#base ?? EMPTY, this.content, theirs);
		this.#base = theirs;
		this.conflict = null;
		this.#put({ text, ...rest }, true);
		this.#mark = "merged";
		await this.keep();
		await this.save();
	}

	/** What a window that is gone had written, put into what there is now. */
	#adopt(left: KeptDraft): void {
		const now = this.content;
		const base = left.base ?? EMPTY;
		const record = { ...left, ...distinct(left, base, now) };
		const parts = mergeTexts(base.text, record.text, now.text);
		const text = agreed(parts);
		if (text !== null) {
			this.#put({ text, ...mergeRest(base, record, now) }, false);
		} else if (this.#base && !this.conflict && isSame(now, this.#base)) {
			this.conflict = { theirs: this.#base, parts };
			this.status = "conflict";
			this.#base = record.base;
			this.#put(record, false);
		} else {
			this.#put(joinBoth(now, record), false); // two windows died with different texts
		}
		this.tell("adopted");
	}

	#put(content: Content, undoable: boolean): void {
		if (content.text !== this.#port.read()) this.#port.replace(content.text, undoable);
		this.references = content.references;
		this.settings = content.settings;
		this.#count();
		this.changed();
	}

	get #isSaved(): boolean {
		return isSame(this.content, this.#base ?? EMPTY);
	}

	/** A method: what it tells changes while one waits. */
	#isBusy(): boolean {
		return this.#saving !== null || this.#ended.signal.aborted;
	}

	#count(): void {
		const text = this.#port.read();
		this.words = countWords(text);
		this.title = titleOf(text);
	}

	/** Look at what was written elsewhere, and take it over. */
	async look(): Promise<void> {
		const base = this.#base;
		if (this.#isBusy() || !base || document.hidden) return;
		try {
			const theirs = await this.server.read(this.id, base.revision);
			// What was saved or merged meanwhile is newer than this answer may be.
			if (!theirs || this.#isBusy() || this.#base !== base) return;
			if (theirs.revision === this.conflict?.theirs.revision) return;
			this.#take(theirs);
			if (!this.#isSaved && !this.conflict) await this.save();
			else await this.keep();
		} catch {
			// Whatever is wrong shows when there is something to save.
		}
	}

	/** An image for the draft: kept here at once, sent as soon as may be. Its name, for the text. */
	async addImage(bytes: Blob): Promise<string> {
		const found = await named(bytes);
		if (found && (await this.kept.putImage(this.id, found.name, found.image))) {
			this.#sending.touch();
			return found.name;
		}
		return this.server.putImage(this.id, found?.image ?? bytes);
	}

	/** Where an image of the draft is: on this device while the server does not have it. */
	async imageSource(name: string): Promise<string> {
		const here = await this.kept.image(this.id, name);
		return here ? URL.createObjectURL(here) : this.server.imageSource(this.id, name);
	}

	/** An image of the draft itself; null where there is none of that name. */
	async image(name: string): Promise<Blob | null> {
		return (await this.kept.image(this.id, name)) ?? (await this.server.image(this.id, name));
	}

	/** Throws what passes; what the master refuses is told once, and stays here. */
	async #sendImages(): Promise<void> {
		for (const { name, bytes } of await this.kept.images(this.id)) {
			if (this.#refused.has(name)) continue;
			try {
				if ((await this.server.putImage(this.id, bytes)) === name) await this.kept.forgetImage(this.id, name);
				else this.#refused.add(name); // under another name it is there, too; the text has this one
			} catch (error) {
				const problem = toProblem(error);
				if (problem.passes || isGone(problem)) throw problem;
				this.#refused.add(name);
				this.tell("imageRefused", problem);
			}
		}
	}

	#begin(): void {
		const { signal } = this.#ended;
		const hurry = (): void => {
			if (this.#stale) void this.keep();
			if (!this.#isSaved && !this.conflict) void this.save();
		};
		document.addEventListener("visibilitychange", () => (document.hidden ? hurry() : void this.look()), { signal });
		addEventListener("pagehide", hurry, { signal });
		addEventListener("online", () => void this.save(), { signal });
		addEventListener("focus", () => void this.look(), { signal });
		addEventListener(
			"beforeunload",
			(event) => {
				// Only what is in no other place is worth a question.
				if (!this.#stale || this.#isSaved) return;
				void this.keep();
				event.preventDefault();
			},
			{ signal },
		);
		this.#channel?.addEventListener(
			"message",
			(message: MessageEvent<{ id: string }>) => void (message.data.id === this.id && this.look()),
			{ signal },
		);
		const clock = setInterval(() => void this.look(), LOOK);
		signal.addEventListener("abort", () => {
			clearInterval(clock);
			this.#channel?.close();
		});
	}

	/** Leave it: all is kept and, if the server is there, saved. */
	async close(): Promise<void> {
		untrack(() => this.#ended.abort());
		await this.keep();
		this.kept.end(this.#session); // whatever becomes of the saving, the next one that opens it has all of it
		await this.save();
		for (const pause of [this.#keeping, this.#sending, this.#counting]) pause.stop();
	}
}

/** Calls after a pause in touches, or while they go on, at the latest after `most`. */
class Pause {
	#timer: ReturnType<typeof setTimeout> | undefined;
	#since: number | null = null;

	constructor(
		private readonly times: { pause: number; most: number },
		private readonly call: () => void,
	) {}

	touch(): void {
		const now = performance.now();
		this.#since ??= now;
		clearTimeout(this.#timer);
		this.after(Math.max(0, Math.min(this.times.pause, this.#since + this.times.most - now)));
	}

	now(): void {
		this.after(0);
	}

	after(delay: number): void {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => {
			this.stop();
			this.call();
		}, delay);
	}

	stop(): void {
		clearTimeout(this.#timer);
		this.#since = null;
	}
}

class Plain implements TextPort {
	constructor(private text: string) {}
	read(): string {
		return this.text;
	}
	replace(text: string): void {
		this.text = text;
	}
}

/** Of one who wrote on from `base`, with ids for what they added that mean nothing else to the other who did. */
function distinct({ text, references, settings }: Content, base: Content, other: Content): Content {
	const before = new Set(base.references.map(({ id }) => id));
	const added = other.references.filter(({ id }) => !before.has(id));
	return disjoint({ text, references, settings }, added);
}

/** One after the other, so that both are there to be sorted. */
function joinBoth(one: Content, other: Content): Content {
	if (one.text === other.text) return one;
	const ids = new Set(one.references.map((reference) => reference.id));
	const references = [...one.references, ...other.references.filter((reference) => !ids.has(reference.id))];
	return { text: `${one.text.trimEnd()}\n\n---\n\n${other.text}`, references, settings: one.settings };
}

/** Whether it is not there any more. A proxy that lost its way says 404, too, but not in our words. */
const isGone = ({ code }: Problem): boolean => code === "not_found" || code === "file_missing";

/** An image under the type that it is of, and the name that its master gives it, too: what its bytes are, and their digest. */
async function named(image: Blob): Promise<{ name: string; image: Blob } | null> {
	const bytes = new Uint8Array(await image.arrayBuffer());
	const type = typeOf(bytes);
	// A page over plain http has no `subtle`.
	if (!type || !("subtle" in crypto)) return null;
	const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
	const hex = Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
	return { name: `${hex}.${ENDINGS[type] ?? ""}`, image: new Blob([bytes], { type }) };
}
