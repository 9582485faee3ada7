/** The words of two texts that say the same thing, whatever their endings. */

import { remembering } from "$lib/remembering";

export interface Word {
	from: number;
	to: number;
	/** Lower case, without marks. */
	folded: string;
}

const SEGMENTS = new Intl.Segmenter(undefined, { granularity: "word" });

/** Words that are in every text, of the languages that most of what is collected is in. The rest goes by length. */
const EVERYWHERE = new Set(
	(
		"about above after again against also although always among another because been before being below between both " +
		"cannot could does doing done down during each either enough even ever every from further have having here hers " +
		"herself himself however into itself just less like made make many maybe might more most much must myself neither " +
		"never next none only other others ours over perhaps quite rather really same shall should since some someone " +
		"something still such than that their theirs them themselves then there these they thing things this those though " +
		"through thus together under until upon very want well were what when where whether which while whom whose will " +
		"with within without would your yours yourself " +
		"aber alle auch beim dann dass dein denn dies diese dieser eine einem einen einer habe haben hatte jetzt kann " +
		"kein keine mehr mein mich mir nach nicht noch oder schon sehr sein sich sind über unter viel wenn werden wird " +
		"avec cette comme dans elle être fait leur mais même nous pour plus sans sont sous tout très vous " +
		"como desde donde ellos entre esta este esto hasta para pero porque sobre también tiene todo"
	).split(" "),
);

/** Passages of evidence, which stay while the paragraph beside them is written. */
const known = remembering<readonly Word[]>(100);

export const words = (text: string): readonly Word[] => known(text, () => segmented(text));

function segmented(text: string): readonly Word[] {
	const found: Word[] = [];
	for (const { segment, index, isWordLike } of SEGMENTS.segment(text)) {
		if (!isWordLike) continue;
		const folded = segment.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
		found.push({ from: index, to: index + segment.length, folded });
	}
	return found;
}

const IDEOGRAPHS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;

/** Whether a word says what a text is about. */
const tells = ({ folded }: Word): boolean =>
	IDEOGRAPHS.test(folded) ? folded.length > 1 : folded.length > 3 && !EVERYWHERE.has(folded);

/** What is left of a word without its ending, for words long enough to have one: `articles`, `article`. */
function stem(folded: string): string {
	if (IDEOGRAPHS.test(folded) || folded.length < 5) return folded;
	const bare = folded.replace(/(?:'s|’s)$/u, "").replace(/(?:ies|es|s|ing|ed|ly|er|en|e|y)$/u, "");
	return bare.length >= 4 ? bare : folded;
}

/** The telling words of a text, to be looked for in others. */
export function tellingStems(text: string): ReadonlySet<string> {
	return new Set(
		words(text)
			.filter(tells)
			.map(({ folded }) => stem(folded)),
	);
}

/** The words of a text that another holds too. Offsets are UTF-16 units. */
export function shared(text: string, stems: ReadonlySet<string>): Word[] {
	return words(text).filter((word) => tells(word) && stems.has(stem(word.folded)));
}
