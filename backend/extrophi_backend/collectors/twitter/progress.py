"""How far a run has come: what its cursor holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from extrophi_backend.collectors.models import Cursor
from extrophi_backend.collectors.twitter import models
from extrophi_backend.collectors.twitter.models import Piece, from_json, to_json
from extrophi_backend.collectors.twitter.reading import as_list, as_object, id_of


@dataclass(slots=True)
class Progress:
    """`carried`: posts whose thread's beginning has not come yet. `newest`: of all places that were listed."""

    way: models.Way
    more: Any = None
    handled: int = 0
    newest: str = ""
    carried: list[Piece] = field(default_factory=list[Piece])
    climbs: int = 0
    """Requests for what stands above carried posts."""
    is_listed: bool = False
    """The listing is over; what is carried is not."""
    is_whole: bool = False
    """Nothing of the listing was left out."""

    @property
    def cursor(self) -> Cursor:
        found: dict[str, Any] = {
            "way": self.way,
            "more": self.more,
            "handled": self.handled,
            "newest": self.newest,
            "carried": [[to_json(piece.post), piece.raw] for piece in self.carried],
            "climbs": self.climbs,
            "listed": self.is_listed,
            "whole": self.is_whole,
        }
        return {name: value for name, value in found.items() if value}


def progress(cursor: Cursor | None, way: models.Way) -> Progress:
    """Where a run goes on. Another way in begins its listing anew; what came by the first is not lost."""
    kept: Mapping[str, Any] = cursor or {}
    is_same = kept.get("way") == way
    carried = [as_list(one) for one in as_list(kept.get("carried"))]
    posts = [(from_json(one[0]), one[1]) for one in carried if len(one) == 2]
    return Progress(
        way=way,
        more=kept.get("more") if is_same else None,
        handled=_count(kept.get("handled")),
        newest=id_of(kept.get("newest")),
        carried=[Piece(post, as_object(raw) or None) for post, raw in posts if post is not None],
        climbs=_count(kept.get("climbs")),
        is_listed=is_same and kept.get("listed") is True,
        is_whole=is_same and kept.get("whole") is True,
    )


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
