"""The command `extrophi status`."""

import typer

from extrophi_cli import options
from extrophi_cli.embedded.home import Home
from extrophi_cli.errors import UNREACHABLE
from extrophi_cli.output import say, table, write_json
from extrophi_cli.running import running_port
from extrophi_cli.settings import read_settings
from extrophi_cli.wire import JSON


def status(url: options.URL = None, key: options.Key = None, as_json: options.AsJSON = False) -> None:
    """Tell what runs, how it is, and how much has been collected. Starts nothing; exit code 3 when nothing runs.

    Examples:
        extrophi status

        extrophi status --url https://extrophi.example --key $KEY --json
    """
    settings = read_settings()
    home = Home(settings.home)
    url = url or settings.url
    port = None if url else running_port(home)
    if url is None and port is None:
        up = home.read_up() if home.is_locked() else None
        state = up.state if up else "stopped"
        if as_json:
            write_json({"state": state, "home": str(home.path)})
        else:
            say(f"Extrophi is {state}. Its data is in {home.path}.")
            if state == "stopped":
                say("`extrophi up` starts it; so does any command that needs it.")
        raise typer.Exit(UNREACHABLE)
    from extrophi_cli.client import Extrophi  # noqa: PLC0415  not needed when nothing runs

    with Extrophi(url or f"http://127.0.0.1:{port}", key=key or settings.key, is_local=url is None) as extrophi:
        health, stats = extrophi.get("/health"), extrophi.get("/api/stats")
    if as_json:
        here = None if url else str(home.path)
        write_json({"state": "running", "url": extrophi.url, "home": here, "health": health, "stats": stats})
        return
    say(f"Extrophi is at {extrophi.url}" + ("" if url else f", its data in {home.path}"))
    _show(health, stats)


def _show(health: JSON, stats: JSON) -> None:
    parts = health.get("components") or health.get("dependencies") or {}
    if isinstance(parts, dict):
        table(["part", "state"], [(name, _state(part)) for name, part in parts.items()])
    jobs = stats.get("jobs") or {}
    say(f"{stats.get('documents', 0)} documents, {stats.get('chunks', 0)} chunks, {stats.get('embedded', 0)} embedded")
    if stats.get("pending") or stats.get("failed"):
        say(f"{stats.get('pending', 0)} chunks wait for an embedding, {stats.get('failed', 0)} never get one")
    say(f"{jobs.get('running', 0)} jobs running, {jobs.get('queued', 0)} queued")


def _state(part: object) -> object:
    return part.get("status") or part.get("state") or "" if isinstance(part, dict) else part
