"""A video's document: its description, what is said in it under the titles of its chapters, and its comments.

Every cue has its second, so that a citation opens the video where it is said.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain

from extrophi_backend.collectors.models import Anchor, Block, Capture, Collected
from extrophi_backend.collectors.youtube.models import Captions, Chapter, Comment, Cue, Video
from extrophi_backend.collectors.youtube.target import video_url

CAPTIONS, COMMENTS = "captions", "comments"
"""Of a document's validators: whose captions it has (or LATER, or NONE), and whether it has comments."""
LATER, NONE = "later", "none"

_PAUSE_SECONDS = 2.0
_LONG_PARAGRAPH = 500
_LEVEL = 2
_SPEAKER = ">>"
"""Begins a cue where somebody else speaks (FCC and CTA-608 usage, which YouTube's automatic captions follow)."""


def document(video: Video, captions: Captions | None, *, comments: bool, lack: str = NONE) -> Collected:
    """The document of a video.

    Args:
        video: As YouTube tells of it.
        captions: What is said in it, if that could be had.
        comments: Its comments were asked for.
        lack: Where there are no captions, whether they are still to come (LATER, NONE).
    """
    url = video_url(video.external_id)
    text = _Text()
    # Without a description the title stands for it, if nothing is said: a text of nothing is never found.
    told = video.description if video.description.strip() else "" if captions and captions.cues else video.title
    if told.strip():
        text.anchors.append(Anchor(text.verbatim(told), url=url))
    if captions:
        _write_transcript(text, captions.cues, video.chapters)
    if comments and video.comments:
        text.anchors.append(Anchor(text.heading("Comments"), url=url))
        for comment in video.comments:
            _write_comment(text, comment, url)
    return Collected(
        platform="youtube",
        external_id=video.external_id,
        text=text.whole,
        blocks=tuple(text.blocks),
        anchors=tuple(text.anchors),
        title=video.title,
        author=video.author,
        url=url,
        published_at=video.published_at,
        language=captions.language if captions else None,
        capture=_capture(video, captions),
        validators={CAPTIONS: captions.kind if captions else lack, COMMENTS: comments},
    )


@dataclass(slots=True)
class _Text:
    """A text that grows by blocks, an empty line between two."""

    parts: list[str] = field(default_factory=list[str])
    end: int = 0
    blocks: list[Block] = field(default_factory=list[Block])
    anchors: list[Anchor] = field(default_factory=list[Anchor])

    @property
    def whole(self) -> str:
        return "".join(self.parts)

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.end += len(text)

    def part(self) -> int:
        """Go on after an empty line; where that is."""
        if self.end:
            self.add("\n\n")
        return self.end

    def heading(self, text: str) -> int:
        start = self.part()
        self.add(text)
        self.blocks.append(Block(start, self.end, "heading", _LEVEL))
        return start

    def verbatim(self, text: str, *, begins: bool = False) -> int:
        """Append what somebody wrote, its paragraphs as blocks; where it starts. It must not be blank."""
        start = at = self.part()
        self.add(text)
        for paragraph in text.split("\n\n"):
            if paragraph.strip():
                first = at + len(paragraph) - len(paragraph.lstrip())
                self.blocks.append(Block(first, at + len(paragraph.rstrip()), begins=begins))
                begins = False
            at += len(paragraph) + 2
        return start

    def cues(self, cues: Sequence[Cue]) -> None:
        """Append a paragraph of cues, a space between two that have none."""
        start = self.part()
        gap = False
        for cue in cues:
            if gap and not cue.text[0].isspace():
                self.add(" ")
            self.anchors.append(Anchor(self.end, seconds=cue.start))
            self.add(cue.text)
            gap = not cue.text[-1].isspace()
        self.blocks.append(Block(start, self.end))


def _write_transcript(text: _Text, cues: Sequence[Cue], chapters: Sequence[Chapter]) -> None:
    at = 0
    for chapter in chain(chapters, [None]):
        until = at
        while until < len(cues) and (chapter is None or cues[until].start < chapter.start):
            until += 1
        for paragraph in _paragraphs(cues[at:until]):
            text.cues(paragraph)
        if chapter:
            text.anchors.append(Anchor(text.heading(chapter.title), seconds=chapter.start))
        at = until


def _paragraphs(cues: Sequence[Cue]) -> Iterator[list[Cue]]:
    """Cues that belong together: until a pause, until somebody else speaks, or until it has become long."""
    paragraph: list[Cue] = []
    length, end = 0, 0.0
    for cue in cues:
        breaks = cue.start - end > _PAUSE_SECONDS or cue.text.lstrip().startswith(_SPEAKER)
        if paragraph and (breaks or length >= _LONG_PARAGRAPH):
            yield paragraph
            paragraph, length = [], 0
        paragraph.append(cue)
        length += len(cue.text) + 1
        end = max(end, cue.end)
    if paragraph:
        yield paragraph


def _write_comment(text: _Text, comment: Comment, url: str) -> None:
    start = text.verbatim(comment.text, begins=True)
    text.anchors.append(
        Anchor(
            start,
            url=f"{url}&lc={comment.external_id}",
            author=comment.author,
            published_at=comment.published_at,
            depth=comment.depth,
            score=comment.score,
        )
    )


def _capture(video: Video, captions: Captions | None) -> Capture:
    """What it was made of: the parts of YouTube's answers that tell of the video, and the captions as they came.

    The answers as a whole hold the address that was asked from, and tokens of the session.
    """
    kept = {
        **(video.raw or {}),
        "captions": {
            "language": captions.language,
            "kind": captions.kind,
            "body": captions.body.decode("utf-8", "replace"),
        }
        if captions
        else None,
        "comments": [asdict(comment) for comment in video.comments],
    }
    return Capture(json.dumps(kept, ensure_ascii=False, default=str).encode("utf-8", "replace"), "application/json")
