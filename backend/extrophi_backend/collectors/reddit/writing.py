"""A post and its comments as one document, in which every author's words have their own address."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from extrophi_backend.collectors.models import Anchor, Block, Capture, Collected
from extrophi_backend.collectors.reddit.models import Comment, Post, Words
from extrophi_backend.index.chunking import blocks_of

MOST_CHARACTERS = 32_000_000
"""Of a document: as much as any other may have."""


class Writing:
    """A text that grows by one author's words at a time, an empty line between two."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._blocks: list[Block] = []
        self._anchors: list[Anchor] = []
        self._end = 0

    @property
    def text(self) -> str:
        return "".join(self._parts)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(self._blocks)

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        return tuple(self._anchors)

    def add(self, words: Words, *, depth: int | None = None, score: int | None = None, markdown: bool = False) -> bool:
        """Append somebody's words to the character; whether they were. Blank ones are left out.

        Args:
            words: Whose they are, and what they say.
            depth: Of a comment.
            score: Of a comment.
            markdown: Their headings are headings of the document. In a comment they are only large letters.
        """
        text = words.text
        start = self._end + (2 if self._parts else 0)
        if not text.strip() or start + len(text) > MOST_CHARACTERS:
            return False
        if self._parts:
            self._parts.append("\n\n")
        self._parts.append(text)
        self._end = start + len(text)
        self._anchors.append(
            Anchor(
                start,
                url=words.address,
                author=words.author,
                published_at=words.published_at,
                depth=depth,
                score=score,
                state=words.lost,
            )
        )
        begins = True
        for block in blocks_of(text, markdown=markdown):
            self._blocks.append(Block(start + block.start, start + block.end, block.kind, block.level, begins))
            begins = False
        return True


def document(
    post: Post,
    comments: Iterable[Comment],
    *,
    format_: Literal["markdown", "html"],
    capture: Capture,
    validators: Mapping[str, Any],
    based_on: int | None = None,
) -> Collected:
    """The document of a post with those of its comments that were had.

    Args:
        post: With what it says itself.
        comments: In their order, with their depths.
        format_: What the words were: Reddit's Markdown as it was written, or taken from HTML.
        capture: What it was made of.
        validators: What makes looking again cheap.
        based_on: The version that it may replace (0: none), where another may hold more of the post.
    """
    writing = Writing()
    markdown = format_ == "markdown"
    writing.add(post.words, markdown=markdown)
    if post.quoted:
        writing.add(post.quoted)
    for comment in comments:
        writing.add(comment.words, depth=comment.depth, score=comment.score)
    if not writing.anchors:  # its title is all that it says: a text of nothing is never found
        writing.add(Words(post.title, post.words.author, post.words.address, post.words.published_at))
    return Collected(
        platform="reddit",
        external_id=post.name,
        text=writing.text,
        format=format_,
        blocks=writing.blocks,
        anchors=writing.anchors,
        title=post.title,
        author=post.words.author,
        url=post.words.address,
        published_at=post.words.published_at,
        capture=capture,
        validators=validators,
        based_on=based_on,
    )
