// Whether a project's node_modules are those of its package-lock.json, for this machine: ends with 1 if not, and says why.
//   node fits.mjs FOLDER
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2];
const musl = !process.report.getReport().header.glibcVersionRuntime;
const here = { os: process.platform, cpu: process.arch, libc: musl ? "musl" : "glibc" };

/** A package says where it runs as ["linux"] or ["!win32"]. */
function runsHere(one) {
	return Object.entries(here).every(([what, mine]) => {
		const named = one[what] ?? [];
		const only = named.filter((name) => !name.startsWith("!"));
		return !named.includes(`!${mine}`) && (only.length === 0 || only.includes(mine));
	});
}

function reason() {
	let there;
	try {
		there = JSON.parse(readFileSync(join(folder, "node_modules/.package-lock.json"), "utf8")).packages;
	} catch {
		return "there are none.";
	}
	const { packages } = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
	for (const [path, wanted] of Object.entries(packages)) {
		if (path === "" || wanted.link || (!runsHere(wanted) && !there[path])) continue;
		const found = there[path];
		if (!found && wanted.optional && !wanted.os) continue; // left out where it is not needed
		if (!found && wanted.optional) return `${path} is not there: they are another machine's.`;
		if (!found || !existsSync(join(folder, path))) return `${path} is not there.`;
		if (found.version !== wanted.version) return `${path} is ${found.version}, not ${wanted.version}.`;
	}
	return "";
}

const why = reason();
process.stdout.write(why);
process.exitCode = why ? 1 : 0;
