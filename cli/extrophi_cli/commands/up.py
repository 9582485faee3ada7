"""The command `extrophi up`."""

import webbrowser
from datetime import timedelta
from typing import Annotated

import typer

from extrophi_cli import options
from extrophi_cli.embedded.home import Home, HomeInUse
from extrophi_cli.output import note, say, write_json
from extrophi_cli.running import DEFAULT_PORT, running_port, start_detached, wait_ready
from extrophi_cli.settings import read_settings


def _open(url: str) -> None:
    webbrowser.open(url)


def _tell_json(text: str) -> None:
    write_json({"text": text})


def up(
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="Port on 127.0.0.1 (EXTROPHI_PORT; else 8000).")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Start it, wait until it is ready, and leave it.")] = False,
    show: Annotated[bool, typer.Option("--open", help="Open the Writer in a browser when it is ready.")] = False,
    as_json: options.AsJSON = False,
) -> None:
    """Run everything on this machine: PostgreSQL, Valkey, and Extrophi's own services.

    In the foreground until Ctrl-C. With DATABASE_URL or REDIS_URL set, those servers are used instead.

    Examples:
        extrophi up

        extrophi up --detach --open

        EXTROPHI_HOME=~/second extrophi up --port 8100
    """
    settings = read_settings()
    home = Home(settings.home)
    if detach:
        running = running_port(home)
        at = running or wait_ready(home, start_detached(settings, until_idle=False, port=port))
        if as_json:
            write_json({"state": "ready", "url": f"http://127.0.0.1:{at}", "home": str(home.path)})
        else:
            say(f"Extrophi is at http://127.0.0.1:{at}{' already' if running else ''}")
        if show:
            webbrowser.open(f"http://127.0.0.1:{at}")
        return

    from extrophi_cli.embedded.supervisor import Supervisor  # noqa: PLC0415  for this command only

    tell = _tell_json if as_json else say
    supervisor = Supervisor(
        home=home,
        port=port or settings.port or DEFAULT_PORT,
        say=tell,
        idle_stop=timedelta(0),
        on_ready=_open if show else None,
    )
    try:
        supervisor.run()
    except HomeInUse:
        at = wait_ready(home, None)
        note(f"Another one runs already on {home.path}; `extrophi down` stops it.")
        tell(f"Extrophi is at http://127.0.0.1:{at}")
    else:
        tell("Stopped.")
