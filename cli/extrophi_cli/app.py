"""The command line: which commands there are, and how each of them ends."""

import errno
import sys
from collections.abc import Callable
from inspect import getdoc
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from extrophi_cli import __version__, options
from extrophi_cli.commands.accounts import accounts
from extrophi_cli.commands.add import add
from extrophi_cli.commands.ask import ask
from extrophi_cli.commands.collect import collect
from extrophi_cli.commands.diff import diff
from extrophi_cli.commands.doctor import doctor
from extrophi_cli.commands.down import down
from extrophi_cli.commands.embeddings import embeddings
from extrophi_cli.commands.export import export
from extrophi_cli.commands.feed import feed
from extrophi_cli.commands.import_ import import_
from extrophi_cli.commands.investigate import investigate
from extrophi_cli.commands.jobs import jobs
from extrophi_cli.commands.mcp import mcp
from extrophi_cli.commands.search import search
from extrophi_cli.commands.sources import sources
from extrophi_cli.commands.status import status
from extrophi_cli.commands.up import up
from extrophi_cli.commands.vectors import vectors
from extrophi_cli.commands.versions import versions
from extrophi_cli.commands.webhooks import webhooks
from extrophi_cli.errors import FAILED, INTERRUPTED, CommandError
from extrophi_cli.output import say_error
from extrophi_cli.settings import point_to


def _help(command: Callable[..., None]) -> str:
    """A docstring as help: what follows `Examples:` keeps its lines (click's mark for that is a backspace)."""
    text, _, examples = (getdoc(command) or "").partition("Examples:")
    lines = "\n".join(line for line in examples.splitlines() if line)
    return f"{text.rstrip()}\n\n\b\nExamples:\n{lines}" if lines else text


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"extrophi {__version__}")
        raise typer.Exit


class Commands(TyperGroup):
    """Ends a command in words and an exit code, never in a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CommandError as error:
            say_error(error.message, error.hint)
            raise typer.Exit(error.code) from error
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader of a pipe has had enough: typer ends quietly
                raise
            where = f"{error.filename}: " if error.filename is not None else ""
            say_error(f"{where}{error.strerror or error}.", None)
            raise typer.Exit(FAILED) from error


app = typer.Typer(
    name="extrophi",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (
    investigate, ask, search, versions, diff, add, sources, collect, jobs, webhooks, feed, accounts, import_, export,
    embeddings, vectors, up, down, status, doctor, mcp,
):  # fmt: skip
    app.command(command.__name__.rstrip("_"), help=_help(command))(command)


_HERE = frozenset({"up", "down", "doctor"})
"""Commands that speak to none elsewhere."""


@app.callback(
    epilog="Exit codes: 0 done, 1 failed, 2 wrong use, 3 Extrophi is not there, 4 refused, 5 done in part, 130 Ctrl-C."
)
def extrophi(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    url: options.URL = None,
    key: options.Key = None,
) -> None:
    """Collect what people publish, search it, and get answers with citations that can be checked."""
    assert not version  # its callback has ended the command
    if (url or key) and context.invoked_subcommand in _HERE:
        raise typer.BadParameter(
            f"`extrophi {context.invoked_subcommand}` is about this machine's Extrophi.", param_hint="--url, --key"
        )
    point_to(url, key)


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        # A terminal in another encoding shows \u2026 for what it has no letter for, and goes on.
        stream.reconfigure(errors="backslashreplace")  # pyright: ignore[reportAttributeAccessIssue]  TextIO hides it
    app(prog_name="extrophi")
