"""The command `extrophi down`."""

import os
import signal
import time

from extrophi_cli import options
from extrophi_cli.embedded.home import Home
from extrophi_cli.errors import CommandError
from extrophi_cli.output import say, write_json
from extrophi_cli.settings import read_settings

_SECONDS = 30


def down(as_json: options.AsJSON = False) -> None:
    """Stop what `up`, or a command that needed it, has started.

    Jobs that run go on at the next start, from where they were.

    Examples:
        extrophi down
    """
    home = Home(read_settings().home)
    if not home.is_locked():
        _tell("Extrophi is not running.", as_json=as_json)
        return
    running = home.read_up()
    if running is None:
        raise CommandError(f"{home.path} is in use, but says not by whom.", hint="Try again in a second.")
    try:
        os.kill(running.pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
    except PermissionError:
        raise CommandError("It was started by another user.", hint="Stop it as that user.") from None
    deadline = time.monotonic() + _SECONDS
    while home.is_locked():
        if time.monotonic() > deadline:
            raise CommandError(f"It still runs after {_SECONDS} s (process {running.pid}).", hint=f"See {home.logs}.")
        time.sleep(0.05)
    _tell("Stopped.", as_json=as_json)


def _tell(text: str, *, as_json: bool) -> None:
    if as_json:
        write_json({"state": "stopped"})
    else:
        say(text)
