"""The command `extrophi sources`."""

from typing import Annotated

import typer

from extrophi_cli import options
from extrophi_cli.output import say, table, write_json
from extrophi_cli.running import connect


def sources(
    remove: Annotated[
        str | None, typer.Option("--remove", metavar="ID", help="Collect this source no more; its documents stay.")
    ] = None,
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """List the sources that are collected again and again, or remove one.

    Examples:
        extrophi sources

        extrophi sources --remove 0198c2f0-…
    """
    with connect(url, key) as extrophi:
        if remove:
            extrophi.delete(f"/api/sources/{remove}")
            say("Removed. Its documents stay.")
            return
        found = list(extrophi.pages("/api/sources"))
    if as_json:
        write_json({"items": found})
    elif not found:
        say("No sources yet. `extrophi add TARGET` adds one.")
    else:
        columns = ["id", "platform", "target", "state"]
        table(columns, [(s.get("id"), s.get("platform"), s.get("target"), s.get("state") or "") for s in found])
