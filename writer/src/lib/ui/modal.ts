/** What had the focus before each of the dialogs came. */
const before = new WeakMap<HTMLDialogElement, Element | null>();

/**
 * Modal while it is in the page (an attachment): the browser keeps the focus in it, and makes what is behind it inert.
 *
 * The focus is given back by us: a dialog that is already out of the page when it is closed gives none back, nor does
 * one that was opened from another that is gone by then, as from the command bar: there it goes to what that one had it from.
 */
export function modal(dialog: HTMLDialogElement): () => void {
	before.set(dialog, document.activeElement);
	dialog.showModal();
	return () => {
		dialog.close();
		const now = document.activeElement;
		if (now && now !== document.body && !dialog.contains(now)) return; // somebody has it already
		let back = before.get(dialog) ?? null;
		while (back && !back.isConnected) {
			const from = back.closest("dialog");
			back = (from && before.get(from)) ?? null;
		}
		if (back instanceof HTMLElement) back.focus({ preventScroll: true });
	};
}
