export interface Toast {
	id: number;
	text: string;
	/** What the button does, most often undo. */
	action: { name: string; run: () => void } | null;
	urgent: boolean;
	/** Until it is acted on or closed. */
	stays: boolean;
}

const SHOWN_FOR = 8_000; // ms; WCAG 2.2.1 wants it long enough to read and to reach, and it waits while it has the focus

/** What was done, with a way back. */
export class Toasts {
	shown = $state.raw<readonly Toast[]>([]);
	#next = 0;
	readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();

	tell(text: string, action: Toast["action"] = null, urgent = false, stays = false): number {
		const id = this.#next++;
		this.shown = [...this.shown.slice(-2), { id, text, action, urgent, stays }];
		this.resume(id);
		return id;
	}

	close(id: number): void {
		this.pause(id);
		this.shown = this.shown.filter((toast) => toast.id !== id);
	}

	/** It stays while somebody is at it. */
	pause(id: number): void {
		clearTimeout(this.#timers.get(id));
		this.#timers.delete(id);
	}

	resume(id: number): void {
		this.pause(id);
		if (this.shown.find((toast) => toast.id === id)?.stays) return;
		this.#timers.set(
			id,
			setTimeout(() => this.close(id), SHOWN_FOR),
		);
	}
}
