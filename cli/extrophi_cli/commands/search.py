from enum import StrEnum
from typing import Annotated

import typer

from extrophi_cli import options
from extrophi_cli.citations import byline, link
from extrophi_cli.output import note, one_line, say, write_json
from extrophi_cli.running import connect


class Mode(StrEnum):
    """How hits are found."""

    HYBRID = "hybrid"
    KEYWORD = "keyword"
    VECTOR = "vector"


def search(
    query: Annotated[str, typer.Argument(help='What to look for; "a phrase" and -word work.')],
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="At most so many hits.")] = 10,
    mode: Annotated[Mode, typer.Option("--mode", help="By word, by meaning, or both.")] = Mode.HYBRID,
    platforms: options.Platforms = None,
    collections: options.Collections = None,
    authors: options.Authors = None,
    languages: options.Languages = None,
    after: options.After = None,
    before: options.Before = None,
    as_of: options.AsOf = None,
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """Search what has been collected, by word and by meaning.

    Examples:
        extrophi search "reading on phones"

        extrophi search '"line length" -print' --platform web --after 2024-01-01

        extrophi search "price of bread" --as-of 2026-05-01

        extrophi search attention --json | jq -r '.items[].citation.url'
    """
    chosen = options.filters(
        platforms=platforms,
        collections=collections,
        authors=authors,
        languages=languages,
        after=after,
        before=before,
    )
    asked = {"query": query, "limit": limit, "mode": mode.value, "filters": chosen, **options.at(as_of)}
    with connect(url, key) as extrophi:
        found = extrophi.post("/api/search", asked)
    if as_json:
        write_json(found)
        return
    if found.get("degraded"):
        note(found["degraded"])
    if found.get("relaxed"):
        note("Too few hold the quoted words as they stand: the rest holds some of them.")
    items = found.get("items") or []
    if not items:
        say("Nothing found. `extrophi add` or `extrophi collect` brings more in.")
    for number, hit in enumerate(items, 1):
        citation = hit.get("citation") or {}
        say(f"{number}. {byline(citation)}", style="bold")
        say(f"   {one_line(citation.get('quote') or hit.get('text', ''))[:400]}")
        if link(citation):
            say(f"   {link(citation)}", style="blue")
