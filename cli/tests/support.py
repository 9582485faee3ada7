"""What tests of the CLI speak in."""

import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATHS = os.pathsep.join(str(ROOT / name) for name in ("cli", "backend", "research", "orchestrator"))


@dataclass(frozen=True, slots=True)
class Run:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Run]


@dataclass(slots=True)
class FrontDoor:
    """Answers by (method, path); records what it was asked. A list of (event, data) is served as a stream.

    An answer may be a function of the body, too.
    """

    port: int = 0
    answers: dict[tuple[str, str], Any] = field(default_factory=dict[tuple[str, str], Any])
    asked: list[tuple[str, str, Any]] = field(default_factory=list[tuple[str, str, Any]])
    keys: list[str | None] = field(default_factory=list[str | None])
    hang_after_events: threading.Event | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def bodies(self, method: str, path: str) -> list[Any]:
        return [body for asked_method, asked_path, body in self.asked if (asked_method, asked_path) == (method, path)]
