import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from extrophi_cli import options
from extrophi_cli.documents import as_lines, read_all
from extrophi_cli.errors import REFUSED, CommandError
from extrophi_cli.output import note, write_utf8
from extrophi_cli.running import connect
from extrophi_cli.wire import JSON
from extrophi_cli.writing import export_written


def export(
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="Where to; standard output otherwise.")] = "-",
    collection: Annotated[str | None, typer.Option("--collection", help="Only this collection.")] = None,
    newest: Annotated[bool, typer.Option("--newest", help="Leave out earlier versions of documents.")] = False,
    url: options.URL = None,
    key: options.Key = None,
) -> None:
    """Export all documents, sources and drafts as JSON lines; `extrophi import` takes them in again.

    A line is a document in one version, the oldest first: text, title, author, addresses, moments, collections, the
    text's parts, and the places in the original. An import makes the same documents, versions and search results of
    it, under other ids. Lines with a key "extrophi" are no documents: the sources; what you wrote, which are drafts
    with their images, highlights with their notes, and kept answers; and the first and the last line, which tell
    whether the file is whole. A collection alone is exported without what you wrote.

    Not in it: the pages and files as fetched, jobs, earlier revisions of drafts and those in the trash, and
    embeddings, which are made anew. For a copy of everything, run `extrophi down` and copy the folder that
    `extrophi status` names.

    Examples:
        extrophi export library.jsonl

        extrophi export | zstd > library.jsonl.zst

        extrophi export --newest | jq -r 'select(.text and .platform == "web") | .url'
    """
    with connect(url, key) as extrophi:
        sources = (
            source
            for source in extrophi.pages("/api/sources")
            if collection is None or source["collection"] == collection
        )
        written = export_written(extrophi) if collection is None else ()
        lines = as_lines(_counted(read_all(extrophi, collection, newest_only=newest)), sources, written)
        if file == "-":
            for line in lines:
                write_utf8(line)
            return
        target = Path(file)
        aside = target.with_name(f".{target.name}.{os.getpid()}")  # a broken-off export leaves no half file
        try:
            with aside.open("w", encoding="utf-8", newline="\n") as output:
                output.writelines(lines)
            aside.replace(target)
        except OSError as error:
            hint = "Name a file in a folder of yours that has room."
            raise CommandError(f"Cannot write {file}: {error.strerror}.", hint=hint, code=REFUSED) from error
        finally:
            with suppress(OSError):
                aside.unlink(missing_ok=True)


def _counted(documents: Iterator[JSON]) -> Iterator[JSON]:
    count = 0
    for document in documents:
        count += 1
        if count % 1000 == 0:
            note(f"{count} documents")
        yield document
    note(f"{count} documents exported, earlier versions counted")
