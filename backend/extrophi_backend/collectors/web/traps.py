"""Telling places that never end from archives that are merely long.

Calendars, sessions, filters that multiply, and programs that make pages up have addresses of one kind, and pages that
say what others said before. An archive's addresses are of one kind, too, but each of its pages says something new, or
leads to what is new. So what is counted for each kind is how many of its pages were worth having.

Two things are told by where an address was met, its trail. A program that makes pages up has always something new to
say; but its pages are met on its own, and each leads to more that nothing else leads to. And an archive whose pages
hardly differ, by a name or a price, is met on pages of other kinds, and those come to an end.
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
_NOVEL = 4
"""Samples that no page of its kind had make a page new, whatever else it says: all that a shop's page has of its own
may be a name and two sentences."""
_REMEMBERED = 1500
"""Samples of what a kind's pages said."""
_ROUNDS = 5
"""Pages met on their own kind, before it is asked whether that grows without end."""
_BRANCHES = 2
"""New addresses of its own kind on a page. With one each, pages are a chain: so are the posts of many a blog."""
_CLOSED = 8
"""Pages that people made lead to each other: beside this many new addresses, to one at least that was met before."""
_MET = 300
"""The latest addresses that were met again, each to be counted once: a menu stands on all pages."""
_WORDS = 3000
_WORD = re.compile(r"[^\W_]+(?:[.,]\d+)*")
_SENTENCE = re.compile(r"[.!?\u2026\u3002]+(?:\s|\Z)|\n")
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_OF_A_DATE = re.compile(r"[0-5]?\d|[12]\d{3}|\d{1,2}[.,]\d{1,2}[.,](?:\d{2}|[12]\d{3})")
"""Days, months, weeks, hours, minutes, years: a calendar's pages differ by nothing else."""
_MOST_SEGMENTS = 20
_LONGEST_NAME = 300
_NUMBER = re.compile(r"\d+(?:[-_.,:]\d+)*")
_RANDOM = re.compile(r"(?=.*\d)[0-9a-z_-]{8,}|[0-9a-f]{8,}", re.IGNORECASE)
_SLUG = re.compile(r"[^-_]+(?:[-_][^-_]+){2,}")
_SUFFIX = re.compile(r"\.[a-z]{2,5}\Z", re.IGNORECASE)


def sketch(text: str) -> tuple[int, ...]:
    """A sample of the three-word runs of a text, and of its figures, but for those that may be of a date.

    Equal runs are in the samples of all long texts. None reaches across sentences or lines: goods in another order are
    no other goods. A word with a figure in it is left out: a session's name may be on each of its pages.
    """
    runs: set[str] = set()
    room = _WORDS
    for sentence in _SENTENCE.split(text[: 20 * _WORDS].lower()):
        parts = _WORD.findall(sentence)[:room]
        room -= len(parts)
        words = [part for part in parts if not any(map(str.isdigit, part))]
        runs.update(" ".join(words[at : at + 3]) for at in range(max(len(words) - 2, bool(words))))
        runs.update(part for part in parts if _FIGURE.fullmatch(part) and not _OF_A_DATE.fullmatch(part))
    numbers = {zlib.crc32(run.encode()) for run in runs}
    return tuple(sorted(number for number in numbers if len(numbers) < 100 or number % 4 == 0))


