from typing import Annotated

import typer

from extrophi_cli import options
from extrophi_cli.output import say, table, write_json
from extrophi_cli.running import connect


def embeddings(
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="Build this model's embeddings.")] = None,
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", help="local, openai, or an address that ends in /v1.")
    ] = None,
    activate: Annotated[
        bool, typer.Option("--activate", help="Search with MODEL, which is complete, from now on.")
    ] = False,
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """Show which embedding models there are and how far they are; or switch to another.

    The new model's embeddings are made beside the old; search uses the old until the new are complete.

    Examples:
        extrophi embeddings

        extrophi embeddings nomic-embed-text --endpoint http://127.0.0.1:11434/v1
    """
    if (endpoint or activate) and model is None:
        raise typer.BadParameter("Name the MODEL.")
    with connect(url, key) as extrophi:
        if model and activate:
            changed = extrophi.post("/api/embeddings/activate", {"model": model})
        elif model:
            changed = extrophi.post("/api/embeddings", {"model": model, "endpoint": endpoint or "local"})
        else:
            changed = None
        found = extrophi.get("/api/embeddings")
    if as_json:
        write_json(found if changed is None else changed)
        return
    items = found.get("items") or []
    if not items:
        say("No embedding model yet: it is chosen at the first indexing.")
        return
    columns = ["model", "endpoint", "state", "embedded", "pending", "failed"]
    table(columns, [[item.get(column) for column in columns] for item in items])
