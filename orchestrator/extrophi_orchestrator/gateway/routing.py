"""Which component answers a path."""

import re
from typing import Literal

Component = Literal["research", "backend"]

_RESEARCH = frozenset({"search", "answer", "enrich"})
_BACKEND = frozenset(
    {"documents", "uploads", "jobs", "sources", "collections", "platforms", "stats", "embeddings", "drafts"}
)
# Nothing that a server behind us could read as another path than we did.
_PLAIN = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]+/?)*")


def route(raw_path: bytes) -> tuple[Component, str] | None:
    """The component and its own path, for the path as it was sent; None for what is not passed on.

    Internal routes (`/investigations`, `/health` …) are in no list here, so no spelling reaches them.
    """
    path = raw_path.decode("latin-1")
    if not _PLAIN.fullmatch(path) or any(part in {".", ".."} for part in path.split("/")):
        return None
    _, first, *rest = path.split("/")
    if first == "v1":
        return "research", path
    if first != "api" or not rest:
        return None
    inner = path.removeprefix("/api")
    if rest[0] in _RESEARCH:
        return "research", inner
    return ("backend", inner) if rest[0] in _BACKEND else None
