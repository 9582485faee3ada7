/**
 * Which draft was begun in this window and has not been saved: the server does not know it before its first word.
 *
 * Kept as long as the window is, so that a reload of the empty draft shows an empty draft.
 */
const KEY = "extrophi.fresh";

export function begun(id: string): void {
	try {
		sessionStorage.setItem(KEY, id);
	} catch {
		// Nothing may be kept: the empty draft is not found after a reload, and a new one is a key away.
	}
}

export function isFresh(id: string): boolean {
	try {
		return sessionStorage.getItem(KEY) === id;
	} catch {
		return false;
	}
}

/** It is at the server now: should it be removed there, it is not to come back. */
export function wasSaved(id: string): void {
	if (isFresh(id)) sessionStorage.removeItem(KEY);
}
