import io
import json

import pytest

from extrophi_cli.documents import Document, as_lines, parse, read_batches, validate

GOOD = {"platform": "files", "external_id": "note-1", "text": "Words."}


def line(**changes: object) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def test_a_document_keeps_what_the_api_takes_and_drops_the_rest() -> None:
    document = parse(line(id="018", version=3, title="T", author=None, published_at="2026-01-31T12:00:00Z"))
    body = {**GOOD, "title": "T", "published_at": "2026-01-31T12:00:00Z", "collections": ["default"]}
    assert document == Document(body, "018")


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
        (line(collected_at=1), "collected_at is not a time"),
        (line(blocks="0-5"), "blocks is not a list"),
        (b'{"extrophi": "export", "format": 2}', "newer"),
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


def test_an_export_is_read_back_as_it_was() -> None:
    documents = [
        {**GOOD, "collections": ["a", "b"], "blocks": [[0, 6, 1]], "anchors": [[0, {"page": 1}]], "format": "html"},
        {**GOOD, "external_id": "2", "collections": ["default"], "text": "\u2028\x85\r\n 🐦"},
    ]
    lines = "".join(as_lines(documents)).encode()
    assert validate(io.BytesIO(lines)) == (2, [])
    [batch] = read_batches(io.BytesIO(lines))
    assert [document.body for document in batch.documents] == documents


def test_an_export_cut_off_anywhere_is_refused_by_its_line() -> None:
    whole = "".join(as_lines([GOOD, {**GOOD, "external_id": "2"}])).encode()
    first = whole.index(b"\n") + 1
    for at in range(first, len(whole) - 1):
        _, [bad] = validate(io.BytesIO(whole[:at]))
        assert bad.line == whole[: at - 1].count(b"\n") + 1, whole[:at]


def test_exports_may_be_joined_but_may_not_lose_lines() -> None:
    one = list(as_lines([GOOD, {**GOOD, "external_id": "2"}]))
    assert validate(io.BytesIO("".join(one + one).encode())) == (4, [])
    _, [bad] = validate(io.BytesIO("".join([*one[:1], *one[2:]]).encode()))
    assert (bad.line, bad.reason) == (3, "ends an export of 2 documents, and 1 stand before it")
