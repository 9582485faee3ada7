"""What is found by which words: the rules for a text and for a query are the same."""

import pytest

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
    ],
)
def test_it_is_something_else(query: str, text: str) -> None:
    assert not found(query, text)


def test_stop_words_are_asked_for_only_where_there_is_nothing_else() -> None:
    assert analysis.asked("What is it that makes herons wait?") == ["make", "heron", "wait"]
    assert analysis.asked("to be or not to be")


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
    ],
)
def test_a_query_is_words_phrases_and_exclusions(
    query: str, text: str, phrases: tuple[str, ...], excluded: tuple[str, ...]
) -> None:
    found = parse(query)
    assert (found.text, found.phrases, found.excluded) == (text, phrases, excluded)
