/**
 * Keeps the program on this device, so that the page opens while the server is away.
 *
 * The program alone: nothing below `/api` passes here, and what is kept holds nothing of anybody's. The page itself is
 * asked of the server first, so that it is the newest there is; files named by what they hold are the same for ever.
 * A page goes on with the files that it began with: those of the build before are kept for it.
 */
const worker = self as unknown as ServiceWorkerGlobalScope;
/** Put in by the build (`offline.ts`). */
declare const BUILD: { version: string; entry: string; files: readonly string[] };

const KEPT = "extrophi-program-";
const MINE = KEPT + BUILD.version;
/** What a proxy before a server that is away answers. */
const AWAY = new Set([502, 503, 504]);

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(activate()));
worker.addEventListener("fetch", (event) => {
	const { request } = event;
	const { origin, pathname } = new URL(request.url);
	if (request.method !== "GET" || origin !== worker.location.origin) return;
	if (request.mode === "navigate" && pathname === "/") event.respondWith(page(request));
	else if (pathname.startsWith("/assets/") || pathname === "/icon.svg") event.respondWith(file(request));
});

async function install(): Promise<void> {
	const kept = await caches.open(MINE);
	try {
		const found = await fetch("/", { cache: "no-store" });
		// The server may have been replaced since it gave this worker: then the page is of another build, and so is its worker.
		if (!found.ok || !(await found.clone().text()).includes(BUILD.entry)) throw new Error("another build's page");
		await kept.put("/", found);
		await kept.addAll([...BUILD.files]);
	} catch (error) {
		await caches.delete(MINE); // all of it, or nothing
		throw error;
	}
	await worker.skipWaiting();
}

async function activate(): Promise<void> {
	const names = (await caches.keys()).filter((name) => name.startsWith(KEPT)); // in the order in which they were made
	const before = names.filter((name) => name !== MINE).slice(0, -1);
	await Promise.all(before.map((name) => caches.delete(name)));
	await worker.clients.claim();
	// A page of another build is told that there is a newer one.
	for (const client of await worker.clients.matchAll({ type: "window" })) client.postMessage({ entry: BUILD.entry });
}

async function page(request: Request): Promise<Response> {
	const found = await fetch(request).catch(() => null);
	if (found && !AWAY.has(found.status)) return found;
	return (await (await caches.open(MINE)).match("/")) ?? found ?? Response.error();
}

async function file(request: Request): Promise<Response> {
	// Whoever compressed it, it is the same file.
	const kept = await caches.match(request, { ignoreVary: true });
	if (kept) return kept;
	const found = await fetch(request);
	// Those of another build come with its worker; of ours it is a font that nobody needed before.
	if (found.ok && request.destination === "font") {
		const copy = found.clone();
		await (await caches.open(MINE)).put(request, copy);
	}
	return found;
}
