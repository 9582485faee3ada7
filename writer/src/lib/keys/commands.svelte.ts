import { untrack } from "svelte";
import { SvelteMap } from "svelte/reactivity";
import { COMMANDS, type Command, type CommandId } from "./commands";
import { isPressed, keysHere, parsePress } from "./pressing";

const IS_MAC = typeof navigator !== "undefined" && /Mac|iP(hone|ad)/.test(navigator.userAgent);

type Run = () => void;

/** Who carries out which command now. The one listener for keys asks it. */
export class Commands {
	/** The last to come is asked first, so that a dialog goes before the view under it. */
	readonly #runs = new SvelteMap<CommandId, readonly Run[]>();
	readonly #bindings = COMMANDS.flatMap((command) =>
		(command.keys ?? []).map((keys) => ({ command, press: parsePress(keysHere(keys, IS_MAC)) })),
	);

	/** The commands that somebody can carry out now. */
	readonly available = $derived(COMMANDS.filter((command) => this.#runs.has(command.id)));

	/** Carry these out from now on; what is returned ends that (an `$effect` may return it). */
	on(runs: Partial<Record<CommandId, Run>>): () => void {
		const entries = Object.entries(runs) as [CommandId, Run][];
		// Untracked: the effect that declares them must not run again when others come and go.
		untrack(() => {
			for (const [id, run] of entries) this.#runs.set(id, [run, ...(this.#runs.get(id) ?? [])]);
		});
		return () =>
			untrack(() => {
				for (const [id, run] of entries) {
					const left = (this.#runs.get(id) ?? []).filter((one) => one !== run);
					if (left.length > 0) this.#runs.set(id, left);
					else this.#runs.delete(id);
				}
			});
	}

	/** Whether somebody did. */
	run(id: CommandId): boolean {
		const run = this.#runs.get(id)?.[0];
		run?.();
		return run !== undefined;
	}

	/** A key press anywhere in the window. */
	press(event: KeyboardEvent): void {
		if (event.defaultPrevented || event.isComposing) return;
		const found = this.#bindings.find(({ press }) => isPressed(press, event));
		if (!found || (isPlain(event) && isTyping(event.target))) return;
		if (this.run(found.command.id)) event.preventDefault();
	}
}

const isPlain = (event: KeyboardEvent): boolean =>
	!event.ctrlKey && !event.metaKey && !event.altKey && event.key.length === 1;

function isTyping(target: EventTarget | null): boolean {
	return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

const SHOWN: Readonly<Record<string, string>> = IS_MAC
	? { $mod: "⌘", Shift: "⇧", Alt: "⌥", Enter: "↩", ArrowUp: "↑", ArrowDown: "↓" }
	: { $mod: "Ctrl", Enter: "↵", ArrowUp: "↑", ArrowDown: "↓" };

/** A command's first keys as people read them: `["Ctrl", "K"]`. */
export function shownKeys(command: Command): string[] {
	const keys = command.keys?.[0] ? keysHere(command.keys[0], IS_MAC).split("+") : [];
	return keys.map((key) => SHOWN[key] ?? (key.length === 1 ? key.toUpperCase() : key));
}
