import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extrophi_backend.drafts.titles import count_words, read_head

WORDS = Path(__file__).parents[3] / "tests" / "data" / "words.json"


@pytest.mark.parametrize(
    ("text", "title", "excerpt"),
    [
        ("", "", ""),
        (" \n\t\r\n", "", ""),
        ("# Herons\n\nThey *wait*.\n\n- In the [shallows](x.md)\n", "Herons", "They wait. In the shallows"),
        ("Herons\r\n======\r\n\r\nThey wait.", "Herons", "They wait."),
        ("Of herons\nand ponds\n---\nThey wait.", "Of herons and ponds", "They wait."),
        ("First of all.\n\n## Herons ##\n\nThey wait.", "Herons", "They wait."),
        ("\n\n  **Dear** `diary`,\nit rains.\n", "Dear diary,", "it rains."),
        ("> quoted\n", "quoted", ""),
        ("- [ ] to do", "to do", ""),
        ("```sh\n# no heading\n```\n\n# Herons", "Herons", ""),
        ("```sh\nls -l\n```", "ls -l", ""),
        ("    # code\n", "code", ""),
        ("#hashtag today", "#hashtag today", ""),
        ("#\n\n***\n\n# Herons {#herons .big}", "Herons", ""),
        ("---\ntitle: 'Ida''s herons' # mine\nauthor: Ida\n---\n\n# Another\n\nOne", "Ida's herons", "Another One"),
        ("---\ntitle: Herons\n---\n# Herons\n\nThey wait.", "Herons", "They wait."),
        ("\ufeff---\r\ntitle: >\r\n  Of herons\r\n  and ponds\r\n...\r\nWait", "Of herons and ponds", "Wait"),
        ('---\ntitle: "A \\u0000 \\ud800 B"\ndate: 2026-01-01\n---\n', "A B", ""),
        ("---\nauthor: Ida\n---\nThey wait.", "They wait.", ""),
        ("---\n\nThey wait.\n\n---\n\nStill.", "They wait.", "Still."),
        ("![A heron](0123456789abcdef.png) at dawn", "A heron at dawn", ""),
        ("# 2 * 3 \\* 4 & 5 &lt; 6 snake_case _so_", "2 * 3 * 4 & 5 < 6 snake_case so", ""),
        ("<!-- notes\n\nmine -->\n# Herons", "Herons", ""),
        ("# " + "x" * 500, "x" * 199 + "…", ""),
    ],
)  # fmt: skip
def test_a_title_is_what_front_matter_the_first_heading_or_the_first_line_says(
    text: str, title: str, excerpt: str
) -> None:
    head = read_head(text)
    assert (head.title, head.excerpt) == (title, excerpt)


@given(st.text(st.sampled_from(list("#-=>*_`~[]()!<>|:'\"\\ \t\r\n\x00ab1é🐦\ud800title")), max_size=80))
def test_a_title_is_one_storable_line_whatever_the_text(text: str) -> None:
    head = read_head("---\ntitle: " + text)
    for line in (head.title, head.excerpt, read_head(text).title):
        assert len(line) <= 200
        assert line == " ".join(line.split())
        assert not set(line) & {"\0", "\ud800", "\n", "\r"}


@pytest.mark.parametrize("text", ["<!--" * 250, "# " + "[" * 900, "<a" * 500, "`" * 30_000, "> " * 15_000, "_ " * 400])
def test_a_head_is_read_of_what_would_take_some_parsers_for_ever(text: str) -> None:
    # The suite's own limit for one test ends what does: on these, a pattern that goes back takes minutes.
    head = read_head("\n\n".join([text] * 200) + "\n\nHerons stand.")
    assert len(head.title) <= 200
    assert len(head.excerpt) <= 200


@pytest.mark.parametrize(("text", "words"), json.loads(WORDS.read_text(encoding="utf-8")).items())
def test_words_are_counted_as_the_writer_counts_them(text: str, words: int) -> None:
    assert count_words(text) == words
