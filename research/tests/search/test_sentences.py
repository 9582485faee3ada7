"""Where sentences end: what is quoted is one whole sentence."""

import time

import pytest

from extrophi_research.search.sentences import sentences


@pytest.mark.parametrize(
    "whole",
    [
        ["Herons are a family.[1]", "They stand still.[2][3, 4]", "They wait."],
        ["The U.S. Army came.", "It won."],
        ["She has a Ph.D. from Yale.", "At 9 a.m. it rained.", "It stopped at 5 p.m.", "The sun came out."],
        ["Acme Inc. was there.", "Eq. 4 holds, see Sec. 3 and Fig. 2.", "No.", "It does not."],
        ["J. A. Smith saw it.", "So did I.", "They took vitamin C.", "It helped."],
        ["Am 3. Oktober war z. B. ein Fest.", "Es kamen 12.", "Dann regnete es."],
        ["1. A heron stands.", "2. It waits.", "3) It strikes"],
        ["## What it eats. And when", "It eats fish.", "- at dawn", "- at dusk"],
        ["# Why?", "Because it is hungry."],
        ["वह गया।", "वह आया।"],
        ["هل جاء؟", "نعم."],
        ["Elle dit «non».", "Il part.", "„Ja.“", "Er ging."],
        ["**It ends.**", "*So does this.*", "And this"],
        ["日本の首都は東京です。[1]", "「はい。」", "人口は"],
    ],
)
def test_sentences_end_where_a_reader_ends_them(whole):
    text = " ".join(whole) if whole[0][0] not in "1#" else "\n".join(whole)
    assert [text[start:end] for start, end in sentences(text)] == whole


@pytest.mark.parametrize("text", ["." * 30_000, ".[" * 20_000, "# " * 20_000, "a.'" * 20_000])
def test_no_text_makes_it_slow(text):
    began = time.monotonic()
    list(sentences(text))
    assert time.monotonic() - began < 5
