/**
 * Every command: its id (its name is `t.commands[id]`), its keys, and where it works.
 *
 * Menus, the command bar and the map of keys read this list; who can carry a command out says so with `Commands.on`.
 */
export interface Command {
	readonly id: CommandId;
	readonly group: "anywhere" | "draft" | "evidence";
	/** tinykeys' spelling; `$mod` is ⌘ on a Mac, Ctrl elsewhere. A plain key works outside text fields only. */
	readonly keys?: readonly string[];
}

type CommandId = keyof (typeof import("$lib/text/en").default)["commands"];
export type { CommandId };

export const COMMANDS: readonly Command[] = [
	{ id: "bar.open", group: "anywhere", keys: ["$mod+k"] },
	{ id: "library.search", group: "anywhere", keys: ["$mod+Shift+l", "/"] },
	{ id: "source.add", group: "anywhere", keys: ["$mod+Shift+a"] },
	{ id: "draft.new", group: "anywhere", keys: ["Alt+n"] },
	{ id: "note.new", group: "anywhere", keys: ["Alt+Shift+n"] },
	{ id: "go.drafts", group: "anywhere", keys: ["Alt+1"] },
	{ id: "go.library", group: "anywhere", keys: ["Alt+2"] },
	{ id: "go.sources", group: "anywhere", keys: ["Alt+3"] },
	{ id: "go.answers", group: "anywhere", keys: ["Alt+4"] },
	{ id: "go.settings", group: "anywhere", keys: ["Alt+5"] },
	{ id: "answer.keep", group: "anywhere" },
	{ id: "answer.drop", group: "anywhere" },
	{ id: "answer.copy", group: "anywhere" },
	{ id: "answer.stop", group: "anywhere" },
	{ id: "theme.switch", group: "anywhere" },
	{ id: "keys.show", group: "anywhere", keys: ["F1", "Shift+?"] },
	{ id: "draft.save", group: "draft", keys: ["$mod+s"] },
	{ id: "draft.find", group: "draft", keys: ["$mod+f"] },
	{ id: "draft.bold", group: "draft", keys: ["$mod+b"] },
	{ id: "draft.italic", group: "draft", keys: ["$mod+i"] },
	{ id: "draft.link", group: "draft", keys: ["$mod+Shift+k"] },
	{ id: "draft.focus", group: "draft", keys: ["$mod+Shift+f"] },
	{ id: "draft.outline", group: "draft", keys: ["$mod+Shift+o"] },
	{ id: "draft.goal", group: "draft" },
	{ id: "draft.history", group: "draft", keys: ["$mod+Shift+h"] },
	{ id: "draft.export", group: "draft", keys: ["$mod+Shift+x"] },
	{ id: "draft.trash", group: "draft" },
	{ id: "evidence.toggle", group: "evidence", keys: ["$mod+Shift+e"] },
	{ id: "evidence.next", group: "evidence", keys: ["Alt+ArrowDown"] },
	{ id: "evidence.previous", group: "evidence", keys: ["Alt+ArrowUp"] },
	{ id: "evidence.cite", group: "evidence", keys: ["Alt+Enter"] },
	{ id: "evidence.quote", group: "evidence", keys: ["Alt+Shift+Enter"] },
	{ id: "evidence.read", group: "evidence", keys: ["Alt+r"] },
];
