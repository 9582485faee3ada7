from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extrophi_cli import options
from extrophi_cli.archives import is_archive, send_archive, tell_contents
from extrophi_cli.collecting import collect_all, worst
from extrophi_cli.documents import (
    Batch,
    Source,
    opened,
    read_batches,
    read_sources,
    read_written,
    send,
    send_source,
    validate,
)
from extrophi_cli.errors import PARTIAL, REFUSED, CommandError, Refused
from extrophi_cli.output import counted, note, one_line, say, write_json
from extrophi_cli.running import connect
from extrophi_cli.writing import KINDS, Written, mentioned_ids, send_written

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi


def import_(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="JSON lines (- for standard input), or a data archive (ZIP, folder).")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check every line, say what is in it, store nothing.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(min=1, max=100_000, help="Of an archive: so many documents at most.", show_default="all"),
    ] = None,
    collection: Annotated[str, typer.Option(help="That what an archive holds goes into.")] = "default",
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """Import documents from JSON lines, such as `extrophi export` writes; or your data archive of a platform.

    Each line is an object with platform, external_id and text; title, author, url, published_at, language, format
    and collection if you like. All lines are checked first: one bad line, or an export that was cut off, and nothing
    is stored. Importing the same again changes nothing, and undoes nothing that was collected or written since. Sources
    of an export are kept, and not collected before `extrophi add`. Exit code 5: some sources mean nothing here, such as
    a folder, or a draft was written on here and stays as it is.

    An archive is the ZIP file that X, Google Takeout (YouTube) or Reddit gives you of your own data, or the folder it
    was unpacked to. Only its posts, lists and history are sent. Your posts become documents, and what a list or your
    history names is collected. It can be imported again, and so can a newer one: nothing is doubled.

    Examples:
        extrophi import ~/Downloads/twitter-2026-01-31.zip --dry-run

        extrophi import notes.jsonl --dry-run

        extrophi export | EXTROPHI_HOME=~/other extrophi import -
    """
    if file != "-" and is_archive(Path(file)):
        with connect(url, key) as extrophi:
            raise typer.Exit(_import_archive(extrophi, Path(file), collection, limit, dry_run=dry_run, as_json=as_json))
    with opened(None if file == "-" else Path(file)) as lines:
        count, bad = validate(lines)
        for problem in bad:
            note(f"line {problem.line}: {problem.reason}")
        if bad:
            note(f"Nothing was stored: mend {len(bad)} of {count} lines and import again.")
            raise typer.Exit(REFUSED)
        sources = list(read_sources(lines))
        lines.seek(0)
        written = Counter(one.kind for one in read_written(lines))
        lines.seek(0)
        totals, refused, left_out = {"created": 0, "updated": 0, "unchanged": 0}, 0, 0
        if not dry_run and (count or sources or written):
            with connect(url, key) as extrophi:
                wanted = mentioned_ids(read_written(lines))
                lines.seek(0)
                stored, new_ids = _send_documents(extrophi, read_batches(lines), count, wanted)
                totals |= stored
                refused = _send_sources(extrophi, sources)
                lines.seek(0)
                left_out = _send_written(extrophi, read_written(lines), new_ids)
    if as_json:
        contents = {"documents": count, "sources": len(sources), **{f"{kind}s": written[kind] for kind in KINDS}}
        write_json({**contents, "dry_run": dry_run, **totals})
    elif dry_run:
        found = [counted(count, "document"), counted(len(sources), "source"), *_counted(written)]
        say(f"{', '.join(found[:-1])} and {found[-1]}, all well formed. Nothing was stored.")
    else:
        say(f"{totals['created']} new, {totals['updated']} changed, {totals['unchanged']} unchanged")
        if sources:
            say(f"{len(sources) - refused} of {len(sources)} sources kept")
        if written:
            say(f"of what was written, {written.total() - left_out} kept of {', '.join(_counted(written))}")
    if refused or left_out:
        raise typer.Exit(PARTIAL)


def _counted(written: Counter[str]) -> list[str]:
    return [counted(number, kind) for kind, number in written.items()]


def _import_archive(
    extrophi: "Extrophi", path: Path, collection: str, limit: int | None, *, dry_run: bool, as_json: bool
) -> int:
    """Say what is in it, and collect it unless it is a dry run; gives the exit code."""
    contents = send_archive(extrophi, path, collection=collection, limit=limit, dry_run=dry_run)
    if not as_json:
        tell_contents(contents)
    if dry_run:
        if as_json:
            write_json(contents)
        else:
            say("Nothing was stored.")
        return 0
    codes = collect_all(extrophi, [contents["job"]], quiet=as_json)
    if as_json:
        write_json(contents | {"job": extrophi.get(f"/api/jobs/{contents['job']['id']}")})
    return worst(codes)


def _send_documents(
    extrophi: "Extrophi", batches: Iterable[Batch], count: int, wanted: Collection[str]
) -> tuple[Counter[str], dict[str, str]]:
    """How many were created, updated, unchanged; and the ids here of those whose ids there are wanted.

    Says how far it is, also when it ends early.
    """
    totals, new_ids = Counter[str](), dict[str, str]()
    try:
        for batch in batches:
            for document, item in zip(batch.documents, send(extrophi, batch), strict=True):
                totals[item["status"]] += 1
                if document.id is not None and document.id in wanted:
                    new_ids[document.id] = item["id"]
            note(f"{totals.total()} of {count} documents")
    except (CommandError, KeyboardInterrupt):
        note(f"{totals.total()} of {count} documents are stored; importing again goes on from there.")
        raise
    return totals, new_ids


def _send_written(extrophi: "Extrophi", written: Iterable[Written], new_ids: Mapping[str, str]) -> int:
    """How many were left out; says which."""
    left_out = 0
    for one in send_written(extrophi, written, new_ids):
        left_out += 1
        note(f"not taken in: {one_line(one.name)}: {one_line(one.reason)}")
    return left_out


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
