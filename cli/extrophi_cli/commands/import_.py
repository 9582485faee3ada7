from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extrophi_cli import options
from extrophi_cli.documents import Batch, Source, opened, read_batches, read_sources, send, send_source, validate
from extrophi_cli.errors import PARTIAL, REFUSED, CommandError, Refused
from extrophi_cli.output import note, one_line, say, write_json
from extrophi_cli.running import connect

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi


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
    is stored. Importing the same again changes nothing, and undoes nothing that was collected since. Sources of an
    export are kept, and not collected before `extrophi add`; exit code 5: some mean nothing here, such as a folder.

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
        sources, refused = list(read_sources(lines)), 0
        lines.seek(0)
        totals = {"created": 0, "updated": 0, "unchanged": 0}
        if not dry_run and (count or sources):
            with connect(url, key) as extrophi:
                totals |= _send_documents(extrophi, read_batches(lines), count)
                refused = _send_sources(extrophi, sources)
    if as_json:
        write_json({"documents": count, "sources": len(sources), "dry_run": dry_run, **totals})
    elif dry_run:
        say(f"{count} documents and {len(sources)} sources, all well formed. Nothing was stored.")
    else:
        say(f"{totals['created']} new, {totals['updated']} changed, {totals['unchanged']} unchanged")
        if sources:
            say(f"{len(sources) - refused} of {len(sources)} sources kept")
    if refused:
        raise typer.Exit(PARTIAL)


def _send_documents(extrophi: "Extrophi", batches: Iterable[Batch], count: int) -> Counter[str]:
    """How many were created, updated, unchanged. Says how far it is, also when it ends early."""
    totals = Counter[str]()
    try:
        for batch in batches:
            totals.update(send(extrophi, batch))
            note(f"{totals.total()} of {count} documents")
    except (CommandError, KeyboardInterrupt):
        note(f"{totals.total()} of {count} documents are stored; importing again goes on from there.")
        raise
    return totals


def _send_sources(extrophi: "Extrophi", sources: Iterable[Source]) -> int:
    """How many were refused; says which."""
    refused = 0
    for source in sources:
        try:
            send_source(extrophi, source)
        except Refused as error:
            refused += 1
            note(f"not kept as a source: {one_line(source.body['target'])}: {one_line(error.message)}")
    return refused
