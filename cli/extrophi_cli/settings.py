"""What the CLI reads from the environment; nothing else here reads it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path

from extrophi_cli.errors import CommandError

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
_SERVICES = re.compile(
    r"(EXTROPHI|OPENAI|EMBEDDINGS|CHAT|CHROMA|REDDIT)_\w+|((DATABASE|REDIS)_URL|X_(BEARER_TOKEN|AUTH_TOKEN|CT0)"
    r"|(YOUTUBE|WEB)_COOKIES)(_FILE)?|VECTOR_STORE"
)
"""Variables that the services read."""
_NOT_THEIRS = frozenset(
    f"EXTROPHI_{name}" for name in ("HOME", "PORT", "URL", "KEY", "IDLE_STOP", "PYTHON", "HOST", "ROLE", "DATA")
)
"""Ours, or given to each service by `up` itself."""


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
    home = read("EXTROPHI_HOME")
    if home is None:
        from platformdirs import user_data_path  # noqa: PLC0415  not needed where the home is given

        home = str(user_data_path("extrophi", appauthor=False))
    try:
        folder = Path(home).expanduser().absolute()
    except RuntimeError:
        raise CommandError(f"EXTROPHI_HOME is {home!r}: no such user.", hint="Set it to a folder.", code=2) from None
    return Settings(
        home=folder,
        port=_read_port(),
        idle_stop=_read_duration("EXTROPHI_IDLE_STOP", "15m"),
        url=read("EXTROPHI_URL"),
        key=read("EXTROPHI_KEY"),
    )


def read(name: str, default: str | None = None) -> str | None:
    """A variable's value; blank is as good as unset."""
    return os.environ.get(name, "").strip() or default


def point_to(url: str | None, key: str | None) -> None:
    """Have the command speak to the Extrophi at `url`, as EXTROPHI_URL would; what stands after the command wins."""
    for name, value in (("EXTROPHI_URL", url), ("EXTROPHI_KEY", key)):
        if value is not None:
            os.environ[name] = value


def is_given(name: str) -> bool:
    """Whether a setting of the services has a value, of its own or in a file (`NAME_FILE`)."""
    return read(name) is not None or read(f"{name}_FILE") is not None


def read_service(name: str) -> str | None:
    """A setting of the services, from the variable or from the file that `NAME_FILE` names. Raises CommandError."""
    if (value := read(name)) is not None or (file := read(f"{name}_FILE")) is None:
        return value
    try:
        return Path(file).read_text(encoding="utf-8").strip() or None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise CommandError(f"{name}_FILE: cannot read {file}: {reason}.", hint="Check the path.", code=2) from error


def service_digests(key: str) -> dict[str, str]:
    """A digest of each setting of the services, by name: tells whether one changed, and nothing about its value."""
    return {
        name: blake2b(value.encode(errors="surrogateescape"), key=key.encode()[:64], digest_size=8).hexdigest()
        for name, value in os.environ.items()
        if value.strip() and _SERVICES.fullmatch(name) and name not in _NOT_THEIRS
    }


def inherited() -> Mapping[str, str]:
    """The environment that children of ours get, less what each is given for itself."""
    # An empty entry of PYTHONPATH is the current folder, whose files nobody asked to run.
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    kept = {name: value for name, value in os.environ.items() if name not in {"EXTROPHI_ROLE", "EXTROPHI_DATA"}}
    return kept | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1"}


def _read_port() -> int | None:
    text = read("EXTROPHI_PORT")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise CommandError(f"EXTROPHI_PORT is {text!r}.", hint="Set it to a number from 1 to 65535.", code=2)
    return int(text)


def _read_duration(name: str, default: str) -> timedelta:
    text = read(name) or default
    matched = re.fullmatch(r"([0-9]{1,9})([smh]?)", text)
    if matched is None:
        raise CommandError(f"{name} is {text!r}.", hint="Set it to seconds, or like 15m or 1h; 0: never.", code=2)
    return timedelta(seconds=int(matched[1]) * _UNITS[matched[2]])
