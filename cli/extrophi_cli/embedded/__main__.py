"""The detached `up`: `python -m extrophi_cli.embedded --port N [--idle-stop SECONDS]`. Needs no CLI library."""

import argparse
import sys
from datetime import UTC, datetime, timedelta

from extrophi_cli.embedded.home import Home, HomeInUse
from extrophi_cli.embedded.supervisor import Supervisor
from extrophi_cli.errors import CommandError
from extrophi_cli.settings import read_settings


def main() -> int:
    parser = argparse.ArgumentParser(prog="extrophi up --detach")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--idle-stop", type=float, default=0)
    arguments = parser.parse_args()
    supervisor = Supervisor(
        home=Home(read_settings().home),
        port=arguments.port,
        say=_log,
        idle_stop=timedelta(seconds=arguments.idle_stop),
    )
    try:
        supervisor.run()
    except HomeInUse:
        _log("Another one runs already.")
    except CommandError as error:
        _log(f"{error.message} {error.hint or ''}")
        return error.code
    return 0


def _log(text: str) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}", flush=True)


sys.exit(main())
