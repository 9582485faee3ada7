"""What is found by which words: the rules for a text and for a query are the same."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extrophi_research.search import analysis
from extrophi_research.search.query import parse


def found(query: str, text: str) -> bool:
    """Whether the text holds every term that the query asks for."""
    return bool(analysis.asked(query)) and set(analysis.asked(query)) <= set(analysis.tokens(text))


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("herons", "A heron waits."),
        ("heron", "The heron's nest, the heron’s egg"),
        ("dont", "I don't know"),
        ("don’t", "I don't know"),
        ("homme", "L'homme est né libre."),
        ("l’homme", "Un homme libre"),
        ("arte", "commedia dell'arte"),
        ("o'brien", "Flann O’Brien"),
        ("email", "Send an e-mail."),
        ("e-mail", "Send an e-mail."),
        ("known", "a well-known fact"),
        ("state of the art", "state-of-the-art optics"),
        ("covid19", "COVID-19 is a disease"),
        ("C++", "He writes C++, not C."),
        ("c#", "C# and F#"),
        (".NET", "ported to .NET 9"),
        ("3.14", "pi is about 3.14, they say"),
        ("1000", "1,000 birds"),
        ("1,000", "1000 birds"),
        ("2.5", "gut 2,5 Meter hoch"),
        ("ann@example.com", "Write to Ann@Example.com."),
        ("example", "Write to ann@example.com."),
        ("@some_name", "thanks @some_name!"),
        ("name", "thanks @some_name!"),
        ("#tag", "on #Tag today"),
        ("tag", "on #Tag today"),
        ("🐦", "a bird 🐦 sings"),
        ("❤️", "with ❤ from here"),
        ("naive", "a naïve reader"),
        ("naïve", "a naive reader"),
        ("GRÖSSE", "Die Größe zählt."),
        ("lodz", "Łódź is a city"),
        ("istanbul", "İstanbul"),
        ("книга", "Он читает книги"),
        ("елка", "ёлка"),
        ("αθηνα", "ΑΘΉΝΑ"),
        ("किताब", "किताबें पढ़ो"),
        ("العربية", "العَرَبِيَّة"),
        ("大学", "我们在北京大学学习"),
        ("東京", "東京都に住む"),
        ("サッカー", "ｻｯｶｰが好き"),
        ("서울", "서울에서"),
        ("ไทย", "ภาษาไทยสวยงาม"),
        ("to be", "to be or not"),
        ("it", "it'll rain"),
        ("must", "They must’ve known"),
        ("Istanbul", "İstanbul'da yaşıyor"),
        ("ankara", "Ankara’nın havası"),
        ("hawaii", "Hawai'i"),
        ("aujourd'hui", "Aujourd’hui, maman est morte."),
        ("quelqu'un", "Il y a quelqu'un."),
        ("cooperation", "coop\u00aderation"),
        ("herons", "he\u200brons"),
        ("1990", "in the 1990s"),
        ("1990s", "in 1990"),
        ("US", "the U.S. economy"),
        ("U.S.A.", "made in the USA"),
        ("مدرسه", "في المدرسة"),
        ("state art", "state-of-the-art optics"),
    ],
)
def test_it_is_found(query: str, text: str) -> None:
    assert found(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("c++", "vitamin C and C#"),
        ("c", "He writes C++"),
        ("3.14", "3 birds and 14 eggs"),
        ("@name", "her name is"),
        ("#tag", "a tag on it"),
        ("ann@example.com", "ann of example"),
        ("йод", "иод"),
        ("大京", "我们在北京大学学习"),
        ("🐦", "a bird 🐟"),
        ("ill", "it'll rain"),
    ],
)
def test_it_is_something_else(query: str, text: str) -> None:
    assert not found(query, text)


def test_stop_words_are_asked_for_only_where_there_is_nothing_else() -> None:
    assert analysis.asked("What is it that makes herons wait?") == ["make", "heron", "wait"]
    assert analysis.asked("to be or not to be")


def test_the_words_of_asking_go_where_enough_is_left() -> None:
    framed = "Please find articles that discuss the boundary layer of a flat plate, I am interested in what is known."
    assert analysis.asked(framed) == ["boundari", "layer", "flat", "plate"]
    assert analysis.asked("articles about information") == ["articl", "inform"]


def test_the_small_words_of_a_compound_are_not_asked_for() -> None:
    assert analysis.asked("state-of-the-art") == ["state", "art"]


@pytest.mark.parametrize(
    ("language", "query", "text"),
    [
        ("de", "Wo stehen die alten Häuser?", "Ein Haus am See"),
        ("fr", "Quelles sont les lois nationales de la France ?", "la loi nationale"),
        ("es", "¿Dónde están los animales que cantan?", "un animal canta"),
        ("it", "Quali sono gli alberi della città?", "un albero"),
        ("pt", "Quais são as casas que não têm portas?", "uma porta"),
        ("nl", "Waar zijn de oude huizen van het dorp?", "oude dorpen"),
        ("sv", "Var finns det gamla hus med röda dörrar?", "en röd dörr"),
        ("fi", "Missä on kaunis talo ja mitä se maksaa?", "talossa maksavat"),
        ("tr", "Kitaplar nerede ve ne kadar?", "kitaplarımızdan biri"),
    ],
)
def test_a_language_of_latin_script_is_found_by_its_own_stems(language: str, query: str, text: str) -> None:
    held = set(analysis.tokens(text)) | set(analysis.stems(list(analysis.parts(text)), language))
    asked = analysis.wanted(query)
    assert any(held.intersection((one.term, *one.others)) for one in asked)
    assert not any(word in {one.term for one in asked} for word in ("die", "les", "los", "sono", "que", "het", "det"))


def test_a_query_of_one_word_is_in_the_language_that_is_said() -> None:
    assert [one.others for one in analysis.wanted("Häuser", ("de",))] == [("haus",)]
    assert [one.others for one in analysis.wanted("Häuser")] == [()]


def test_english_is_taken_for_no_other_language() -> None:
    assert all(not one.others for one in analysis.wanted("What was the die in the man that was as an art?"))
    assert (
        analysis.language_of(list(analysis.parts("It was in the house that a man on the hill had, and so on."))) is None
    )


def test_long_runs_without_spaces_are_not_remembered() -> None:
    analysis._PIECES.clear()
    assert len(list(analysis.tokens("北京大学" * 5000 + " 北京 " + "long" * 100))) == 39_999 + 3 + 7
    assert not analysis._PIECES


@given(st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("ae.-'’@#+, \n\u0301北ไก"))))
def test_a_text_is_read_by_the_piece_as_it_is_as_a_whole(text: str) -> None:
    whole = [analysis.analysed(word) for word in analysis.words(text)]
    assert analysis.tokens(text) == [term for word in whole for term in word.terms]
    assert analysis.parts(text) == [part for word in whole for part in word.parts]
    assert list(analysis.analysed_words(text)) == whole


@pytest.mark.parametrize("piece", ["https://example.com/a/b", "a|b|c|d", "word" * 20, "北京大学"])
def test_what_is_large_and_hardly_comes_again_is_not_remembered(piece: str) -> None:
    analysis._PIECES.clear()
    analysis.tokens(piece)
    assert piece not in analysis._PIECES


def test_what_is_remembered_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "_REMEMBERED", 3)
    analysis._PIECES.clear()
    assert list(analysis.tokens("herons, eat fish; again sleep")) == ["heron", "eat", "fish", "again", "sleep"]
    assert len(analysis._PIECES) <= 3
    assert "sleep" in analysis._PIECES


@pytest.mark.parametrize("text", ["x." * 4000 + "@", "a-" * 4000, "1," * 4000 + "x", "@" * 8000, "x" * 8000 + "'"])
def test_no_text_takes_long(text: str) -> None:
    began = time.perf_counter()
    assert all(len(word) <= 600 for word in analysis.words(text))
    assert time.perf_counter() - began < 0.5


def test_phrases_are_compared_by_words_as_written() -> None:
    assert list(analysis.parts("Running e-mails, 3.14!")) == ["running", "e", "mails", "3.14"]


@pytest.mark.parametrize(
    "text", ["", " ", "…", "-", "\ud800", "\x00", "'", "''", "’s", "-'-", "@", "#", "++", ".net", "́"]
)
def test_odd_texts_give_no_empty_word(text: str) -> None:
    assert all(analysis.tokens(text))
    assert all(analysis.parts(text))


@pytest.mark.parametrize(
    ("query", "text", "phrases", "excluded"),
    [
        ('a "b c" -d', "a b c", ("b c",), ("d",)),
        ("“b c” «d e»", "b c d e", ("b c", "d e"), ()),
        ('a -"b c"', "a", (), ("b c",)),
        ("e-mail - note --flag", "e-mail - note --flag", (), ()),
        ('an "open end', "an open end", (), ()),
        ('""', "", (), ()),
        ("at -40 degrees -and so on", "at 40 degrees and so on", (), ()),
        ('a -"the and"', "a", (), ("the and",)),
    ],
)
def test_a_query_is_words_phrases_and_exclusions(
    query: str, text: str, phrases: tuple[str, ...], excluded: tuple[str, ...]
) -> None:
    found = parse(query)
    assert (found.text, found.phrases, found.excluded) == (text, phrases, excluded)
