import { svelte } from "@sveltejs/vite-plugin-svelte";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { licences } from "./licences";
import { offline } from "./offline";

// The build lies inside the orchestrator, whose image has no Node; `make check` keeps it equal to these sources.
const WEB = "../orchestrator/extrophi_orchestrator/desk/web";
const EXTROPHI = process.env.EXTROPHI_URL ?? "http://127.0.0.1:8000";
const DESK = { target: EXTROPHI, changeOrigin: true, headers: { origin: EXTROPHI } };
const { version } = JSON.parse(readFileSync(new URL("./package.json", import.meta.url), "utf8")) as { version: string };

export default defineConfig({
	plugins: [svelte(), licences(), offline()],
	define: { "import.meta.env.VITE_EXTROPHI_VERSION": JSON.stringify(version) },
	resolve: { alias: { $lib: fileURLToPath(new URL("./src/lib", import.meta.url)) } },
	build: {
		// A blank variable counts as unset: as a path it is this folder, and `emptyOutDir` would empty it.
		outDir: process.env.EXTROPHI_WEB_OUT?.trim() || WEB,
		emptyOutDir: true,
		target: "es2022",
		// Tauri's WebKitGTK and every browser of the last two years know `<link rel=modulepreload>`.
		modulePreload: { polyfill: false },
		// Inlined, they would be data: addresses, which the content policy does not allow for scripts and fonts.
		assetsInlineLimit: 0,
	},
	// As a page of its own origin: what comes from another needs a key.
	server: { proxy: { "/api": DESK, "/health": DESK } },
	test: { include: ["src/**/*.test.ts"], environment: "node" },
});
