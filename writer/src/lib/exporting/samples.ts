import type { Reference } from "$lib/citing/models";
import { PlainStyle, type Words } from "./notes";

/** What the tests of all formats write: a draft with everything in it, and what it cites. */
export const WORDS: Words = {
	accessed: "accessed #",
	and: "and",
	others: "and others",
	quoted: "“#”",
	untitled: { post: "Post", motion_picture: "Video" },
	untitledElse: "Untitled",
};
export const TEXTS = {
	bibliography: "Bibliography",
	notes: "Notes",
	back: "Back to the text",
	done: "Done",
	open: "To do",
};
export const STYLE = new PlainStyle(WORDS, "en");

export const REFERENCES: readonly Reference[] = [
	{
		id: "holm2024phones",
		type: "post-weblog",
		title: "Why long articles lose on phones",
		author: [{ literal: "Ida Holm" }],
		issued: { "date-parts": [[2024, 1, 16]] },
		accessed: { "date-parts": [[2026, 11, 2]] },
		URL: "https://lantern.example/phones?a=1&b=100%25",
		"container-title": "lantern.example",
		language: "en",
		custom: { extrophi: { document_id: "0190", platform: "web", part: null, spans: [] } },
	},
	{
		id: "rivera2025",
		type: "post",
		title: "Reading } on {phones} \n\nTY  - BOOK\n@book{x, title={y}} <b>is</b> *hard* & 100 % #1 \\end [@a]",
		author: [{ literal: "@rivera" }],
		issued: { "date-parts": [[2025, 3, 1]] },
		accessed: { "date-parts": [[2026, 11, 2]] },
		URL: "https://x.com/rivera/status/1",
		"container-title": "X",
		genre: "Post",
	},
	{
		id: "tanaka2023",
		type: "motion_picture",
		title: "読書の時間 🪶",
		author: [{ literal: "田中チャンネル" }],
		issued: { "date-parts": [[2023, 7]] },
		accessed: { "date-parts": [[2026, 11, 2]] },
		URL: "https://www.youtube.com/watch?v=abc_123",
		publisher: "YouTube",
		genre: "Video",
		language: "ja",
	},
	{
		id: "haddad2022",
		type: "article-newspaper",
		title: "القراءة على الهاتف",
		author: [{ family: "حداد", given: "ليلى" }],
		issued: { "date-parts": [[2022, 5, 9]] },
		accessed: { "date-parts": [[2026, 11, 2]] },
		URL: "https://paper.example/1",
		"container-title": "الجريدة",
		language: "ar",
	},
	{ id: "smith2001", type: "book", title: "The Slow Page", author: [{ family: "Smith", given: "Ann" }, { family: "van Dyk", given: "Jo" }], issued: { "date-parts": [[2001]] }, publisher: "Barnes and Noble" }, // prettier-ignore
	{ id: "uncited1999", type: "book", title: "Nobody cites this" },
];

export const DRAFT = `---
title: Reading on phones
author:
  - Ida Holm
  - name: Jo van Dyk
date: 2026-11-28
lang: en
---

# What phones do to reading

Long articles lose [@holm2024phones, para. 3]. As @rivera2025 says, it is *hard* **indeed**, ~~maybe~~
see [the video](https://example.org/a_(b)?x=1&y=2) [see @tanaka2023, at 12:34; @holm2024phones].

> Quoted words [@haddad2022].
>
> Second paragraph, with \`code @x\` and a note.[^own]

## Lists & tables

1. First
2. Second
   - nested *one*
   - [ ] open task
   - [x] done task

   Continued paragraph.

5) Fifth

| Left | Centre | Right |
|:-----|:------:|------:|
| a [@smith2001, p. 5] | b | c \\| d |

\`\`\`python
print("<script>alert(1)</script>")
\`\`\`

![A heron](0123456789abcdef.png)
![Elsewhere](https://elsewhere.example/pixel.gif)

<!-- a note to myself -->

مرحبا بالعالم English שלום.

A line<br>broken, [here](#lists--tables), <b>bold</b>, [@nobody2020], [bad](javascript:alert(1)).

---

Ann says so [-@smith2001]. Inline.^[See [@holm2024phones].]

[^own]: The author's own note, citing [@smith2001].

    With a second paragraph.
`;
