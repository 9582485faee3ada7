import webbrowser
from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer

from extrophi_cli import options
from extrophi_cli.embedded.home import Home, HomeInUse
from extrophi_cli.output import note, say, write_json
from extrophi_cli.running import DEFAULT_PORT, running_up, start_detached, wait_staying
from extrophi_cli.settings import Settings, read_settings


def up(
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="Port on 127.0.0.1 (EXTROPHI_PORT; else 8000).")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Start it, wait until it is ready, and leave it.")] = False,
    show: Annotated[bool, typer.Option("--open", help="Open the Writer in a browser when it is ready.")] = False,
    as_json: options.AsJSON = False,
) -> None:
    """Run everything on this machine: PostgreSQL, Valkey, and Extrophi's own services.

    In the foreground until Ctrl-C. With DATABASE_URL or REDIS_URL set, those servers are used instead. One that a
    command started, and that would stop when idle, stays from then on.

    Examples:
        extrophi up

        extrophi up --detach --open

        EXTROPHI_HOME=~/second extrophi up --port 8100
    """
    settings = read_settings()
    home = Home(settings.home)
    wanted = port or settings.port

    def ready(url: str) -> None:
        if as_json:
            write_json({"state": "ready", "url": url, "home": str(home.path)})
        if show:
            webbrowser.open(url)

    if detach:
        ready(_stay(home, settings, wanted, tell=note if as_json else say))
        return

    from extrophi_cli.embedded.supervisor import Supervisor  # noqa: PLC0415  for this command only

    tell = note if as_json else say
    supervisor = Supervisor(home=home, port=wanted or DEFAULT_PORT, say=tell, on_ready=ready)
    try:
        supervisor.run()
    except HomeInUse:
        note(f"Another one runs already on {home.path}; `extrophi down` stops it.")
        ready(_stay(home, settings, wanted, tell=tell))
        return
    if as_json:
        write_json({"state": "stopped"})
    else:
        say("Stopped.")


def _stay(home: Home, settings: Settings, port: int | None, *, tell: Callable[[str], None]) -> str:
    """The address of one that runs on its own until `down`, started unless there is one."""
    already = " already" if running_up(home) else ""
    found = wait_staying(home, partial(start_detached, settings, until_idle=False, port=port))
    url = f"http://127.0.0.1:{found.port}"
    tell(f"Extrophi is at {url}{already}")
    if port and found.port != port:
        note(f"It runs at port {found.port}, not at {port}: `extrophi down` first, to move it.")
    return url
