/**
 * The service worker (`worker/worker.ts`), which opens the page while the server is away. Browsers have one only over https
 * and on this machine; elsewhere all is as it would be without.
 */
const entry = (): string =>
	new URL(document.querySelector<HTMLScriptElement>("script[type=module]")?.src ?? "").pathname;

/** Keep the program on this device. `told` when the server has another build than this page is of. */
export function keepProgram(told: () => void): void {
	if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
	const workers = navigator.serviceWorker;
	workers.addEventListener("message", ({ data }: MessageEvent<{ entry?: string }>) => {
		if (data.entry !== undefined && data.entry !== entry()) told();
	});
	// Afterwards: what it fetches must not slow the first view.
	const register = (): void =>
		void workers
			.register("/worker.js")
			.then((found) => {
				// A page that stays open for days looks, too.
				document.addEventListener("visibilitychange", () => {
					if (document.visibilityState === "visible") void found.update().catch(() => undefined);
				});
			})
			.catch(() => undefined); // as in a private window: then the page needs its server
	if (document.readyState === "complete") register();
	else addEventListener("load", register, { once: true });
}

/** Leave nothing of the program on this device. */
export async function forgetProgram(): Promise<void> {
	if (!("serviceWorker" in navigator)) return;
	for (const found of await navigator.serviceWorker.getRegistrations()) await found.unregister();
	for (const name of await caches.keys()) await caches.delete(name);
}
