"""How far a target is followed: a page, or the site behind it."""

from dataclasses import dataclass

from extrophi_backend.collectors.models import DEFAULT_DEPTH, Scope
from extrophi_backend.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Reach:
    """`depth` is how many steps from a site's front are gone; None for a page."""

    scope: Scope
    depth: int | None

    def goes_beyond(self, other: "Reach") -> bool:
        """Whether something may be in its reach that is not in the other's."""
        if self.scope == "page":
            return False
        return other.scope == "page" or _steps(self) > _steps(other)


PAGE = Reach("page", None)


def reach_of(platform: str, scope: Scope, depth: int | None) -> Reach:
    """What was asked for, if a target of the platform can be followed so far.

    Raises:
        InvalidInput: only web addresses are fronts of sites, and only sites have a depth.
    """
    if scope == "page":
        if depth is not None:
            raise InvalidInput(
                "depth: it says how far into a site to go, and this is a page.",
                field="depth",
                hint="Leave it out, or ask for the scope `site`.",
            )
        return PAGE
    if platform != "web":
        raise InvalidInput(
            f"scope: there is no site behind a target of {platform}.",
            field="scope",
            hint="Leave it out; a folder is collected as a whole anyway.",
        )
    return Reach("site", DEFAULT_DEPTH if depth is None else depth)


def _steps(site: Reach) -> int:
    return DEFAULT_DEPTH if site.depth is None else site.depth
