"""Small questions to our own services, without an HTTP library's weight."""

import http.client
import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0: nothing answered. `body` is empty when it was no JSON object."""

    status: int
    body: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def missing(self) -> str:
        """What /ready says is missing, in words."""
        missing = self.body.get("missing")
        if not isinstance(missing, dict):
            return "no answer"
        parts = {
            name: ", ".join(f"{part} {how}" for part, how in what.items()) if isinstance(what, dict) else what
            for name, what in missing.items()
        }
        return "; ".join(f"{name}: {how}" for name, how in parts.items()) or "nothing"


def get_json(port: int, path: str, *, key: str | None = None, seconds: float = 5) -> Answer:
    """GET from a service on loopback. Raises nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
        response = connection.getresponse()
        content = response.read(1 << 20)
    except (OSError, http.client.HTTPException):
        return Answer(0)
    finally:
        connection.close()
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    return Answer(response.status, body if isinstance(body, dict) else {})
