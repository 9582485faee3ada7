"""How far a run has come: what its cursor holds, and what its source remembers of the listing.

A source remembers up to which post its listing was once had whole (`id`), and what of it a run that was cut has had
since (`open`): all from `newest` down to `reached`. The next run for what is new brings what is newer than that, and
then what is below it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from extrophi_backend.collectors.models import Cursor
from extrophi_backend.collectors.twitter import models
from extrophi_backend.collectors.twitter.models import Listed, Piece, from_json, to_json
from extrophi_backend.collectors.twitter.reading import as_list, as_object, id_of


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a source's memo says. Ids of posts, as places in the listing; empty where there is none."""

    whole: str = ""
    newest: str = ""
    reached: str = ""

    @property
    def is_open(self) -> bool:
        return bool(self.newest)

    @property
    def json(self) -> dict[str, Any]:
        opened = {"open": {"newest": self.newest, "reached": self.reached}} if self.is_open else {}
        return ({"id": self.whole} if self.whole else {}) | opened


def remembered(memo: Any) -> Remembered:
    """What `Remembered.json` gave; nothing, of what is none of it."""
    found = as_object(memo)
    newest, reached = (id_of(as_object(found.get("open")).get(name)) for name in ("newest", "reached"))
    return Remembered(id_of(found.get("id")), newest if reached else "", reached if newest else "")


@dataclass(slots=True)
class Progress:
    """`carried`: posts whose thread's beginning has not come yet."""

    way: models.Way
    more: Any = None
    handled: int = 0
    carried: list[Piece] = field(default_factory=list[Piece])
    places: dict[str, str] = field(default_factory=dict[str, str])
    """Where in the listing what is carried stands, by the posts' ids."""
    climbs: int = 0
    """Requests for what stands above carried posts."""
    before: Remembered | None = None
    """What was remembered when this listing began."""
    newest: str = ""
    """Of all places that were listed."""
    lowest: str = ""
    """Of those that were gone through without a gap."""
    left_out: str = ""
    """The newest place that there was no room for."""
    is_below: bool = False
    """What is newer than the open listing is had: it goes on below that."""
    is_listed: bool = False
    """The listing is over; what is carried is not."""
    is_whole: bool = False
    """It has come to its end, or to what was had whole before."""
    is_cut: bool = False
    """Something of it was left out."""

    @property
    def cursor(self) -> Cursor:
        found: dict[str, Any] = {
            "way": self.way,
            "more": self.more,
            "handled": self.handled,
            "carried": [[to_json(one.post), one.raw, self.places.get(one.post.id, "")] for one in self.carried],
            "climbs": self.climbs,
            "newest": self.newest,
            "lowest": self.lowest,
            "left_out": self.left_out,
            "below": self.is_below,
            "listed": self.is_listed,
            "whole": self.is_whole,
            "cut": self.is_cut,
        }
        before = {} if self.before is None else {"before": self.before.json}
        return {name: value for name, value in found.items() if value} | before

    def note(self, listed: Iterable[Listed], left_out: Collection[str]) -> None:
        """Take in where the posts of a batch stand, once it was gathered.

        Args:
            listed: Its places.
            left_out: Posts that there was no room for.
        """
        places = [(one.piece.post.ids, one.order) for one in listed]
        orders = [order for _, order in places if order]
        self.newest = _highest([self.newest, *orders])
        self.lowest = min([*orders, *filter(None, [self.lowest])], key=int, default="")
        there = [*places, *((frozenset({post}), order) for post, order in self.places.items())]
        by_id: dict[str, str] = {}
        for ids, order in there:
            for one in ids:
                by_id[one] = _highest([by_id.get(one, ""), order])
        self.places = {
            one.post.id: order
            for one in self.carried
            if (order := _highest(by_id.get(known, "") for known in one.post.ids))
        }
        self.left_out = _highest([self.left_out, *(by_id.get(one, "") for one in left_out)])
        self.is_cut = self.is_cut or bool(left_out)

    def end(self, *, can_go_below: bool) -> None:
        """The listing has come to its end, or to what was had before."""
        before = self.before or Remembered()
        if can_go_below and before.is_open and not self.is_below:
            self.is_below, self.more, self.lowest = True, None, before.reached
        else:
            self.is_listed = self.is_whole = True

    @property
    def remembered(self) -> Remembered:
        """What the next run is to know. While anything is carried or left out, all below that is still to be had."""
        before = self.before or Remembered()
        if self.is_whole and not self.is_cut and not self.carried:
            return Remembered(_highest([before.whole, before.newest, self.newest]))
        held = _highest([*self.places.values(), self.left_out])
        newest, reached = self.newest, str(int(held) + 1) if held else self.lowest
        if not newest or int(reached) > int(newest):
            return before  # nothing that hangs together
        if before.is_open and int(reached) <= int(before.newest):
            newest, reached = _highest([newest, before.newest]), min(reached, before.reached, key=int)
        return Remembered(before.whole, newest, reached)


def progress(cursor: Cursor | None, way: models.Way) -> Progress:
    """Where a run goes on. Another way in begins its listing anew; what came by the first is not lost."""
    kept: Mapping[str, Any] = cursor or {}
    carried = [as_list(one) for one in as_list(kept.get("carried"))]
    found = [(post, one) for one in carried if len(one) == 3 and (post := from_json(one[0])) is not None]
    at = Progress(
        way=way,
        handled=_count(kept.get("handled")),
        carried=[Piece(post, as_object(one[1]) or None) for post, one in found],
        places={post.id: place for post, one in found if (place := id_of(one[2]))},
        climbs=_count(kept.get("climbs")),
        left_out=id_of(kept.get("left_out")),
        is_cut=kept.get("cut") is True,
    )
    if kept.get("way") == way:
        at.more = kept.get("more")
        at.before = remembered(kept["before"]) if "before" in kept else None
        at.newest, at.lowest = id_of(kept.get("newest")), id_of(kept.get("lowest"))
        at.is_below, at.is_listed = kept.get("below") is True, kept.get("listed") is True
        at.is_whole = kept.get("whole") is True
    return at


def _highest(ids: Iterable[str]) -> str:
    return max(ids, key=lambda one: int(one or 0), default="")


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
