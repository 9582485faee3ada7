import { matchKeyBindingPress, parseKeybinding, type KeyBindingPress } from "tinykeys";

/** A binding's keys: by what they type, and by where they are. */
export interface Press {
	byKey: KeyBindingPress | undefined;
	byPlace: KeyBindingPress | undefined;
}

/**
 * A command's keys as this system has them.
 *
 * On a Mac, Option and a letter write a character that somebody may want, and the way to it may be a dead key: there those
 * with Alt and a letter or a digit go with ⌘, too.
 */
export function keysHere(keys: string, isMac: boolean): string {
	return isMac && /^Alt\+(Shift\+)?[a-z0-9]$/.test(keys) ? `$mod+${keys}` : keys;
}

export function parsePress(keys: string): Press {
	const place = keys.replace(/[a-z]$/, (letter) => `Key${letter.toUpperCase()}`).replace(/(?<=^|\+)\d$/, "Digit$&");
	return { byKey: parseKeybinding(keys)[0], byPlace: place === keys ? undefined : parseKeybinding(place)[0] };
}

/**
 * Whether the keys were pressed. Where a layout has no Latin letters, or Option made another character of one, the key counts
 * that is in the letter's place; that of a digit always, since some layouts have them with Shift only.
 */
export function isPressed({ byKey, byPlace }: Press, event: KeyboardEvent): boolean {
	if (byKey && matchKeyBindingPress(event, byKey)) return true;
	const isOther = event.key.length > 1 || event.key > "~" || event.code.startsWith("Digit");
	return byPlace !== undefined && isOther && matchKeyBindingPress(event, byPlace);
}
