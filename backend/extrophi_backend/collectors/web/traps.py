"""Telling places that never end from archives that are merely long.

Calendars, sessions, filters that multiply, and programs that make pages up have addresses of one kind, and pages that
say what others said before. An archive's addresses are of one kind, too, but each of its pages says something new, or
leads to what is new. So what is counted for each kind is how many of its pages were worth having.
"""

import re
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

from extrophi_backend.collectors.web.spelling import REMEMBERED
from extrophi_backend.fetch.addresses import parse
from extrophi_backend.fetch.errors import FetchFailed

BUDGET = 20
"""Pages of a kind that are entered before it has to be worth it."""
_BARREN = 10
"""Pages in a row that said nothing new end a kind that has had its budget."""
_REMEMBERED = 1500
"""Samples of what a kind's pages said."""
_WORDS = 3000
_WORD = re.compile(r"[^\W\d_]+")
_MOST_SEGMENTS = 20
_LONGEST_NAME = 300
_NUMBER = re.compile(r"\d+(?:[-_.,:]\d+)*")
_RANDOM = re.compile(r"(?=.*\d)[0-9a-z_-]{8,}|[0-9a-f]{8,}", re.IGNORECASE)
_SLUG = re.compile(r"[^-_]+(?:[-_][^-_]+){2,}")
_SUFFIX = re.compile(r"\.[a-z]{2,5}\Z", re.IGNORECASE)


def sketch(text: str) -> tuple[int, ...]:
    """A sample of the three-word runs of a text, numbers left out; equal runs are in the samples of all long texts."""
    words = _WORD.findall(text[: 20 * _WORDS].lower())[:_WORDS]
    runs = {zlib.crc32(" ".join(words[at : at + 3]).encode()) for at in range(max(len(words) - 2, bool(words)))}
    return tuple(sorted(run for run in runs if len(runs) < 100 or run % 4 == 0))


def agree(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether two samples are of one text, give or take what stands around it."""
    smaller = min(len(one), len(other))
    return smaller == 0 or len({*one} & {*other}) >= 0.5 * smaller


@lru_cache(REMEMBERED)
def kinds_of(url: str) -> tuple[str, ...]:
    """The kinds that an address is of, the narrowest first: its shape with its query, its shape, its section."""
    parsed = parse(url)
    path, _, query = parsed.raw_path.decode("ascii").partition("?")
    segments = [part for part in path.split("/") if part]
    shape = "/" + "/".join(_folded(part, last=at == len(segments) - 1, at=at) for at, part in enumerate(segments))
    names = sorted({re.sub(r"\d+", "#", part.partition("=")[0])[:40] for part in query.split("&") if part})
    kinds = [f"{shape}?{'&'.join(names)}", f"{shape}?*"] if names else [shape, f"{shape}?*"]
    if len(segments) > 1:
        kinds.append(f"/{_folded(segments[0], last=False, at=0)}/**")
    return tuple(_short(kind) for kind in kinds)


def deepens(url: str) -> bool:
    """Whether its path goes round in circles: a relative link on a page that answers under every address, mostly."""
    segments = [part for part in parse(url).raw_path.decode("ascii").partition("?")[0].split("/") if part]
    if len(segments) > _MOST_SEGMENTS:
        return True
    for length in range(1, len(segments) // 3 + 1):
        for at in range(len(segments) - 3 * length + 1):
            first = segments[at : at + length]
            if first == segments[at + length : at + 2 * length] == segments[at + 2 * length : at + 3 * length]:
                return True
    return False


@dataclass(slots=True)
class Kind:
    """What is known of the pages of one kind. `said` are samples of what they said, the latest last."""

    entered: int = 0
    worth: int = 0
    barren: int = 0
    said: list[int] = field(default_factory=list[int])

    @property
    def is_within_budget(self) -> bool:
        return self.entered < BUDGET

    @property
    def is_proven(self) -> bool:
        return 0 < self.entered <= 2 * self.worth and self.barren < _BARREN

    def is_new(self, samples: Sequence[int]) -> bool:
        said = set(self.said)
        fresh = sum(one not in said for one in samples)
        return fresh >= max(4, 0.3 * len(samples))

    def take(self, samples: Sequence[int], *, is_worth: bool) -> None:
        self.entered += 1
        self.worth += is_worth
        self.barren = 0 if is_worth else self.barren + 1
        said = set(self.said)
        self.said = [*self.said, *(one for one in samples if one not in said)][-_REMEMBERED:]


class Kinds:
    """Those of a job. What is not loaded counts as never entered: load before asking."""

    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = {}

    def missing(self, urls: Sequence[str]) -> list[str]:
        """Names of kinds of these addresses that are not loaded."""
        names: set[str] = set()
        for url in urls:
            with suppress(FetchFailed):  # a sitemap may list what is no address
                names.update(kinds_of(url))
        return sorted(names - self._kinds.keys())

    def load(self, names: Sequence[str], kept: Mapping[str, Any]) -> None:
        self._kinds |= {name: Kind(**kept.get(name, {})) for name in names}

    def forget(self) -> None:
        """Let go of what has been saved."""
        self._kinds.clear()

    def __len__(self) -> int:
        return len(self._kinds)

    def is_over(self, url: str) -> bool:
        """Whether no page of its kind will be entered any more."""
        kind = self._kinds.setdefault(kinds_of(url)[0], Kind())
        return not kind.is_within_budget and not kind.is_proven

    def enters(self, url: str) -> bool:
        """Whether a page at this address may be asked for."""
        if self.is_over(url):
            return False
        narrow, *wide = (self._kinds.setdefault(name, Kind()) for name in kinds_of(url))
        # A section of little worth ends nothing that has shown its own.
        return narrow.is_proven or all(one.is_within_budget or 3 * one.worth >= one.entered for one in wide)

    def take(self, url: str, samples: Sequence[int], *, is_said: bool, links: Sequence[str]) -> dict[str, Any]:
        """Count a page that was entered. Gives what is to be kept of its kinds.

        Args:
            url: Its address.
            samples: Of what it says; empty if nothing.
            is_said: The same was said, to the letter, by a page before.
            links: New addresses that it leads to and that may be entered.
        """
        path = url.partition("?")[0].rstrip("/") + "/"
        led = [{*kinds_of(link)} for link in links if not link.startswith(path)]
        kept: dict[str, Any] = {}
        for at, name in enumerate(kinds_of(url)):
            kind = self._kinds.setdefault(name, Kind())
            outward = any(name not in one for one in led) if at < 2 else any(kinds_of(url)[0] not in one for one in led)
            kind.take(samples, is_worth=outward or (not is_said and kind.is_new(samples)))
            kept[name] = {"entered": kind.entered, "worth": kind.worth, "barren": kind.barren, "said": kind.said}
        return kept


def _folded(segment: str, *, last: bool, at: int) -> str:
    """A part of a path as its kind has it: numbers, dates and random names are alike, and so are names of pages."""
    suffix = found[0] if last and (found := _SUFFIX.search(segment)) else ""
    name = segment.removesuffix(suffix)
    if _NUMBER.fullmatch(name):
        return f"#{suffix}"
    if _RANDOM.fullmatch(name) and not _SLUG.fullmatch(name):
        return f"*{suffix}"
    if last and (at > 0 or _SLUG.fullmatch(name)):
        return f"~{suffix}"
    return segment


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else sha256(name.encode()).hexdigest()
