/**
 * `npm run tauri:build`: builds the desktop program, and lays what came of it into dist/, beside the web build (dist/web).
 *
 * Arguments go to `tauri build`. On Linux, without any, the .deb is made first and the AppImage by itself afterwards: Tauri
 * fetches that one's tools from GitHub, and where they cannot be had, all else is to be there.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const WRITER = dirname(fileURLToPath(import.meta.url));
const DIST = join(WRITER, "dist");
const CARGO = ["--manifest-path", join(WRITER, "src-tauri", "Cargo.toml")];
const BUNDLES = [".deb", ".rpm", ".AppImage", ".dmg", ".msi", ".exe"];
const STARTED = Date.now() - 1000; // some file systems keep whole seconds
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
	const first = process.platform === "linux" && args.length === 0 ? ["--bundles", "deb"] : args;
	const code = run("tauri", "build", ...first);
	if (code !== 0) return code;
	const { program, bundles } = made(args);
	lay(program); // Before another bundle leaves its mark in it.
	if (first !== args) appImage();
	files(bundles)
		.filter((path) => BUNDLES.some((kind) => path.endsWith(kind)) && statSync(path).mtimeMs >= STARTED)
		.forEach(lay);
	return 0;
}

/** One more, where it can be had: that it cannot keeps nobody from the rest. */
function appImage() {
	if (run("tauri", "bundle", "--bundles", "appimage") === 0) return;
	if (hasAppImageTools()) return say("There is no AppImage: linuxdeploy failed, as it says above. All else is there.");
	say(
		"There is no AppImage: its tools (linuxdeploy) could not be fetched from github.com. All else is there.",
		"With a way to github.com it is tried; so it is where the tools lie in Tauri's cache already.",
	);
}

/** Where Cargo and Tauri leave what they make. */
function made(args) {
	const { target_directory: target, packages } = ask(
		"cargo",
		"metadata",
		"--format-version",
		"1",
		"--no-deps",
		...CARGO,
	);
	const { name } = packages[0].targets.find((one) => one.kind.includes("bin"));
	const other = args.includes("--target") ? args[args.indexOf("--target") + 1] : "";
	const folder = join(target, other, args.includes("--debug") ? "debug" : "release");
	return { program: join(folder, windows ? `${name}.exe` : name), bundles: join(folder, "bundle") };
}

function lay(path) {
	mkdirSync(DIST, { recursive: true });
	const there = join(DIST, basename(path));
	rmSync(there, { force: true }); // it may be running: then it cannot be written over
	copyFileSync(path, there);
	say(`dist/${basename(path)}`);
}

process.exitCode = build(process.argv.slice(2));
