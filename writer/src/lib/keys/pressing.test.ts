import { expect, test } from "vitest";
import { COMMANDS } from "./commands";
import { isPressed, keysHere, parsePress } from "./pressing";

function event(key: string, code: string, ...modifiers: string[]): KeyboardEvent {
	return { key, code, getModifierState: (name: string) => modifiers.includes(name) } as unknown as KeyboardEvent;
}

test.each([
	["a Latin layout", event("k", "KeyK", "Control"), true],
	["another Latin layout: the letter counts, and not its place", event("k", "KeyV", "Control"), true],
	["and the place does not", event("v", "KeyK", "Control"), false],
	["a Cyrillic layout", event("л", "KeyK", "Control"), true],
	["a Greek one, another key", event("ξ", "KeyJ", "Control"), false],
	["without the modifier", event("л", "KeyK"), false],
])("Ctrl and K on %s", (_, pressed, expected) => {
	expect(isPressed(parsePress("$mod+k"), pressed)).toBe(expected);
});

test("digits are reached on a layout that has them with Shift", () => {
	expect(isPressed(parsePress("Alt+1"), event("&", "Digit1", "Alt"))).toBe(true);
	expect(isPressed(parsePress("Alt+2"), event("&", "Digit1", "Alt"))).toBe(false);
});

test("Option and a letter write a character on a Mac", () => {
	expect(keysHere("Alt+n", true)).toBe("$mod+Alt+n");
	expect(keysHere("Alt+Shift+n", true)).toBe("$mod+Alt+Shift+n");
	expect(keysHere("Alt+Enter", true)).toBe("Alt+Enter");
	expect(keysHere("Alt+n", false)).toBe("Alt+n");
	expect(isPressed(parsePress("$mod+Alt+n"), event("Dead", "KeyN", "Control", "Alt"))).toBe(true);
});

test("no keys are two commands', on any system", () => {
	for (const isMac of [true, false]) {
		const all = COMMANDS.flatMap(({ keys = [] }) => keys.map((one) => keysHere(one, isMac)));
		expect(new Set(all).size).toBe(all.length);
	}
});
