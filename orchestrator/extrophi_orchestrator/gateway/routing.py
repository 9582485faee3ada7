"""Which component answers a path."""

import re
from typing import Literal

Component = Literal["research", "backend"]

_RESEARCH = frozenset({"search", "answer", "enrich"})
_BACKEND = frozenset(
    "documents uploads archives jobs sources collections platforms accounts stats embeddings vectors drafts events"
    " highlights citations answers feed.atom feed-tokens webhooks".split()
)
_INTERNAL = frozenset({b"vectors/query"})
# Nothing that a server behind us could read as another path than we did: no escapes, and (below) no empty or
# dotted parts.
_PLAIN = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:@/-]+")


def route(raw_path: bytes) -> tuple[Component, bytes] | None:
    """The component and its own path, for the path as it was sent; None for what is not passed on.

    Internal routes (`/investigations`, `/health` …) are in no list here, so no spelling reaches them.
    """
    if not _PLAIN.fullmatch(raw_path):
        return None
    root, *parts = raw_path.split(b"/")
    # One slash at the end is as good as none; an empty part anywhere else is not.
    if root or len(parts) < 2 or any(part in {b"", b".", b".."} for part in parts[:-1]) or parts[-1] in {b".", b".."}:
        return None
    first, second = parts[0], parts[1].decode()
    if first == b"v1":
        return "research", raw_path
    if first != b"api" or b"/".join(part for part in parts[1:] if part) in _INTERNAL:
        return None
    if second in _RESEARCH:
        return "research", raw_path[4:]
    return ("backend", raw_path[4:]) if second in _BACKEND else None
