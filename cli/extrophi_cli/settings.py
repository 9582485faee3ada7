"""What the CLI reads from the environment; nothing else here reads it."""

import os
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from extrophi_cli.errors import CommandError

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the data of this machine's Extrophi lies, and how it is run.

    Attributes:
        home: EXTROPHI_HOME, the folder of all data.
        port: EXTROPHI_PORT, where the orchestrator listens on 127.0.0.1; None: 8000 for a new start, and
            wherever a running one listens.
        idle_stop: EXTROPHI_IDLE_STOP (`900`, `15m`, `1h`), after which one that a command started stops; zero: never.
        url: EXTROPHI_URL, an Extrophi elsewhere; None: this machine's.
        key: EXTROPHI_KEY, for that one.
    """

    home: Path
    port: int | None
    idle_stop: timedelta
    url: str | None
    key: str | None


def read_settings() -> Settings:
    """Read the environment; a blank variable counts as unset. Raises CommandError naming a wrong one."""
    home = _read("EXTROPHI_HOME")
    if home is None:
        from platformdirs import user_data_path  # noqa: PLC0415  not needed where the home is given

        home = str(user_data_path("extrophi", appauthor=False))
    return Settings(
        home=Path(home).expanduser().absolute(),
        port=_read_port(),
        idle_stop=_read_duration("EXTROPHI_IDLE_STOP", "15m"),
        url=_read("EXTROPHI_URL"),
        key=_read("EXTROPHI_KEY"),
    )


def _read(name: str) -> str | None:
    return os.environ.get(name, "").strip() or None


def _read_port() -> int | None:
    text = _read("EXTROPHI_PORT")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise CommandError(f"EXTROPHI_PORT is {text!r}.", hint="Set it to a number from 1 to 65535.", code=2)
    return int(text)


def _read_duration(name: str, default: str) -> timedelta:
    text = _read(name) or default
    matched = re.fullmatch(r"([0-9]{1,9})([smh]?)", text)
    if matched is None:
        raise CommandError(f"{name} is {text!r}.", hint="Set it to seconds, or like 15m or 1h; 0: never.", code=2)
    return timedelta(seconds=int(matched[1]) * _UNITS[matched[2]])
