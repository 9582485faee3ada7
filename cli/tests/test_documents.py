import io
import json

import pytest

from extrophi_cli.documents import parse, read_batches, validate

GOOD = {"platform": "files", "external_id": "note-1", "text": "Words."}


def line(**changes: object) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def test_a_document_keeps_what_the_api_takes_and_drops_the_rest() -> None:
    document = parse(line(id="018", version=3, title="T", author=None, published_at="2026-01-31T12:00:00Z"))
    assert document == {**GOOD, "title": "T", "published_at": "2026-01-31T12:00:00Z", "collections": ["default"]}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"{", "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b'{"a": "\xff"}', "is not UTF-8"),
        (b'{"platform": "files"}', "has no external_id"),
        (line(text=1), "text is not a text"),
        (line(external_id=" "), "external_id is empty"),
        (line(published_at="yesterday"), "published_at is not a time"),
        (line(published_at="2026-01-31T12:00:00"), "published_at is not a time"),
        (line(format="pdf"), "format is not one of"),
        (line(text="a\0b"), "text has a NUL character"),
        (line(title="\ud800"), "title has half of a surrogate pair"),
        (b"[" * 100_000, "is not JSON"),
    ],
)
def test_a_bad_line_says_what_is_wrong_with_it(bad: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(bad)


def test_validation_names_lines_by_number_and_passes_over_blank_ones() -> None:
    lines = io.BytesIO(b"\n".join([line(), b"", b"{", line()]))
    count, bad = validate(lines)
    assert (count, [problem.line for problem in bad]) == (3, [3])
    assert lines.tell() == 0


def test_batches_stay_within_a_request() -> None:
    batches = list(read_batches(line(external_id=str(number)) for number in range(2500)))
    assert [len(batch.documents) for batch in batches] == [1000, 1000, 500]
    large = [line(text="x" * 20_000_000), line(text="y" * 20_000_000)]
    assert [batch.lines for batch in read_batches(large)] == [[1], [2]]


def test_a_document_in_two_collections_is_pushed_into_both() -> None:
    [batch] = read_batches([line(collections=["default", "reading"])])
    assert [document["collection"] for document in batch.documents] == ["default", "reading"]
