"""The words of the YouTube slice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

CaptionKind = Literal["manual", "automatic", "transcribed"]
"""Who wrote them: a person, YouTube, or the endpoint that TRANSCRIBE_URL names."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why YouTube does not give something. `code` is one of sources/states.py, `detail` a sentence for people."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Cue:
    """What is said from one second to another, to the character."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of a video that begins at a second."""

    start: float
    title: str


@dataclass(frozen=True, slots=True)
class Track:
    """Captions of a video in a language, that can be fetched."""

    url: str
    language: str
    kind: CaptionKind


@dataclass(frozen=True, slots=True)
class Captions:
    """A track as it was fetched, and read. `body` is empty where there never was one."""

    language: str | None
    kind: CaptionKind
    cues: Sequence[Cue]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Sound:
    """A video's sound as a file that can be fetched."""

    url: str
    suffix: str
    """Of a name for the file: `.m4a`."""


@dataclass(frozen=True, slots=True)
class Comment:
    """`depth` 0 answers the video. `published_at` is as exact as “3 weeks ago” is."""

    external_id: str
    text: str
    author: str
    published_at: datetime | None
    depth: int
    score: int | None


@dataclass(frozen=True, slots=True)
class Video:
    """A video as YouTube tells of it.

    `published_at` is midnight where YouTube tells only the day; until `young_until`, captions may still be made.
    `withheld`: it has captions that only a token opens. `spoken`: the language that its captions are made from, where
    that is known. `raw` is what of YouTube's answers it was made of, as JSON.
    """

    external_id: str
    title: str
    description: str
    author: str | None
    published_at: datetime | None
    young_until: datetime | None = None
    tracks: Sequence[Track] = ()
    withheld: bool = False
    spoken: str | None = None
    chapters: Sequence[Chapter] = ()
    comments: Sequence[Comment] = ()
    unread_comments: int = 0
    """How many more there are, that lack their text or their id."""
    is_elsewhere: bool = False
    """Its tracks are those that other players than its page's are told."""
    sound: Sound | None = None
    uncommented: Refusal | None = None
    """Why its comments could not be had, where they were asked for."""
    raw: Mapping[str, object] | None = None
