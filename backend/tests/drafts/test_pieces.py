from hypothesis import given
from hypothesis import strategies as st

from extrophi_backend.drafts.pieces import cut

LINES = st.lists(st.text(max_size=30).map(lambda line: line * 90) | st.just("\n") | st.just("x" * 20_000), max_size=30)


@given(LINES.map("\n".join))
def test_pieces_are_the_text(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    pieces = cut(text)
    assert "".join(piece.body for piece in pieces) == text
    assert all(0 < len(piece.body) <= 8192 for piece in pieces)


def paragraphs(count: int) -> list[str]:
    return [f"Paragraph {number} of a longer text, which goes on for a while. " * 8 + "\n\n" for number in range(count)]


def test_a_change_leaves_most_pieces_as_they_are() -> None:
    before = paragraphs(260)
    assert len("".join(before)) > 120_000
    was = {piece.hash for piece in cut("".join(before))}
    assert 20 < len(was) < 80
    for number in range(0, 260, 7):
        after = [*before]
        after[number] = after[number][:20] + "something new" + after[number][20:]
        assert len({piece.hash for piece in cut("".join(after))} - was) <= 4
        assert len({piece.hash for piece in cut("".join(before[:number] + before[number + 1 :]))} - was) <= 4
