"""Driving an investigation: wait until its targets are collected and can be searched by meaning, then answer.

Its jobs were made with it. Everything it comes to is stored by backend under a fence, so that it goes on when its
client leaves, and another orchestrator can take it when this one dies or stops.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import httpx

from extrophi_orchestrator.errors import OrchestratorError
from extrophi_orchestrator.gateway.passing import Upstreams, key_refused
from extrophi_orchestrator.log import event, request_id

_log = logging.getLogger(__name__)

_FIRST_LOOK_SECONDS = 0.3
_LOOK_SECONDS = 1.0
_LONGEST_LOOK_SECONDS = 2.0
_HEARTBEAT_SECONDS = 2.0  # keeps backend's lease of 30 s, and is how soon a cancel is heard
_BACKEND_SECONDS = 10.0
_EMBEDDING_SECONDS = 60.0
_DELTA_SECONDS = 0.1
_PATIENCE_SECONDS = 60.0  # how long a component may be away, being started anew, before it counts as failed
_AGAIN_SECONDS = 0.5
_RESTARTS = 2  # of an answer that broke off
_BATCH_CHARACTERS = 200_000  # of events told at once; backend takes 1 MB, and a character is up to 4 bytes
_BATCH = 500
_FAILURES_CHARACTERS = 100_000
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
    scope: str
    job_ids: Sequence[str]
    events: int
    """How many of its events are stored. The next has the number after."""
    _told: float = 0.0

    async def drive(self) -> None:
        """To its end. What goes wrong with a component is its error."""
        request_id.set(f"investigation:{self.id}")
        try:
            if self.fence > 1:  # another drove it before, and may have told half an answer
                await self._tell([self._restarted()])
            await self._wait_for_jobs()
            await self._answer()
        except Canceled:
            await asyncio.gather(
                *(self._backend("POST", f"/jobs/{job_id}/cancel") for job_id in self.job_ids), return_exceptions=True
            )
            await self._end("canceled", [_event("investigation", {"id": self.id, "status": "canceled"})])
        except Lost:
            _log.info(event("investigation.lost", id=self.id))
        except OrchestratorError as error:
            await self._fail(error.code, error.detail, error.hint)
        except httpx.HTTPError as error:
            _log.warning(event("investigation.failed", id=self.id, error=error))
            await self._fail("upstream_failed", f"A component failed meanwhile ({type(error).__name__}).")
        except Exception:  # noqa: BLE001  the edge: nobody else ends it
            _log.exception(event("investigation.fault", id=self.id))
            await self._fail("internal", "This is a fault of Extrophi's.", "The log has it under the investigation.")

    async def release(self) -> None:
        """Give the lease up, so that another driver need not wait for its end."""
        try:
            body = {"fence": self.fence, "seq": self.events + 1, "release": True}
            await self._send("POST", f"/investigations/{self.id}/progress", body)
        except httpx.HTTPError as error:
            _log.warning(event("investigation.not_released", id=self.id, error=type(error).__name__))

    async def _wait_for_jobs(self) -> None:
        """Until all have ended and are embedded, telling each change. Embeddings are waited for a minute at most."""
        last: dict[str, Any] = {}
        deadline: float | None = None
        wait = _FIRST_LOOK_SECONDS
        while True:
            got = await asyncio.gather(*(self._backend("GET", f"/jobs/{job_id}") for job_id in self.job_ids))
            jobs = [_shown(response.json()) for response in got]
            changed = [job for job in jobs if last.get(job["id"]) != job]
            last = {job["id"]: job for job in jobs}
            if changed or time.monotonic() - self._told > _HEARTBEAT_SECONDS:
                await self._tell([_event("job", job) for job in changed])
            if all(job["status"] in _ENDED for job in jobs):
                deadline = deadline or time.monotonic() + _EMBEDDING_SECONDS
                if not any(job["indexing"]["pending"] for job in jobs) or time.monotonic() > deadline:
                    return
            await asyncio.sleep(wait)
            wait = _LOOK_SECONDS if changed else min(wait * 1.5, _LONGEST_LOOK_SECONDS)

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
        await self._fail("answer_cut_off", "research ended the answer in the middle.", before=waiting)

    async def _ask(self) -> AsyncGenerator[tuple[str, Any]]:
        """What research answers, event by event; a refusal is an event `error`.

        An answer that breaks off is asked for again; an event before it says that it begins anew.
        """
        body = {"question": self.question, "filters": {"job_ids": self.job_ids} if self.scope == "targets" else {}}
        deadline = time.monotonic() + _PATIENCE_SECONDS
        restarts = 0
        while True:
            begun = False
            try:
                async with self.upstreams.client.stream(
                    "POST",
                    f"{self.upstreams.urls['research']}/answer",
                    json=body,
                    headers=self.upstreams.headers(request_id.get()) | {"Accept": "text/event-stream"},
                ) as response:
                    if response.status_code == 200:
                        async for one in _events(_lines(response.aiter_bytes())):
                            begun = True
                            yield one
                        return
                    if response.status_code == 401:
                        raise key_refused("research")
                    await response.aread()
                    away = response.status_code in _AWAY and not _stays(response)
                    if not away or time.monotonic() > deadline:
                        yield "error", response.json()
                        return
            except httpx.TransportError:
                if begun and restarts < _RESTARTS:
                    restarts += 1
                    deadline = time.monotonic() + _PATIENCE_SECONDS
                    yield "investigation", self._restarted()["data"]
                elif begun or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _tell(self, events: Sequence[Event], **change: Any) -> None:
        """Store events and keep the lease. Raises Canceled, Lost."""
        batches = list(_batches(events)) or [[]]
        for n, batch in enumerate(batches, 1):
            body = {"fence": self.fence, "seq": self.events + 1, "events": batch}
            if n == len(batches):
                body |= change
            told = await self._backend("POST", f"/investigations/{self.id}/progress", body, expect=(200, 409))
            self._told = time.monotonic()
            if told.status_code == 409:
                raise Lost
            self.events += len(batch)
            if told.json()["cancel_requested"] and change.get("status") is None:
                raise Canceled

    async def _end(self, status: str, events: Sequence[Event], **change: Any) -> None:
        try:
            await self._tell(events, status=status, **change)
        except (Lost, httpx.HTTPError, OrchestratorError) as error:
            # The end itself may be stored all the same, and only its reply lost.
            _log.warning(event("investigation.end_not_stored", id=self.id, error=type(error).__name__))

    async def _fail(self, code: str, detail: str, hint: str = "Try it again.", *, before: Sequence[Event] = ()) -> None:
        error = {"code": code, "title": "The investigation failed", "detail": detail, "hint": hint}
        await self._end("failed", [*before, _event("error", error)], error=error)

    def _restarted(self) -> Event:
        """From here on, the answer begins anew: who showed a part of it forgets that."""
        return _event("investigation", {"id": self.id, "status": "running", "restarted": True})

    async def _backend(
        self, method: str, path: str, body: Any = None, expect: tuple[int, ...] = (200,)
    ) -> httpx.Response:
        """Ask backend, and again while it is away: all that is asked may be done twice."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                response = await self._send(method, path, body)
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
            else:
                if response.status_code in expect:
                    return response
                if response.status_code == 401:
                    raise key_refused("backend")
                if response.status_code not in _AWAY or time.monotonic() > deadline:
                    response.raise_for_status()
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _send(self, method: str, path: str, body: Any) -> httpx.Response:
        return await self.upstreams.client.request(
            method,
            f"{self.upstreams.urls['backend']}{path}",
            json=body,
            headers=self.upstreams.headers(request_id.get()),
            timeout=_BACKEND_SECONDS,
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


def _stays(response: httpx.Response) -> bool:
    """Whether a refusal would be the same in a minute: the local model does not fit into the memory there is."""
    return "application/problem+json" in response.headers.get("content-type", "") and (
        response.json().get("code") == "no_memory"
    )


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, Any]]:
    """Named events with their data (WHATWG HTML, section 9.2.6); research writes each datum on one line."""
    name = ""
    async for line in lines:
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            yield name, json.loads(line[5:])


