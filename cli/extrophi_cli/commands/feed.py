from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

import typer

from extrophi_cli import options
from extrophi_cli.errors import ids_listed_by
from extrophi_cli.output import note, say, table, when, write_json
from extrophi_cli.running import connect
from extrophi_cli.wire import JSON

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi


def feed(
    sources: Annotated[
        list[str] | None,
        typer.Option("--source", metavar="ID", help="Only what this source has found. May be repeated."),
    ] = None,
    platforms: options.Platforms = None,
    collections: options.Collections = None,
    new_token: Annotated[
        str | None,
        typer.Option(
            "--new-token", metavar="NAME", help="Make a token for the address, named so; for --collection's alone."
        ),
    ] = None,
    tokens: Annotated[bool, typer.Option("--tokens", help="List the tokens that there are.")] = False,
    remove_token: Annotated[
        str | None, typer.Option("--remove-token", metavar="ID", help="Let this token open the feed no more.")
    ] = None,
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """Print the address of an Atom feed of what was collected, newest first, for a feed reader.

    On this machine the address is enough. Off loopback, where Extrophi asks for a key, a feed reader can send none and
    needs a token in the address: --new-token makes one, and it is shown this once. It opens the feed and nothing else,
    and where collections are named, of these alone.

    Examples:
        extrophi feed

        extrophi feed --collection birds --platform web

        extrophi feed --url https://desk.example --collection birds --new-token "my reader"

        extrophi feed --tokens

        extrophi feed --remove-token 0198c2f0-…
    """
    does = [name for name, given in (("--tokens", tokens), ("--remove-token", remove_token is not None)) if given]
    if len(does) + (new_token is not None) > 1:
        raise typer.BadParameter("only one of --new-token, --tokens and --remove-token at a time")
    if does and (sources or platforms or collections):
        raise typer.BadParameter(f"{does[0]} goes by itself")
    with connect(url, key) as extrophi:
        if tokens:
            _list(list(extrophi.pages("/api/feed-tokens")), as_json=as_json)
        elif remove_token is not None:
            _remove(extrophi, remove_token, as_json=as_json)
        else:
            chosen = [("source_id", _checked(extrophi, one)) for one in sources or ()]
            chosen += [("platform", one.value) for one in platforms or ()]
            chosen += [("collection", one) for one in collections or ()]
            if new_token is None:
                _tell(extrophi, chosen, as_json=as_json)
            else:
                _make_token(extrophi, new_token, collections, chosen, as_json=as_json)


def _checked(extrophi: "Extrophi", source: str) -> str:
    """The source's id: a feed of one that is not there would be empty, and say nothing."""
    with ids_listed_by("`extrophi sources` lists them."):
        return str(extrophi.get(f"/api/sources/{options.in_path(source)}").get("id"))


def _address(extrophi: "Extrophi", parameters: list[tuple[str, str]]) -> str:
    return f"{extrophi.url}/api/feed.atom{'?' if parameters else ''}{urlencode(parameters)}"


def _tell(extrophi: "Extrophi", chosen: list[tuple[str, str]], *, as_json: bool) -> None:
    address = _address(extrophi, chosen)
    if as_json:
        write_json({"address": address})
        return
    say(address)
    if not extrophi.is_local:
        note("Where a key is needed, a feed reader needs a token: --new-token NAME makes one.")


def _make_token(
    extrophi: "Extrophi",
    name: str,
    collections: list[str] | None,
    chosen: list[tuple[str, str]],
    *,
    as_json: bool,
) -> None:
    made = extrophi.post("/api/feed-tokens", {"name": name, **({"collections": collections} if collections else {})})
    address = _address(extrophi, [*chosen, ("token", str(made.get("token")))])
    if as_json:
        write_json(made | {"address": address})
        return
    say(address)
    note(f"Who has this address reads the feed. It is not shown again; `--remove-token {made.get('id')}` ends it.")


def _list(found: list[JSON], *, as_json: bool) -> None:
    if as_json:
        write_json({"items": found})
    elif not found:
        say("No tokens. `extrophi feed --new-token NAME` makes one.")
    else:
        rows = [
            (
                one.get("id"),
                one.get("name"),
                "all" if one.get("collections") is None else ", ".join(one["collections"]),
                when(one.get("created_at")),
                when(one.get("last_used_at")),
            )
            for one in found
        ]
        table(["id", "name", "opens", "made", "used"], rows)


def _remove(extrophi: "Extrophi", token: str, *, as_json: bool) -> None:
    with ids_listed_by("`extrophi feed --tokens` lists them."):
        extrophi.delete(f"/api/feed-tokens/{options.in_path(token)}")
    if as_json:
        write_json({"removed": token})
    else:
        say("Removed. It opens nothing any more.")
