"""The command `extrophi import`."""

from pathlib import Path
from typing import Annotated

import typer

from extrophi_cli import options
from extrophi_cli.documents import opened, read_batches, send, validate
from extrophi_cli.errors import REFUSED, CommandError
from extrophi_cli.output import note, say, write_json
from extrophi_cli.running import connect


def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON lines, one document each; - for standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every line, store nothing.")] = False,
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """Import documents from JSON lines, such as `extrophi export` writes.

    Each line is an object with platform, external_id and text; title, author, url, published_at, language, format
    and collection if you like. All lines are checked first: one bad line, or an export that was cut off, and nothing
    is stored. Importing the same again changes nothing, and undoes nothing that was collected since.

    Examples:
        extrophi import notes.jsonl --dry-run

        extrophi export | EXTROPHI_HOME=~/other extrophi import -
    """
    with opened(None if file == "-" else Path(file)) as lines:
        count, bad = validate(lines)
        for problem in bad:
            note(f"line {problem.line}: {problem.reason}")
        if bad:
            note(f"Nothing was stored: mend {len(bad)} of {count} lines and import again.")
            raise typer.Exit(REFUSED)
        totals = {"created": 0, "updated": 0, "unchanged": 0}
        if not dry_run and count:
            with connect(url, key) as extrophi:
                try:
                    for batch in read_batches(lines):
                        for status, number in send(extrophi, batch).items():
                            totals[status] = totals.get(status, 0) + number
                        note(f"{sum(totals.values())} of {count} documents")
                except (CommandError, KeyboardInterrupt):
                    note(f"{sum(totals.values())} of {count} documents are stored; importing again goes on from there.")
                    raise
    if as_json:
        write_json({"documents": count, "dry_run": dry_run, **totals})
    elif dry_run:
        say(f"{count} documents, all well formed. Nothing was stored.")
    else:
        say(f"{totals['created']} new, {totals['updated']} changed, {totals['unchanged']} unchanged")
