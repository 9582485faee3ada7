import { isOutside, type Shell } from "./shell";

export const browser: Shell = {
	kind: "browser",
	folder: null,
	services: null,
	connect: () => Promise.resolve({ base: "", ask: null, outside: "", name: "" }),
	save(name, bytes) {
		const link = document.createElement("a");
		link.href = URL.createObjectURL(bytes);
		link.download = name;
		link.click();
		// The download has begun when the click returns; the address must outlive its start.
		setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
		return Promise.resolve(true);
	},
	open(url) {
		if (isOutside(url)) window.open(url, "_blank", "noopener,noreferrer");
		return Promise.resolve();
	},
	onOpened: () => undefined, // a browser's links are its own routes
	onClosing: () => undefined,
};
