"""The document that a thread is: the posts' words in their order, and beside them what they show."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from extrophi_backend.collectors.models import Anchor, Block, Capture, Collected
from extrophi_backend.collectors.twitter.models import Author, Piece, Post, Way, to_json
from extrophi_backend.collectors.twitter.target import post_address
from extrophi_backend.extraction.assembling import one_line

MADE = 1
"""Raised when documents are made otherwise: those that are there are then made anew when they are met."""
_TITLE = 120
_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")
_NO_LANGUAGE = frozenset({"", "und", "zxx", "qam", "qct", "qht", "qme", "qst", "art"})
"""X's own codes: of links, media, mentions or hashtags alone, and of what it cannot tell."""
_RENAMED = {"in": "id", "iw": "he", "ji": "yi"}
"""Codes that ISO 639 gave up in 1989, and X did not."""
_KINDS = {"photo": "Image", "video": "Video", "animated_gif": "Animation"}
_MISSING = {
    "removed": "was deleted",
    "suspended": "is of an account that is suspended",
    "protected": "is of an account that is protected",
    "withheld": "is withheld in this country",
    "age_restricted": "is shown to adults alone",
    "not_archived": "is not in the archive",
}
_STATES: Mapping[str, Literal["deleted", "removed"]] = {"removed": "deleted", "suspended": "removed"}
_NOTES = "Community Notes"
_NOBODY = "unknown"
"""Who wrote what an answer names no author of."""


def make_document(
    external_id: str, posts: Sequence[Post], way: Way, raw: Sequence[Piece], based_on: int | None
) -> Collected:
    """The document of a thread.

    Args:
        external_id: Of the post that it begins with.
        posts: All that is known of it, as `union` gives them.
        way: How the last of it came in.
        raw: What of it came in now, for its capture.
        based_on: The version that it is made from with what came in.
    """
    first = posts[0]
    text, blocks, anchors = _written(posts)
    newest = max(posts, key=lambda post: int(post.id))
    return Collected(
        platform="twitter",
        external_id=external_id,
        text=text,
        format="text",
        blocks=blocks,
        anchors=anchors,
        title=_title(text),
        author=_at(newest.author) or _at(first.author),
        url=_address(first),
        published_at=first.created_at,
        language=_language(posts),
        capture=_capture(way, raw),
        validators={"posts": [to_json(post) for post in posts], "way": way, "made": MADE},
        based_on=based_on,
    )


class _Text:
    """A text in the making, with its blocks and anchors."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0
        self.blocks: list[Block] = []
        self.anchors: list[Anchor] = []

    def add(self, text: str, anchor: Anchor) -> None:
        """What somebody says: whom its anchor names, or else the document's author."""
        if not text.strip():
            return
        if self.parts:
            self.parts.append("\n\n")
            self.length += 2
        begins = bool(self.anchors) and anchor.author != self.anchors[-1].author
        for start, end in _paragraphs(text):
            self.blocks.append(Block(self.length + start, self.length + end, begins=begins))
            begins = False
        self.anchors.append(replace(anchor, offset=self.length))
        self.parts.append(text)
        self.length += len(text)


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Where each begins and ends, without the white space around it."""
    start = 0
    for end, following in [*(found.span() for found in _BLANK_LINES.finditer(text)), (len(text), len(text))]:
        words = text[start:end]
        if words.strip():
            yield start + len(words) - len(words.lstrip()), start + len(words.rstrip())
        start = following


def _written(posts: Iterable[Post]) -> tuple[str, tuple[Block, ...], tuple[Anchor, ...]]:
    made = _Text()
    for post in posts:
        address = _address(post)
        made.add(_said(post), Anchor(0, url=address, published_at=post.created_at))
        if post.note:
            made.add(f"[Readers added context: {post.note}]", Anchor(0, url=address, author=_NOTES))
        if post.quoted is not None:
            made.add(_said(post.quoted), _of_another(post.quoted))
    return "".join(made.parts), tuple(made.blocks), tuple(made.anchors)


def _of_another(post: Post) -> Anchor:
    author = _at(post.author) or post.author.name or _NOBODY
    state = _STATES.get(post.missing)
    return Anchor(0, url=_address(post), author=author, published_at=post.created_at, state=state)


def _said(post: Post) -> str:
    """A post's words, and below them what it shows, each on lines of its own."""
    if post.missing:
        return f"[This post {_MISSING.get(post.missing, 'is not to be had')}.]"
    lines = [post.text] if post.text.strip() else []
    lines += [f"[{_KINDS.get(one.kind, 'Image')}: {one.alt}]" for one in post.media if one.alt.strip()]
    lines += [f"- {option}" for option in post.poll]
    if post.card is not None and (told := list(_told(post.card.title, post.card.description))):
        lines.append(f"[Link: {' – '.join(told)}]")
    # What says nothing is a document all the same, and answered and quoted as others are.
    silent = [f"[{_KINDS.get(one.kind, 'Image')}]" for one in post.media]
    return "\n".join(lines or silent or ["[A post without words]"])


def _told(*parts: str) -> Iterator[str]:
    return (part.strip() for part in parts if part.strip())


def _title(text: str) -> str:
    line = next((line for line in text.splitlines() if line.strip()), "")
    title = one_line(line)
    if len(title) <= _TITLE:
        return title
    return f"{title[: _TITLE - 1].rpartition(' ')[0] or title[: _TITLE - 1]}…"


def _language(posts: Sequence[Post]) -> str | None:
    """The first that is a language's."""
    found = next((post.lang for post in posts if post.lang.lower() not in _NO_LANGUAGE), "")
    return _RENAMED.get(found, found) or None


def _address(post: Post) -> str:
    return post_address(post.version, post.author.handle)


def _at(author: Author) -> str | None:
    return f"@{author.handle}" if author.handle else None


def _capture(way: Way, raw: Sequence[Piece]) -> Capture | None:
    kept = [piece.raw for piece in sorted(raw, key=lambda piece: int(piece.post.version)) if piece.raw is not None]
    if not kept:
        return None
    body = json.dumps({"way": way, "posts": kept}, separators=(",", ":"))  # ASCII: nothing in it breaks the encoding
    return Capture(body.encode("ascii"), "application/json")
