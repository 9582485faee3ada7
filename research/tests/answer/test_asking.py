"""Prose is no query: nothing in it excludes a word or asks for a phrase."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extrophi_research.answer.asking import as_query
from extrophi_research.errors import InvalidInput
from extrophi_research.search.query import parse


def test_a_number_below_zero_in_quotation_marks_excludes_nothing():
    assert as_query("Why is “-40” the same in Celsius?", "question") == "Why is 40 the same in Celsius?"


@given(st.text(alphabet='a-"“”„«» \n', max_size=30))
def test_no_prose_excludes_a_word_or_asks_for_a_phrase(text):
    try:
        query = parse(as_query(text, "question"))
    except InvalidInput:
        return
    assert (query.phrases, query.excluded) == ((), ())


@pytest.mark.parametrize("text", ["", " - ", "“-”", '"" --'])
def test_prose_without_a_word_is_refused(text):
    with pytest.raises(InvalidInput):
        as_query(text, "question")
