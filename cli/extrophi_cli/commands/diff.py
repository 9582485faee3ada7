import sys
from typing import Annotated

import typer

from extrophi_cli import options
from extrophi_cli.output import clean, console, note, one_line, say, write_json
from extrophi_cli.running import connect
from extrophi_cli.wire import JSON

_MARKS = {"equal": ("", ""), "delete": ("[-", "-]"), "insert": ("{+", "+}")}  # as `git diff --word-diff` writes them
_STYLES = {"equal": "", "delete": "red strike", "insert": "green"}


def diff(
    document: Annotated[str, typer.Argument(metavar="ID", help="A document's id.")],
    older: Annotated[
        int | None, typer.Option("--from", min=1, metavar="N", help="Version; by default the one before.")
    ] = None,
    newer: Annotated[
        int | None, typer.Option("--to", min=1, metavar="N", help="Version; by default the newest.")
    ] = None,
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """Show what changed between two versions of a document: in colour, or in a pipe as [-removed-] and {+added+}.

    Examples:
        extrophi diff 0198c2f0-…

        extrophi diff 0198c2f0-… --from 1 --to 3
    """
    with connect(url, key) as extrophi:
        found = extrophi.get(
            f"/api/documents/{options.in_path(document)}/diff", **{"from": older, "to": newer}
        )  # fmt: skip
    if as_json:
        write_json(found)
        return
    hunks = found.get("hunks") or []
    fields = found.get("fields") or []
    say(f"version {found.get('from_version')} → version {found.get('to_version')}", style="bold")
    for one in fields:
        say(f"{one['field']}: {_or_none(one['before'])} → {_or_none(one['after'])}")
    if not hunks and not fields:
        say(
            "Nothing changed." if found.get("from_version") != found.get("to_version") else "There is no other version."
        )
    for hunk in hunks:
        place = f"-{hunk['from_line']},{hunk['from_lines']} +{hunk['to_line']},{hunk['to_lines']}"
        say(f"@@ {place} @@", style="cyan")
        _show(hunk["ops"])
    if found.get("is_cut"):
        note("There is more than is shown: `--json` has the places, GET …/diff with Accept: text/plain has all.")


def _show(ops: list[JSON]) -> None:
    if sys.stdout.isatty():
        from rich.text import Text  # noqa: PLC0415  a tenth of a second that `--json` need not spend

        drawn = Text()
        for op in ops:
            drawn.append(clean(op["text"]), style=_STYLES[op["op"]])
        drawn.rstrip()
        console().print(drawn)
        return
    parts: list[str] = []
    for op in ops:
        before, after = _MARKS[op["op"]]
        text = clean(op["text"])
        body = text.rstrip("\n")  # marks stay on the lines that they are about
        parts.append(f"{before}{body}{after}{text[len(body) :]}")
    say("".join(parts).rstrip("\n"))


def _or_none(value: str | None) -> str:
    return one_line(value) if value else "(none)"
