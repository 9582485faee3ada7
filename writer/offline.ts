import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { transformWithEsbuild, type Plugin } from "vite";

const SOURCE = new URL("./worker/worker.ts", import.meta.url);

/** Writes `worker.js`, the service worker, which knows the files of the build that it comes with. */
export function offline(): Plugin {
	return {
		name: "extrophi-offline",
		apply: "build",
		async generateBundle(_options, bundle) {
			const chunks = Object.values(bundle);
			const entry = chunks.find((one) => one.type === "chunk" && one.isEntry);
			if (!entry) throw new Error("The build has no entry.");
			// A font is kept when it is first needed: few need Greek and Cyrillic ones, and nobody a third of the whole at once.
			const files = chunks
				.map(({ fileName }) => `/${fileName}`)
				.filter((name) => /^\/assets\/.*\.(js|css)$/.test(name));
			const source = readFileSync(SOURCE, "utf8");
			const build = {
				version: createHash("sha256").update(source).update(files.sort().join()).digest("hex").slice(0, 16),
				entry: `/${entry.fileName}`,
				files: [...files, "/icon.svg"],
			};
			const { code } = await transformWithEsbuild(source, "worker.ts", {
				minify: true,
				target: "es2022",
				define: { BUILD: JSON.stringify(build) },
				tsconfigRaw: {},
			});
			this.emitFile({ type: "asset", fileName: "worker.js", source: code });
		},
	};
}
