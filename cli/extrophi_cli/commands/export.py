"""The command `extrophi export`."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from extrophi_cli import options
from extrophi_cli.documents import as_line, read_all
from extrophi_cli.output import note
from extrophi_cli.running import connect
from extrophi_cli.wire import JSON


def export(
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="Where to; standard output otherwise.")] = "-",
    collection: Annotated[str | None, typer.Option("--collection", help="Only this collection's documents.")] = None,
    url: options.URL = None,
    key: options.Key = None,
) -> None:
    """Export all documents as JSON lines; `extrophi import` takes them in again.

    Examples:
        extrophi export library.jsonl

        extrophi export | zstd > library.jsonl.zst
    """
    with connect(url, key) as extrophi:
        documents = _counted(read_all(extrophi, collection))
        if file == "-":
            for document in documents:
                sys.stdout.write(as_line(document))
            sys.stdout.flush()
            return
        target = Path(file)
        aside = target.with_name(f".{target.name}.{os.getpid()}")  # a broken-off export leaves no half file
        try:
            with aside.open("w", encoding="utf-8") as output:
                for document in documents:
                    output.write(as_line(document))
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)


def _counted(documents: Iterator[JSON]) -> Iterator[JSON]:
    count = 0
    for document in documents:
        count += 1
        if count % 1000 == 0:
            note(f"{count} documents")
        yield document
    note(f"{count} documents exported")
