"""Driving an investigation: collect its targets, wait until they can be searched by meaning, answer.

Everything it comes to is stored by backend under a fence, so that it goes on when its client leaves, and another
orchestrator can take it when this one dies: from the jobs that are recorded, never making them twice.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx

from extrophi_orchestrator.gateway.passing import Upstreams
from extrophi_orchestrator.log import event, request_id

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.3
_HEARTBEAT_SECONDS = 2.0  # keeps backend's lease of 30 s, and is how soon a cancel is heard
_EMBEDDING_SECONDS = 60.0
_DELTA_SECONDS = 0.1
_PATIENCE_SECONDS = 60.0  # how long a component may be away, being started anew, before it counts as failed
_AGAIN_SECONDS = 0.5
_AWAY = frozenset({502, 503, 504})
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
        """To its end. What goes wrong with a component is its error."""
        request_id.set(f"investigation:{self.id}")
        try:
            await self._drive()
        except Canceled:
            await asyncio.gather(
                *(self._backend("POST", f"/jobs/{job_id}/cancel") for job_id in self.job_ids), return_exceptions=True
            )
            await self._end("canceled", [_event("investigation", {"id": self.id, "status": "canceled"})])
        except Lost:
            _log.info(event("investigation.lost", id=self.id))
        except (httpx.HTTPError, ValueError, KeyError) as error:
            _log.warning(event("investigation.failed", id=self.id, error=error))
            failed = _problem("upstream_failed", f"A component failed meanwhile ({type(error).__name__}).")
            await self._end("failed", [_event("error", failed)], error=failed)

    async def release(self) -> None:
        """Give the lease up, so that another driver need not wait for its end."""
        try:
            body = {"fence": self.fence, "events": [], "release": True}
            await self._send("POST", f"/investigations/{self.id}/progress", body)
        except httpx.HTTPError as error:
            _log.warning(event("investigation.not_released", id=self.id, error=type(error).__name__))

    async def _drive(self) -> None:
        if not self.job_ids and not await self._make_jobs():
            return
        await self._wait_for_jobs()
        await self._answer()

    async def _make_jobs(self) -> bool:
        """A job per target; whether there is any. Recorded as one: a driver that takes over finds all or none."""
        head = {"id": self.id, "question": self.question, "targets": list(self.targets), "status": "running"}
        told = [_event("investigation", head)]
        for target in self.targets:
            body = {"target": target, "limit": self.limit}
            answer = await self._backend("POST", "/jobs", body, expect=(202, 409, 422))
            if answer.status_code == 202:
                self.job_ids.append(answer.json()["id"])
                told.append(_event("job", answer.json()))
            else:
                told.append(_event("job", {"target": target, "status": "failed", "error": answer.json()}))
        if self.job_ids:
            await self._tell(told, job_ids=self.job_ids)
            return True
        failed = _problem("no_target", "None of the targets can be collected.")
        await self._end("failed", [*told, _event("error", failed)], error=failed)
        return False

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
        """The answer, told as it comes. The lease is kept, and a cancel heard, also while nothing comes."""
        waiting: list[Event] = []
        since = time.monotonic()
        async with aclosing(self._ask()) as asked, aclosing(_or_nothing(asked)) as heard:
            async for one in heard:
                match one:
                    case ("done", data):
                        await self._end("succeeded", [*waiting, _event("done", data)], answer=data)
                        return
                    case ("error", data):
                        await self._end("failed", [*waiting, _event("error", data)], error=data)
                        return
                    case ("delta", data) if waiting and waiting[-1]["event"] == "delta":
                        waiting[-1]["data"]["text"] += data["text"]
                    case (name, data):
                        waiting.append(_event(name, data))
                    case None:
                        pass
                now = time.monotonic()
                if (waiting and now - since > _DELTA_SECONDS) or now - self._told > _HEARTBEAT_SECONDS:
                    await self._tell(waiting)
                    waiting, since = [], time.monotonic()
        failed = _problem("answer_cut_off", "research ended the answer in the middle.")
        await self._end("failed", [*waiting, _event("error", failed)], error=failed)

    async def _ask(self) -> AsyncGenerator[tuple[str, Any]]:
        """What research answers, event by event; a refusal is an event `error`."""
        filters = {"job_ids": self.job_ids} if self.scope == "targets" else {}
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            request = self.upstreams.client.build_request(
                "POST",
                f"{self.upstreams.urls['research']}/answer",
                json={"question": self.question, "filters": filters},
                headers=self.upstreams.headers(request_id.get()) | {"Accept": "text/event-stream"},
            )
            try:
                answer = await self.upstreams.client.send(request, stream=True)
            except httpx.ConnectError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            try:
                if answer.status_code in _AWAY and time.monotonic() < deadline:
                    await asyncio.sleep(_AGAIN_SECONDS)
                    continue
                if answer.status_code != 200:
                    await answer.aread()
                    yield "error", answer.json()
                    return
                async for one in _events(answer.aiter_lines()):
                    yield one
                return
            finally:
                await answer.aclose()

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
        """Ask backend, and again while it is away. What may have been done already is asked once only."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                answer = await self._send(method, path, body)
            except httpx.TransportError as error:
                nothing_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
                if not (nothing_sent or method == "GET") or time.monotonic() > deadline:
                    raise
            else:
                if answer.status_code in expect:
                    return answer
                if answer.status_code not in _AWAY or time.monotonic() > deadline:
                    answer.raise_for_status()
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _send(self, method: str, path: str, body: Any) -> httpx.Response:
        return await self.upstreams.client.request(
            method,
            f"{self.upstreams.urls['backend']}{path}",
            json=body,
            headers=self.upstreams.headers(request_id.get()),
        )


async def _or_nothing(events: AsyncIterator[tuple[str, Any]]) -> AsyncGenerator[tuple[str, Any] | None]:
    """The events, and None whenever none has come for a heartbeat."""
    upcoming: asyncio.Future[tuple[str, Any]] | None = None
    try:
        while True:
            upcoming = upcoming or asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait({upcoming}, timeout=_HEARTBEAT_SECONDS)
            if not done:
                yield None
                continue
            try:
                one = upcoming.result()
            except StopAsyncIteration:
                return
            finally:
                upcoming = None
            yield one
    finally:
        if upcoming is not None:
            upcoming.cancel()
            await asyncio.wait({upcoming})


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
