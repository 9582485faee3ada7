"""Options that several commands share."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated
from urllib.parse import quote

import typer


class Platform(StrEnum):
    """Where a document was published."""

    TWITTER = "twitter"
    YOUTUBE = "youtube"
    REDDIT = "reddit"
    WEB = "web"
    FILES = "files"


class Reach(StrEnum):
    """How far a target is followed."""

    PAGE = "page"
    SITE = "site"


def _moment(text: str) -> str:
    """A day, or a moment with or without its time zone, as the API takes it."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day like 2026-01-31.") from None
    return in_utc(moment)


def in_utc(moment: datetime) -> str:
    """As the API takes it; without a time zone it is UTC's."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat().replace("+00:00", "Z")


def in_path(name: str) -> str:
    """What a person typed, as one part of a path, whatever it holds."""
    return quote(name, safe="")


URL = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="An Extrophi elsewhere (EXTROPHI_URL); files are uploaded to it."),
]
Key = Annotated[str | None, typer.Option("--key", metavar="KEY", help="Key for that one (EXTROPHI_KEY).")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Collection = Annotated[str, typer.Option("--collection", help="Collection that it goes into.")]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, max=100_000, help="At most so many documents of each (100).")
]
Scope = Annotated[
    Reach | None,
    typer.Option("--scope", help="The page, or what a feed or sitemap lists; or the whole site behind a page."),
]
Depth = Annotated[
    int | None,
    typer.Option("--depth", min=0, max=20, help="Steps into a site from the page that was given (5)."),
]
Platforms = Annotated[
    list[Platform] | None, typer.Option("--platform", help="Only from this platform. May be repeated.")
]
Collections = Annotated[
    list[str] | None, typer.Option("--collection", help="Only in this collection. May be repeated.")
]
Authors = Annotated[list[str] | None, typer.Option("--author", help="Only by this author. May be repeated.")]
Languages = Annotated[list[str] | None, typer.Option("--language", help="Only in this language (en, de, …).")]
After = Annotated[
    str | None, typer.Option("--after", metavar="DATE", parser=_moment, help="Published on this day or later.")
]
Before = Annotated[
    str | None, typer.Option("--before", metavar="DATE", parser=_moment, help="Published before this day.")
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="DATE", parser=_moment, help="What was there then, as it was worded then."),
]


Schedule = Annotated[
    str | None,
    typer.Option("--schedule", metavar="WHEN", help='When to look again: auto, never, 6h, or cron\'s "0 7 * * 1-5".'),
]


def time_zone() -> str:
    """This machine's, by its IANA name: what a person means by seven in the morning."""
    import tzlocal  # noqa: PLC0415  for few commands

    try:
        return tzlocal.get_localzone_name() or "UTC"
    except (OSError, ValueError, LookupError):
        return "UTC"


def reach(scope: Reach | None, depth: int | None, limit: int | None) -> dict[str, object]:
    """How far to go, as the API takes it; only what was given. A depth means a site."""
    if depth is not None and scope is None:
        scope = Reach.SITE
    chosen = {"scope": scope.value if scope else None, "depth": depth, "limit": limit}
    return {name: value for name, value in chosen.items() if value is not None}


def at(as_of: str | None) -> dict[str, str]:
    """The `as_of` of a search or an answer, if it was given."""
    return {"as_of": as_of} if as_of else {}


def filters(
    *,
    platforms: list[Platform] | None,
    collections: list[str] | None,
    authors: list[str] | None,
    languages: list[str] | None,
    after: str | None,
    before: str | None,
) -> dict[str, object]:
    """The `filters` of a search or an answer; only what was given."""
    chosen: dict[str, object] = {
        "platforms": [platform.value for platform in platforms or ()],
        "collections": collections,
        "authors": authors,
        "languages": languages,
        "published_after": after,
        "published_before": before,
    }
    return {name: value for name, value in chosen.items() if value}
