import hypothesis.strategies as st
import pytest
from hypothesis import given

from extrophi_backend.errors import InvalidInput
from extrophi_backend.http.cursors import read_cursor, write_cursor


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])), min_size=1, max_size=3))
def test_a_cursor_gives_back_its_key_and_is_safe_in_a_url(key: list[str]) -> None:
    cursor = write_cursor(*key)
    assert all(character.isalnum() or character in "-_" for character in cursor)
    assert read_cursor(cursor, *[str] * len(key)) == key


@given(st.text())
def test_a_made_up_cursor_is_refused_and_nothing_else_happens(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        read_cursor(cursor, *[str] * 7)
