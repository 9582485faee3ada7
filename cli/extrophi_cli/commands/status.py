import typer

from extrophi_cli import options
from extrophi_cli.accounts import in_need, told_of
from extrophi_cli.embedded.home import Home
from extrophi_cli.errors import UNREACHABLE, CommandError
from extrophi_cli.output import say, say_error, table, write_json
from extrophi_cli.running import running_up
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
    running = None if url else running_up(home)
    if url is None and running is None:
        up = home.running()
        state = up.state if up else "stopped"
        if as_json:
            write_json({"state": state, "home": str(home.path)})
        else:
            say(f"Extrophi is {state}. Its data is in {home.path}.")
            if state == "stopped":
                say("`extrophi up` starts it; so does any command that needs it.")
        raise typer.Exit(UNREACHABLE)
    from extrophi_cli.client import Extrophi  # noqa: PLC0415  not needed when nothing runs

    at = f"http://127.0.0.1:{running.port}" if running else str(url)
    with Extrophi(at, key=key or settings.key, is_local=url is None) as extrophi:
        health = extrophi.get("/health")
        try:
            stats = extrophi.get("/api/stats")
        except CommandError as error:  # a part is down: which, is what one wants to know now
            say_error(error.message, error.hint)
            stats = None
        warnings = in_need(extrophi) if stats is not None else []
    if as_json:
        here = None if url else str(home.path)
        told = {"state": "running", "url": extrophi.url, "home": here, "health": health, "stats": stats}
        write_json(told | {"accounts": warnings})
        return
    say(f"Extrophi is at {extrophi.url}" + ("" if url else f", its data in {home.path}"))
    _show(health, stats)
    for one in warnings:
        say(told_of(one))


def _show(health: JSON, stats: JSON | None) -> None:
    table(["part", "state"], [(name, part.get("status")) for name, part in health.get("components", {}).items()])
    if stats is None:
        return
    jobs = stats.get("jobs") or {}
    say(f"{stats.get('documents', 0)} documents, {stats.get('chunks', 0)} chunks, {stats.get('embedded', 0)} embedded")
    if stats.get("pending") or stats.get("failed"):
        say(f"{stats.get('pending', 0)} chunks wait for an embedding, {stats.get('failed', 0)} never get one")
    say(f"{jobs.get('running', 0)} jobs running, {jobs.get('queued', 0)} queued")
    if sources := stats.get("sources"):
        say(f"{sum(sources.values())} sources: " + ", ".join(f"{count} {state}" for state, count in sources.items()))
