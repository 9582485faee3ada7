"""Whether anyone still needs a running Extrophi."""

import time
from dataclasses import dataclass, field

from extrophi_cli.embedded.probe import get_json


@dataclass(slots=True)
class Idleness:
    """Asks the orchestrator for its last request (`idle_seconds` of /health), the backend for work left.

    The backend is asked directly: a request through the orchestrator would itself be one. And only once nobody else
    keeps us here: it counts all chunks.
    """

    port: int
    backend_port: int
    service_key: str
    _busy_at: float = field(default_factory=time.monotonic)
    _pending: int = 0

    def lasts(self, seconds: float) -> bool:
        """Whether there has been neither a request nor work for so long."""
        now = time.monotonic()
        quiet = get_json(self.port, "/health?self=1").body.get("idle_seconds")
        if not isinstance(quiet, int | float):
            self._busy_at = now  # it does not tell: then it stays
        elif min(float(quiet), now - self._busy_at) >= seconds:
            if not self._works():
                return True
            self._busy_at = now
        return False

    def _works(self) -> bool:
        stats = get_json(self.backend_port, "/stats", key=self.service_key).body
        jobs = stats.get("jobs")
        running = sum(jobs.get(state, 0) for state in ("queued", "running")) if isinstance(jobs, dict) else 0
        pending = stats.get("pending", 0)
        # Embeddings that wait for an endpoint that is down are no work: only a number that moves is.
        moves, self._pending = pending != self._pending, pending
        return bool(running) or moves
