import en from "./en";

/** Every text of the interface. Another language is one more file of this shape, and a line in `LANGUAGES`. */
export type Texts = typeof en;

/** Each loads its file when chosen; what a file leaves out is said in English. */
export const LANGUAGES: Readonly<Record<string, { name: string; load: () => Promise<Partial<Texts>> }>> = {
	en: { name: "English", load: () => Promise.resolve(en) },
};

/** The texts in use. They are chosen before the first view is drawn, so that nothing has to watch them. */
export const t: Texts = { ...en };

/** The language of the interface, for dates and numbers too. */
export let language = "en";

/** Choose the first language that we have among those wanted. */
export async function speak(wanted: readonly string[]): Promise<void> {
	const found = wanted.map((tag) => tag.split("-")[0] ?? "").find((tag) => tag in LANGUAGES) ?? "en";
	Object.assign(t, await LANGUAGES[found]?.load());
	language = found;
	document.documentElement.lang = found;
	document.documentElement.dir = RIGHT_TO_LEFT.has(found) ? "rtl" : "ltr";
}

const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur"]);

/** “3 documents”: the form for a number, by the language's own rules. */
export function plural(
	count: number,
	forms: { one: string; other: string } & Partial<Record<Intl.LDMLPluralRule, string>>,
): string {
	const form = forms[new Intl.PluralRules(language).select(count)] ?? forms.other;
	return form.replace("#", number(count));
}

export const number = (value: number): string => new Intl.NumberFormat(language).format(value);

let days = { language, format: new Intl.DateTimeFormat(language, { dateStyle: "medium" }) };

/** A day as people write it; empty for none. */
export function day(moment: string | null | undefined): string {
	if (!moment) return "";
	// Made once: it takes longer to make than a row of a list to draw.
	if (days.language !== language) {
		days = { language, format: new Intl.DateTimeFormat(language, { dateStyle: "medium" }) };
	}
	return days.format.format(new Date(moment));
}

export function dayAndTime(moment: string): string {
	return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(moment));
}

/** “5 minutes ago”, “in 2 hours”. */
export function ago(moment: string, now: number = Date.now()): string {
	const seconds = (new Date(moment).getTime() - now) / 1000;
	const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
	for (const [unit, length] of UNITS) {
		if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
	}
	return relative.format(0, "minute");
}

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
	["year", 31_557_600],
	["month", 2_629_800],
	["day", 86_400],
	["hour", 3_600],
	["minute", 60],
];