async def _lines(parts: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """Lines that end by a line feed. A text's other separators (U+2028, U+0085) stand in the data as they are."""
    begun = b""
    async for part in parts:
        *lines, begun = (begun + part).split(b"\n")
        for line in lines:
            yield line.decode().removesuffix("\r")


def _event(name: str, data: Any) -> Event:
    return {"event": name, "data": data}


def _batches(events: Sequence[Event]) -> Iterator[list[Event]]:
    """All of them in order, in as few requests as backend takes."""
    batch: list[Event] = []
    room = _BATCH_CHARACTERS
    for one in events:
        size = len(json.dumps(one, ensure_ascii=False))
        if batch and (size > room or len(batch) == _BATCH):
            yield batch
            batch, room = [], _BATCH_CHARACTERS
        batch.append(one)
        room -= size
    if batch:
        yield batch


def _shown(job: dict[str, Any]) -> dict[str, Any]:
    """A job as its event has it: with its failures once it has ended, and of those what is no burden."""
    failures: list[Any] = []
    room = _FAILURES_CHARACTERS
    for failure in job.get("failures", []) if job["status"] in _ENDED else []:
        room -= len(json.dumps(failure, ensure_ascii=False))
        if room < 0:
            break
        failures.append(failure)
    return job | {"failures": failures}
