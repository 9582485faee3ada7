"""What a person wrote, as lines of an export."""

import io
import json
from typing import Any

import pytest

from extrophi_cli.documents import as_lines, read_written, validate
from extrophi_cli.writing import Written, mentioned_ids, parse_written

DOCUMENT = "01a20ce0-0000-7000-8000-00000000000d"
DRAFT: dict[str, Any] = {
    "id": "01a20ce0-0000-7000-8000-00000000000a",
    "text": "Herons \u2028 wait [@holm]. 🪶",
    "bibliography": [{"id": "holm", "custom": {"extrophi": {"document_id": DOCUMENT, "spans": [{"version": 1}]}}}],
    "settings": {},
}
IMAGE = {"draft_id": DRAFT["id"], "name": "0123456789abcdef.png", "base64": "iVBORw=="}
HIGHLIGHT: dict[str, Any] = {
    "id": "01a20ce0-0000-7000-8000-00000000000c",
    "document_id": DOCUMENT,
    "version": 1,
    "start": 0,
    "end": 6,
    "quote": "Herons",
    "note": "",
    "colour": "yellow",
}


def test_it_is_read_back_as_it_was_and_counts_as_no_document() -> None:
    written = [Written("draft", DRAFT), Written("image", IMAGE)]
    lines = "".join(as_lines([], written=written)).encode()
    assert validate(io.BytesIO(lines)) == (0, [])
    assert list(read_written(io.BytesIO(lines))) == written


def test_documents_are_named_wherever_they_stand() -> None:
    assert mentioned_ids([Written("draft", DRAFT), Written("image", IMAGE)]) == {DRAFT["id"], DOCUMENT}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"extrophi": "draft", "text": "x"}, "is a draft without id"),
        ({"extrophi": "image", **IMAGE, "base64": "?"}, "whose base64 is none"),
        ({"extrophi": "image", **IMAGE, "base64": 3}, "whose base64 is none"),
        ({"extrophi": "image", **IMAGE, "draft_id": "../sources"}, "whose draft_id is none"),
        ({"extrophi": "draft", **DRAFT, "text": 1}, "whose text is not a text"),
        ({"extrophi": "highlight", **HIGHLIGHT, "start": "0"}, "whose start is not a number"),
    ],
)
def test_a_bad_line_is_told(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_written(changes["extrophi"], changes)
    _, [bad] = validate(io.BytesIO(json.dumps(changes).encode()))
    assert reason in bad.reason
