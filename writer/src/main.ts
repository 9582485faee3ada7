import "./styles/base.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { Desk } from "$lib/desk.svelte";
import { preferences, showTheme } from "$lib/preferences.svelte";
import { browser } from "$lib/shell/browser";
import { keepProgram } from "$lib/shell/offline";
import { speak, t } from "$lib/text";

showTheme();
await speak([preferences.language, ...navigator.languages]);
const desk = new Desk(browser, await browser.connect());
const target = document.getElementById("desk");
if (target) mount(App, { target, props: { desk } });
// What is written is kept by then: a draft that is left keeps itself.
keepProgram(() => desk.toasts.tell(t.app.newer, { name: t.app.reload, run: () => location.reload() }, false, true));
