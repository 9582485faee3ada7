"""What a listed page of a site said and led to, kept so that an answer that nothing changed tells as much.

Of its links those are kept that neither a sitemap nor the front leads to, by each page that has them: one of these may
go. So a menu that stands on 10,000 pages is not kept, if it stands on the front.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from extrophi_backend.collectors.models import Validators
from extrophi_backend.collectors.web.spelling import digest

_MOST_LINKS = 200
"""A page that led to more is asked for as a whole each time."""


@dataclass(frozen=True, slots=True)
class Seen:
    """`validators` are the answer's own. `texts` are keys of the frontier, `samples` as `traps.sketch` has them."""

    validators: Validators
    texts: Sequence[bytes]
    samples: Sequence[int]
    links: Sequence[str]

    def json(self, depth: int) -> Mapping[str, Any]:
        """To be kept, by a run that goes so deep; empty if the server sends no validators, or if it is too much."""
        if not self.validators or len(self.links) > _MOST_LINKS:
            return {}
        return {
            "validators": dict(self.validators),
            "depth": depth,
            "texts": [key.hex() for key in self.texts],
            "samples": list(self.samples),
            "links": list(self.links),
        }


def seen_at(site: str, url: str) -> str:
    """The name of the memo of what a page said and led to, for a site."""
    return f"seen {digest('site', site).hex()} {url}"


def seen_of(memo: Mapping[str, Any], known: Validators, depth: int) -> Seen | None:
    """What was kept, if it is of the answer that is known by `known`, and all links were followed so far as `depth`."""
    if depth > memo["depth"] or not memo["validators"].items() <= known.items():
        return None
    texts = [bytes.fromhex(key) for key in memo["texts"]]
    return Seen(memo["validators"], texts, memo["samples"], memo["links"])
