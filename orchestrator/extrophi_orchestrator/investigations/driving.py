"""Driving an investigation: collect its targets, wait until they can be searched by meaning, answer.

Everything it comes to is stored by backend under a fence, so that it goes on when its client leaves, and another
orchestrator can take it when this one dies: from the jobs that are recorded, never making them twice.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from extrophi_orchestrator.gateway.passing import Upstreams
from extrophi_orchestrator.log import event, request_id

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.3
_HEARTBEAT_SECONDS = 8.0  # backend's lease is 30 s
_EMBEDDING_SECONDS = 60.0
_DELTA_SECONDS = 0.1
_ENDED = frozenset({"succeeded", "partial", "failed", "canceled"})

Event = dict[str, Any]


class Canceled(Exception):
    """Its owner asked for its end."""


class Lost(Exception):
    """Another drives it now, or it has ended."""


@dataclass(slots=True)
class Driver:
    """One investigation in our hands."""

    upstreams: Upstreams
    id: str
    fence: int
    question: str
    targets: Sequence[str]
    limit: int
    scope: str
    job_ids: list[str] = field(default_factory=list[str])
    _told: float = 0.0

    async def drive(self) -> None:
        """To its end. Never raises: what goes wrong is its error."""
        request_id.set(f"investigation:{self.id}")
        try:
            await self._drive()
        except Canceled:
            await asyncio.gather(*(self._backend("POST", f"/jobs/{job_id}/cancel") for job_id in self.job_ids))
            await self._end("canceled", [_event("investigation", {"id": self.id, "status": "canceled"})])
        except Lost:
            _log.info(event("investigation.lost", id=self.id))
        except (httpx.HTTPError, ValueError, KeyError) as error:
            _log.warning(event("investigation.failed", id=self.id, error=error))
            failed = _problem("upstream_failed", f"A component failed meanwhile ({type(error).__name__}).")
            await self._end("failed", [_event("error", failed)], error=failed)

    async def _drive(self) -> None:
        if not self.job_ids:
            head = {"id": self.id, "question": self.question, "targets": list(self.targets), "status": "running"}
            await self._tell([_event("investigation", head)])
            await self._make_jobs()
        if not self.job_ids:
            failed = _problem("no_target", "None of the targets can be collected.")
            await self._end("failed", [_event("error", failed)], error=failed)
            return
        await self._wait_for_jobs()
        await self._answer()

    async def _make_jobs(self) -> None:
        """A job per target, recorded at once: a driver that takes over goes on with these."""
        for target in self.targets:
            body = {"target": target, "limit": self.limit}
            answer = await self._backend("POST", "/jobs", body, expect=(202, 409, 422))
            if answer.status_code != 202:
                refused = {"target": target, "status": "failed", "error": answer.json()}
                await self._tell([_event("job", refused)])
                continue
            job = answer.json()
            self.job_ids.append(job["id"])
            await self._tell([_event("job", job)], job_ids=self.job_ids)

    async def _wait_for_jobs(self) -> None:
        """Until all have ended and are embedded, telling each change. Embeddings are waited for a minute at most."""
        last: dict[str, Any] = {}
        deadline: float | None = None
        while True:
            answers = await asyncio.gather(*(self._backend("GET", f"/jobs/{job_id}") for job_id in self.job_ids))
            jobs = [answer.json() for answer in answers]
            changed = [job for job in jobs if last.get(job["id"]) != job]
            last = {job["id"]: job for job in jobs}
            if changed or time.monotonic() - self._told > _HEARTBEAT_SECONDS:
                await self._tell([_event("job", job) for job in changed])
            if all(job["status"] in _ENDED for job in jobs):
                deadline = deadline or time.monotonic() + _EMBEDDING_SECONDS
                if not any(job["indexing"]["pending"] for job in jobs) or time.monotonic() > deadline:
                    return
            await asyncio.sleep(_LOOK_SECONDS)

    async def _answer(self) -> None:
        filters = {"job_ids": self.job_ids} if self.scope == "targets" else {}
        body = {"question": self.question, "filters": filters}
        waiting: list[Event] = []
        since = time.monotonic()
        request = self.upstreams.client.build_request(
            "POST",
            f"{self.upstreams.urls['research']}/answer",
            json=body,
            headers=self.upstreams.headers(request_id.get()) | {"Accept": "text/event-stream"},
        )
        answer = await self.upstreams.client.send(request, stream=True)
        try:
            if answer.status_code != 200:
                await answer.aread()
                await self._end("failed", [_event("error", answer.json())], error=answer.json())
                return
            async for name, data in _events(answer.aiter_lines()):
                if name == "done":
                    await self._end("succeeded", [*waiting, _event("done", data)], answer=data)
                    return
                if name == "error":
                    await self._end("failed", [*waiting, _event("error", data)], error=data)
                    return
                if name == "delta" and waiting and waiting[-1]["event"] == "delta":
                    waiting[-1]["data"]["text"] += data["text"]
                else:
                    waiting.append(_event(name, data))
                if time.monotonic() - since > _DELTA_SECONDS:
                    await self._tell(waiting)
                    waiting, since = [], time.monotonic()
        finally:
            await answer.aclose()
        failed = _problem("answer_cut_off", "research ended the answer in the middle.")
        await self._end("failed", [*waiting, _event("error", failed)], error=failed)

    async def _tell(self, events: Sequence[Event], **change: Any) -> None:
        """Store events and keep the lease. Raises Canceled, Lost."""
        body = {"fence": self.fence, "events": list(events)} | change
        answer = await self._backend("POST", f"/investigations/{self.id}/progress", body, expect=(200, 409))
        self._told = time.monotonic()
        if answer.status_code == 409:
            raise Lost
        if answer.json()["cancel_requested"] and change.get("status") is None:
            raise Canceled

    async def _end(self, status: str, events: Sequence[Event], **change: Any) -> None:
        try:
            await self._tell(events, status=status, **change)
        except (Lost, httpx.HTTPError) as error:
            _log.warning(event("investigation.end_not_stored", id=self.id, error=type(error).__name__))

    async def _backend(
        self, method: str, path: str, body: Any = None, expect: tuple[int, ...] = (200,)
    ) -> httpx.Response:
        answer = await self.upstreams.client.request(
            method,
            f"{self.upstreams.urls['backend']}{path}",
            json=body,
            headers=self.upstreams.headers(request_id.get()),
        )
        if answer.status_code not in expect:
            answer.raise_for_status()
        return answer


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, Any]]:
    """Named events with their data (WHATWG HTML, section 9.2.6); research writes each datum on one line."""
    name = ""
    async for line in lines:
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            yield name, json.loads(line[5:])


def _event(name: str, data: Any) -> Event:
    return {"event": name, "data": data}


def _problem(code: str, detail: str) -> dict[str, str]:
    return {"code": code, "title": "The investigation failed", "detail": detail, "hint": "Try it again."}
