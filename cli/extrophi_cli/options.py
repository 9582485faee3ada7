"""Options that several commands share."""

from typing import Annotated

import typer

URL = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="An Extrophi elsewhere (EXTROPHI_URL); files are uploaded to it."),
]
Key = Annotated[str | None, typer.Option("--key", metavar="KEY", help="Key for that one (EXTROPHI_KEY).")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Collection = Annotated[str, typer.Option("--collection", help="Collection that it goes into.")]
Platforms = Annotated[
    list[str] | None,
    typer.Option("--platform", help="Only from this platform: twitter, youtube, reddit, web, files. May be repeated."),
]
Collections = Annotated[
    list[str] | None, typer.Option("--collection", help="Only in this collection. May be repeated.")
]
Authors = Annotated[list[str] | None, typer.Option("--author", help="Only by this author. May be repeated.")]
Languages = Annotated[list[str] | None, typer.Option("--language", help="Only in this language (en, de, …).")]
After = Annotated[str | None, typer.Option("--after", metavar="DATE", help="Published on this day or later.")]
Before = Annotated[str | None, typer.Option("--before", metavar="DATE", help="Published before this day.")]


def filters(
    *,
    platforms: list[str] | None,
    collections: list[str] | None,
    authors: list[str] | None,
    languages: list[str] | None,
    after: str | None,
    before: str | None,
) -> dict[str, object]:
    """The `filters` of a search or an answer; only what was given."""
    chosen: dict[str, object] = {
        "platforms": platforms,
        "collections": collections,
        "authors": authors,
        "languages": languages,
        "published_after": _moment(after),
        "published_before": _moment(before),
    }
    return {name: value for name, value in chosen.items() if value}


def _moment(day: str | None) -> str | None:
    return f"{day}T00:00:00Z" if day and len(day) == len("2026-01-31") else day
