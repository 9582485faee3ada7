/**
 * `npm run tauri:build`: builds the desktop program, and lays what came of it into dist/, beside the web build (dist/web).
 *
 * Arguments go to `tauri build`. On Linux, without any, the .deb is made first and the AppImage by itself afterwards: Tauri
 * fetches that one's tools from GitHub, and where they cannot be had, all else is to be there.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const WRITER = dirname(fileURLToPath(import.meta.url));
const DIST = join(WRITER, "dist");
const CARGO = ["--manifest-path", join(WRITER, "src-tauri", "Cargo.toml")];
const BUNDLES = [".deb", ".rpm", ".AppImage", ".dmg", ".msi", ".exe"];
const windows = process.platform === "win32";

const say = (...lines) => process.stderr.write(lines.map((line) => `${line}\n`).join(""));

/** Runs a program with our input and output; its exit code. */
function run(program, ...args) {
	const { status, error } = spawnSync(program, args, { cwd: WRITER, stdio: "inherit", shell: windows });
	if (error) say(`${program} cannot be run: ${error.message}`);
	return status ?? 1;
}

function ask(program, ...args) {
	const { stdout, status } = spawnSync(program, args, { cwd: WRITER, encoding: "utf8", maxBuffer: 1 << 28 });
	if (status !== 0) throw new Error(`${program} ${args[0]} ended with ${String(status)}`);
	return JSON.parse(stdout);
}

function files(folder) {
	return existsSync(folder)
		? readdirSync(folder, { withFileTypes: true }).flatMap((one) => {
				const path = join(folder, one.name);
				return one.isDirectory() ? files(path) : [path];
			})
		: [];
}

/** Linux's tools for AppImages, as Tauri keeps them. */
function hasAppImageTools() {
	const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tauri");
	return files(cache).some((path) => basename(path).startsWith("linuxdeploy"));
}

function build(args) {
	if (run("cargo", "fetch", "--locked", ...CARGO) !== 0) {
		say(
			"What the program is made of could not be fetched. Cargo needs a way to its registry: a network, or a proxy",
			"(https_proxy=http://…). Where there is none, build once where there is: what was fetched is kept.",
		);
		return 1;
	}
	if (process.platform !== "linux" || args.length > 0) return run("tauri", "build", ...args);
	if (run("tauri", "build", "--bundles", "deb") !== 0) return 1;
	const had = hasAppImageTools();
	if (run("tauri", "bundle", "--bundles", "appimage") === 0) return 0;
	if (had) return 1;
	say(
		"There is no AppImage: its tools (linuxdeploy) could not be fetched from github.com. All else is there.",
		"With a network to github.com it is made; so it is where the tools lie in Tauri's cache already.",
	);
	return 0;
}

function collect() {
	const { target_directory: target, packages } = ask(
		"cargo",
		"metadata",
		"--format-version",
		"1",
		"--no-deps",
		...CARGO,
	);
	const name = packages[0].targets.find((one) => one.kind.includes("bin")).name;
	const program = join(target, "release", windows ? `${name}.exe` : name);
	mkdirSync(DIST, { recursive: true });
	for (const path of [program, ...files(join(target, "release", "bundle"))]) {
		if (path !== program && !BUNDLES.some((kind) => path.endsWith(kind))) continue;
		copyFileSync(path, join(DIST, basename(path)));
		say(`dist/${basename(path)}`);
	}
}

const code = build(process.argv.slice(2));
if (code === 0) collect();
process.exitCode = code;
