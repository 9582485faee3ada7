import "./styles/base.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { Desk } from "$lib/desk.svelte";
import { preferences, showTheme } from "$lib/preferences.svelte";
import { browser } from "$lib/shell/browser";
import { keepProgram } from "$lib/shell/offline";
import type { Shell } from "$lib/shell/shell";
import { speak, t } from "$lib/text";

showTheme();
await speak([preferences.language, ...navigator.languages]);
// Tauri puts it there before any script of the page runs.
const shell: Shell = "__TAURI_INTERNALS__" in window ? (await import("$lib/shell/tauri")).tauri : browser;
const desk = new Desk(shell, await shell.connect());
const target = document.getElementById("desk");
if (target) mount(App, { target, props: { desk } });
if (shell.kind === "browser") {
	// What is written is kept by then: a draft that is left keeps itself.
	keepProgram(() => desk.toasts.tell(t.app.newer, { name: t.app.reload, run: () => location.reload() }, false, true));
}
