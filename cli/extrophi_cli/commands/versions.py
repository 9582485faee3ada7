from typing import Annotated

import typer

from extrophi_cli import options
from extrophi_cli.output import table, write_json
from extrophi_cli.running import connect


def versions(
    document: Annotated[str, typer.Argument(metavar="ID", help="A document's id.")],
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """List the versions that are kept of a document, newest first.

    Examples:
        extrophi versions 0198c2f0-…
    """
    with connect(url, key) as extrophi:
        found = list(extrophi.pages(f"/api/documents/{options.in_path(document)}/versions"))
    if as_json:
        write_json({"items": found})
        return
    columns = ["version", "collected", "characters", "lines added", "removed", "title"]
    names = ["version", "collected_at", "characters", "lines_added", "lines_removed", "title"]
    table(columns, [[one.get(name) for name in names] for one in found])
