"""What extraction gives: a document's text and structure, out of any format."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from extrophi_backend.collectors.models import Anchor, Block


@dataclass(frozen=True, slots=True)
class Extracted:
    """`blocks` and `anchors` index `text` in code points; `published_at` is in UTC."""

    text: str
    blocks: Sequence[Block] = ()
    anchors: Sequence[Anchor] = ()
    title: str = ""
    author: str | None = None
    published_at: datetime | None = None
    language: str | None = None
    canonical_url: str | None = None
    format: Literal["text", "markdown", "html"] = "text"
