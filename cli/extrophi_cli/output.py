"""What people and programs see: results on stdout, progress and notes on stderr.

On a terminal: colour and tables (rich; NO_COLOR is respected). In a pipe: plain lines, tab-separated tables, never a
control code. Collected text is a stranger's: its control characters never reach a terminal.
"""

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def clean(text: object) -> str:
    """Text without control characters and direction overrides, which could rewrite a terminal's lines."""
    characters = str(text).replace("\r\n", "\n")
    return "".join(
        c for c in characters if c in "\n\t" or (unicodedata.category(c) not in {"Cc", "Cs"} and c not in _BIDI)
    )


def one_line(text: object) -> str:
    return " ".join(clean(text).split())


def counted(count: int, thing: str) -> str:
    """`1 document`, `2 documents`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


# Embeddings, overrides and isolates of Unicode's bidirectional algorithm (UAX #9).
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@cache
def console() -> "Console":
    from rich.console import Console  # noqa: PLC0415  a tenth of a second that `--json` need not spend

    # The terminal itself wraps what is too long: a link that we break is none any more.
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


@cache
def errors() -> "Console":
    from rich.console import Console  # noqa: PLC0415

    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def say(text: object = "", *, style: str | None = None) -> None:
    """A result line, on stdout."""
    if sys.stdout.isatty():
        console().print(clean(text), style=style)
    else:
        print(clean(text), flush=True)


def note(text: object) -> None:
    """A line about what is going on, on stderr."""
    print(clean(text), file=sys.stderr, flush=True)


def write_json(value: Any) -> None:
    """One JSON value on stdout: indented for people, on one line in a pipe."""
    write_utf8(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None) + "\n")


def write_utf8(text: str) -> None:
    """JSON on stdout: UTF-8 (RFC 8259, section 8.1) whatever the locale; half a surrogate pair is escaped."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table; in a pipe its rows as tab-separated lines below their names; too wide for a terminal, row by row."""
    if not sys.stdout.isatty():
        for row in [columns, *rows]:
            print("\t".join(one_line("" if cell is None else cell) for cell in row))
        sys.stdout.flush()
        return
    from rich.cells import cell_len  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    cells = [[one_line("" if cell is None else cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    if sum(widths) + 2 * len(widths) > console().width:
        for row in cells:
            say(row[0], style="bold")
            for name, cell in zip(columns[1:], row[1:], strict=True):
                say(f"  {name}: {cell}")
        return
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in cells:
        drawn.add_row(*map(Text, row))
    console().print(drawn)


def when(moment: str | None) -> str:
    """How far a moment is, as people say it: `in 12 min`, `3 h ago`."""
    if not moment:
        return "never"
    seconds = (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()
    units = ((86_400, "d"), (3600, "h"), (60, "min"))
    size, name = next((one for one in units if abs(seconds) >= one[0]), (1, "s"))
    count = round(abs(seconds) / size)
    if count == 0:
        return "now"
    return f"in {count} {name}" if seconds > 0 else f"{count} {name} ago"


def say_error(message: str, hint: str | None) -> None:
    """One line on stderr: what happened, and the next step."""
    line = one_line(message)
    if hint:
        line = f"{line} {one_line(hint)}" if line.endswith((".", "!", "?")) else f"{line}. {one_line(hint)}"
    if sys.stderr.isatty():
        from rich.text import Text  # noqa: PLC0415

        errors().print(Text.assemble(("extrophi: ", "bold red"), line))
    else:
        print(f"extrophi: {line}", file=sys.stderr, flush=True)
