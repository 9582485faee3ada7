"""Asking a person which of several things a target means."""

import shlex
import sys

import typer

from extrophi_cli.errors import CommandError, Refused
from extrophi_cli.output import note, one_line

_WRONG_USE = 2


def choose(target: str, refused: Refused) -> str:
    """The target that was meant, picked on a terminal.

    Raises:
        CommandError: there is no terminal to ask on. What to type instead is told on stderr.
    """
    note(refused.message)
    for number, choice in enumerate(refused.choices, 1):
        note(f"  {number}. {one_line(choice.title)}")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        note("Say which:")
        for choice in refused.choices:
            note(f"  {_command(target, choice.target)}")
        raise CommandError(
            f"{target} may mean several things.", hint="The lines above say what to type.", code=_WRONG_USE
        )
    return refused.choices[_ask(len(refused.choices)) - 1].target


def _ask(most: int) -> int:
    """A number from 1 to `most`."""
    while True:
        picked: int = typer.prompt("Which one", type=int, err=True)
        if 1 <= picked <= most:
            return picked
        note(f"Give a number from 1 to {most}.")


def _command(target: str, chosen: str) -> str:
    """The command that was typed, with the target that is meant."""
    words = [chosen if word == target else word for word in sys.argv[1:]]
    return shlex.join(["extrophi", *words])
