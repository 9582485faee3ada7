import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

/** What comes with the build and is no module of it: the fonts, which style sheets name. */
const FONTS = ["@fontsource-variable/inter", "@fontsource-variable/source-serif-4"];

interface Package {
	name: string;
	version: string;
	license?: string;
}

/** Writes `licences.txt`: the notice of every package that the build holds something of, as their licences ask. */
export function licences(): Plugin {
	return {
		name: "extrophi-licences",
		apply: "build",
		generateBundle(_options, bundle) {
			const folders = new Set(FONTS.map((name) => fileURLToPath(new URL(`./node_modules/${name}`, import.meta.url))));
			for (const one of Object.values(bundle)) {
				if (one.type !== "chunk") continue;
				for (const id of one.moduleIds) {
					const folder = packageOf(id);
					if (folder) folders.add(folder);
				}
			}
			const notices = [...folders].map(notice).sort((a, b) => a.name.localeCompare(b.name, "en"));
			this.emitFile({
				type: "asset",
				fileName: "licences.txt",
				source: notices.map(({ text }) => text).join(`\n${"=".repeat(80)}\n\n`),
			});
		},
	};
}

/** The folder of the package that a module is of; null for our own. */
function packageOf(id: string): string | null {
	const path = id.replace(/^\0+/, "").replace(/\?.*$/, "");
	const found = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path);
	return found?.[1] ?? null;
}

function notice(folder: string): { name: string; text: string } {
	const told = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Package;
	const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(name));
	const text = file ? readFileSync(join(folder, file), "utf8").trim() : `Licence: ${told.license ?? "see the package"}`;
	return { name: told.name, text: `${told.name} ${told.version} (${told.license ?? "-"})\n\n${text}\n` };
}
