/** What the person likes, kept on this device. Where nothing can be kept, it holds until the window closes. */
export interface Preferences {
	theme: "system" | "light" | "dark";
	language: string;
	/** The draft's typeface. */
	typeface: "serif" | "sans" | "mono";
	/** The draft's size, in px. */
	size: number;
	/** Characters in a line of the draft. */
	measure: number;
	spellcheck: boolean;
	evidence: boolean;
	/** What lies at the draft's other side. */
	sidebar: "drafts" | "outline" | "none";
	/** The form in which a draft was saved last. */
	exportFormat: string;
	/** Milliseconds of quiet after which evidence is looked for. */
	pause: number;
	/** Whether the first steps were taken, or declined. */
	welcomed: boolean;
}

const DEFAULTS: Preferences = {
	theme: "system",
	language: "",
	typeface: "serif",
	size: 18,
	measure: 68,
	spellcheck: true,
	evidence: true,
	sidebar: "drafts",
	exportFormat: "docx",
	pause: 600,
	welcomed: false,
};
const KEY = "extrophi.preferences";

function read(): Preferences {
	try {
		const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
		return { ...DEFAULTS, ...(kept as Partial<Preferences>) };
	} catch {
		return { ...DEFAULTS };
	}
}

export const preferences = $state(read());

export function prefer(change: Partial<Preferences>): void {
	Object.assign(preferences, change);
	try {
		localStorage.setItem(KEY, JSON.stringify(preferences));
	} catch {
		// A full or forbidden store: the choice holds in this window.
	}
	showTheme();
}

/** Put the chosen theme on the page; `system` leaves it to the browser. */
export function showTheme(): void {
	const root = document.documentElement;
	if (preferences.theme === "system") delete root.dataset.theme;
	else root.dataset.theme = preferences.theme;
}

export function switchTheme(): void {
	const dark =
		preferences.theme === "dark" ||
		(preferences.theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
	prefer({ theme: dark ? "light" : "dark" });
}