def agree(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether two samples are of one text, give or take what stands around it. Nothing agrees with nothing."""
    smaller = min(len(one), len(other))
    return smaller > 0 and len({*one} & {*other}) >= 0.5 * smaller


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


@dataclass(frozen=True, slots=True)
class Trail:
    """How an address was met: the kinds of the pages that led to it, from the front's links on, each once.

    `page` stands for the last of those pages, `forks` says whether that led round to several.
    """

    kinds: tuple[str, ...] = ()
    page: int = 0
    forks: bool = False

    @staticmethod
    def of(kept: Any) -> "Trail":
        """From what `kept` gave; of anything else, that of the front's links."""
        return Trail(tuple(kept["kinds"]), kept["page"], kept["forks"]) if isinstance(kept, dict) else Trail()

    @property
    def kept(self) -> dict[str, Any]:
        """JSON."""
        return {"kinds": list(self.kinds), "page": self.page, "forks": self.forks}

    @property
    def circle(self) -> set[str]:
        """Those kinds and what they are part of: an address of one of them goes round to where it came from."""
        return {name for kind in self.kinds for name in _wider(kind)}

    def after(self, url: str, page: int, links: Sequence[str] = ()) -> "Trail":
        """By which these new addresses come, that are met on the page at `url`."""
        kind = kinds_of(url)[0]
        kinds = self.kinds if kind in self.kinds else (*self.kinds, kind)
        return Trail(kinds, page, sum(kinds_of(link)[0] in kinds for link in links) >= _BRANCHES)

    def leads_in(self, url: str) -> bool:
        """Whether it came to this address from pages of other kinds, not from its own with another query."""
        return self.circle.isdisjoint(kinds_of(url)[:2])


@dataclass(frozen=True, slots=True)
class Led:
    """Where a page leads to: addresses that were not met before, those of them that may be entered, and others.

    `again` are addresses that were met before, but for that of the page that led here, by a number for each; `shared`
    those of them that wait, and that pages led to which are not the front.
    """

    fresh: Sequence[str] = ()
    enterable: Sequence[str] = ()
    again: Mapping[int, str] = field(default_factory=dict[int, str])
    shared: Sequence[str] = ()


@dataclass(slots=True)
class Kind:
    """What is known of the pages of one kind."""

    entered: int = 0
    worth: int = 0
    barren: int = 0
    said: list[int] = field(default_factory=list[int])
    """Samples of what they said, the latest last."""
    told: int = 0
    """Pages that said what no page had said to the letter."""
    rounds: int = 0
    """Pages that were met on their own kind, straight or by way of another."""
    forks: int = 0
    """Those of them that lead round again, to several that were not met before."""
    fresh: int = 0
    again: int = 0
    """Addresses that its pages lead round to: met there first, and met before."""
    met: list[int] = field(default_factory=list[int])
    aside: int = 0
    """Addresses that were put aside: they are doubted, or were left."""

    @property
    def kept(self) -> dict[str, Any]:
        """JSON to make it from again."""
        return {name: getattr(self, name) for name in Kind.__slots__}

    @property
    def is_within_budget(self) -> bool:
        return self.entered < BUDGET

    @property
    def is_proven(self) -> bool:
        return 0 < self.entered <= 2 * self.worth and self.barren < _BARREN

    @property
    def is_growing(self) -> bool:
        """Whether its pages lead to ever more of their own that nothing else leads to."""
        is_forked = self.rounds >= _ROUNDS and 2 * self.forks > self.rounds
        return not self.is_within_budget and is_forked and _CLOSED * self.again < self.fresh

    def is_new(self, samples: Sequence[int]) -> bool:
        said = set(self.said)
        return sum(one not in said for one in samples) >= _NOVEL

    def take(self, samples: Sequence[int], *, is_worth: bool) -> None:
        self.entered += 1
        self.worth += is_worth
        self.barren = 0 if is_worth else self.barren + 1
        said = set(self.said)
        self.said = [*self.said, *(one for one in samples if one not in said)][-_REMEMBERED:]

    def meet(self, again: Sequence[int]) -> None:
        """Count addresses that were met again, each once."""
        known = set(self.met)
        others = [one for one in again if one not in known]
        self.again += len(others)
        self.met = [*self.met, *others][-_MET:]


class Kinds:
    """Those of a job. What is not loaded counts as never entered: load before asking."""

    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = {}

    def missing(self, urls: Sequence[str], trails: Sequence[Trail] = ()) -> list[str]:
        """Names of kinds of these addresses, and of those on their trails, that are not loaded."""
        names = {name for trail in trails for name in trail.kinds}
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

    def _get(self, name: str) -> Kind:
        return self._kinds.setdefault(name, Kind())

    def is_over(self, url: str, trail: Trail = Trail()) -> bool:
        """Whether no page of its kind will be entered any more, as it looks now."""
        name = kinds_of(url)[0]
        kind = self._get(name)
        return not (kind.is_within_budget or kind.is_proven) or (kind.is_growing and name in trail.circle)

    def enters(self, url: str, trail: Trail = Trail()) -> bool:
        """Whether a page at this address, met by this trail, may be asked for."""
        if self.is_over(url, trail):
            return False
        names, circle = kinds_of(url), trail.circle
        narrow, *wide = map(self._get, names)
        if any(name in circle and self._get(name).is_growing for name in names[1:]):
            return False
        # A section of little worth ends nothing that has shown its own.
        return narrow.is_proven or all(one.is_within_budget or 3 * one.worth >= one.entered for one in wide)

    def ends(self, url: str, trail: Trail) -> bool:
        """Whether an address that was put aside is one of a finite number, once nothing else is left to be read.

        So it is where all pages that lead to its kind were read, and are of other kinds. Then it is enough that its
        pages differ at all.
        """
        names, circle = kinds_of(url), trail.circle
        kind = self._get(names[0])
        if any(name in circle and self._get(name).is_growing for name in names):
            return False
        is_all_read = trail.leads_in(url) and not any(self._get(name).aside for name in trail.kinds)
        return is_all_read and not kind.is_within_budget and kind.entered <= 2 * kind.told

    def put_aside(self, url: str, number: int) -> dict[str, Any]:
        """Count addresses that are doubted; -1 where one is entered after all. Gives what is to be kept."""
        name = kinds_of(url)[0]
        kind = self._get(name)
        kind.aside += number
        return {name: kind.kept}

    def take(
        self,
        url: str,
        samples: Sequence[int],
        *,
        is_said: bool,
        links: Sequence[str] = (),
        trail: Trail = Trail(),
        led: Led | None = None,
    ) -> dict[str, Any]:
        """Count a page that was entered. Gives what is to be kept of its kinds.

        Args:
            url: Its address.
            samples: Of what it says; empty if nothing.
            is_said: The same was said, to the letter, by a page before.
            links: New addresses that it leads to and that may be entered, if that is all that is known of them.
            trail: How its address was met.
            led: All that it leads to.
        """
        led = led or Led(links, links)
        path = url.partition("?")[0].rstrip("/") + "/"
        outside = [{*kinds_of(link)} for link in led.enterable if not link.startswith(path)]
        self._count_rounds(url, trail, led)
        kept: dict[str, Any] = {}
        for at, name in enumerate(kinds_of(url)):
            kind = self._get(name)
            outward = any((name if at < 2 else kinds_of(url)[0]) not in one for one in outside)
            kind.take(samples, is_worth=outward or (not is_said and kind.is_new(samples)))
            kind.told += not is_said
            kept[name] = kind.kept
        return kept

    def _count_rounds(self, url: str, trail: Trail, led: Led) -> None:
        """Count how a page that was met on its own kind leads round to more of it."""
        before, circle = trail.circle, trail.after(url, 0).circle
        path = url.partition("?")[0].rstrip("/") + "/"
        for at, name in enumerate(kinds_of(url)):
            kind = self._get(name)
            fresh = [link for link in led.fresh if _at(link, at) in circle]
            kind.meet([number for number, link in led.again.items() if _at(link, at) in circle])
            kind.fresh += len(fresh)
            if name not in before:
                continue
            if at == 2:
                # A section has pages of many kinds: what grows there has ever new ones, or folders in folders.
                others = {kinds_of(link)[0] for link in fresh if not link.startswith(path)}
                ways = sum(not self._get(one).entered and one not in trail.kinds for one in others)
                below = sum(link.startswith(path) for link in fresh)
                if sum(name in _wider(one) for one in trail.kinds) > 1:
                    ways += below
                elif below and ways < _BRANCHES:
                    continue  # a folder whose pages are still to be seen
            else:
                ways = len(fresh)
            kind.rounds += 1
            kind.forks += ways >= _BRANCHES or (ways > 0 and trail.forks)


def _at(url: str, at: int) -> str | None:
    kinds = kinds_of(url)
    return kinds[at] if at < len(kinds) else None


@lru_cache(REMEMBERED)
def _wider(kind: str) -> tuple[str, ...]:
    """What an address's narrowest kind is part of, as `kinds_of` has it, itself first."""
    shape = kind.partition("?")[0]
    first, *more = shape.split("/")[1:] or [""]
    return (kind, f"{shape}?*", *([f"/{first}/**"] if more else []))


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
