import sys
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from extrophi_cli import options
from extrophi_cli.output import errors, note, say, write_json
from extrophi_cli.running import connect
from extrophi_cli.wire import JSON

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi

_LOOK_SECONDS = 1.0
_LINE_SECONDS = 5.0


class Action(StrEnum):
    MIGRATE = "migrate"
    STOP = "stop"


class Store(StrEnum):
    PGVECTOR = "pgvector"
    CHROMA = "chroma"


def vectors(
    action: Annotated[
        Action | None, typer.Argument(metavar="[ACTION]", help="migrate: move them; stop: let a move rest.")
    ] = None,
    to: Annotated[Store | None, typer.Option("--to", help="Where to move them.")] = None,
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """Show where vectors are searched, in PostgreSQL (pgvector) or in ChromaDB; or move them to the other.

    Nothing is embedded anew, and search goes on meanwhile. A move that was stopped is gone on with by the same command;
    to where the vectors are still searched, it is given up. Ctrl-C leaves it going on.

    Examples:
        extrophi vectors

        extrophi vectors migrate --to chroma

        extrophi vectors stop
    """
    if (action is Action.MIGRATE) != (to is not None):
        raise typer.BadParameter("`migrate` and `--to` belong together: extrophi vectors migrate --to chroma")
    with connect(url, key) as extrophi:
        if action is Action.STOP:
            found = extrophi.post("/api/vectors/stop")
        elif to is not None:
            found = _watched(extrophi, extrophi.post("/api/vectors/migrate", {"to": to.value}))
        else:
            found = extrophi.get("/api/vectors")
    if as_json:
        write_json(found)
        return
    say(_told(found))


def _watched(extrophi: "Extrophi", found: JSON) -> JSON:
    """Until the move has ended, or rests."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    live = sys.stderr.isatty()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    next_line = time.monotonic() + _LINE_SECONDS
    try:
        with Progress(*columns, console=errors(), disable=not live, transient=True) as bar:
            task = bar.add_task(f"Moving vectors to {found.get('moving_to')}", total=None)
            while found.get("moving_to") and not found.get("paused"):
                bar.update(task, completed=found.get("done"), total=found.get("total"))
                if not live and time.monotonic() > next_line:
                    note(_told(found))
                    next_line += _LINE_SECONDS
                time.sleep(_LOOK_SECONDS)
                found = extrophi.get("/api/vectors")
    except KeyboardInterrupt:
        note("It goes on. `extrophi vectors` shows how far it is, `extrophi vectors stop` lets it rest.")
        raise
    return found


def _told(found: JSON) -> str:
    where = f"Vectors are searched in {found.get('store')}: {found.get('total')} of them."
    if not found.get("moving_to"):
        return where
    how = "The move rests" if found.get("paused") else "They are being moved"
    return f"{where} {how}: {found.get('done')} are in {found.get('moving_to')}."
