"""An investigation from its question to its end, whatever happens meanwhile."""

import asyncio
import json
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from extrophi_orchestrator.investigations import driving
from orchestrator.tests.investigations.conftest import (
    ANSWER,
    Asking,
    Heard,
    Kept,
    answer,
    asking,
    read_events,
    sse,
    stream,
)
from orchestrator.tests.servers import Exchange, Upstream, front_door
from tests.contracts.services import running

NOWHERE = "nothing that can be collected"


def names(heard: list[Heard]) -> list[str]:
    return [one.name for one in heard]


def text(heard: list[Heard]) -> str:
    """The answer as a client shows it."""
    shown = ""
    for one in heard:
        if one.name == "investigation" and one.data.get("restarted"):
            shown = ""
        elif one.name == "delta":
            shown += one.data["text"]
    return shown


async def seen(look: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not look():
            await asyncio.sleep(0.02)


async def test_its_events_are_told_to_who_asked_from_the_first_on(asker: Asking, kept: Kept, note: str) -> None:
    body = {"question": "When?", "targets": [note]}
    heard: list[Heard] = []
    async with asker.client.stream(
        "POST", "/api/investigations", json=body, headers={"Accept": "text/event-stream"}
    ) as response:
        async for one in read_events(response):
            if not heard:
                assert response.headers["location"] == f"/api/investigations/{one.data['id']}"
                await kept.jobs_end()
            heard.append(one)
    assert heard[0].name == "investigation"
    assert [one.data["status"] for one in heard if one.name == "job"][-1] == "succeeded"
    assert names(heard)[-3:] == ["citations", "delta", "done"]
    assert heard[-1].data == ANSWER
    assert [int(one.id) for one in heard] == list(range(1, len(heard) + 1))


async def test_it_goes_on_when_its_client_leaves(asker: Asking, kept: Kept, note: str) -> None:
    body = {"question": "When?", "targets": [note]}
    async with asker.client.stream(
        "POST", "/api/investigations", json=body, headers={"Accept": "text/event-stream"}
    ) as response:
        made = (await anext(read_events(response))).data["id"]
    await kept.jobs_end()
    ended = await asker.ended(made)
    assert (ended["status"], ended["answer"]) == ("succeeded", ANSWER)


async def test_who_comes_back_hears_the_rest(asker: Asking, kept: Kept, note: str) -> None:
    made = await asker.make(note)
    async with asker.events(made) as events:
        first, second = await anext(events), await anext(events)
    await kept.jobs_end()
    rest = await asker.heard(made, last=second.id)
    assert (first.name, second.name) == ("investigation", "job")
    assert int(rest[0].id) == int(second.id) + 1
    assert rest[-1].name == "done"
    assert names(await asker.heard(made)) == ["investigation", "job", *names(rest)]
    assert await asker.heard(made, last=rest[-1].id) == []


async def test_a_cancel_ends_it_and_its_jobs(asker: Asking, kept: Kept, note: str) -> None:
    made = await asker.make(note, note)
    assert (await asker.client.post(f"/api/investigations/{made}/cancel")).status_code == 200
    ended = await asker.ended(made)
    assert ended["status"] == "canceled"
    for job_id in ended["job_ids"]:
        assert (await asker.client.get(f"/api/jobs/{job_id}")).json()["status"] == "canceled"
    last = (await asker.heard(made))[-1]
    assert (last.name, last.data["status"]) == ("investigation", "canceled")


async def test_a_cancel_is_heard_while_research_is_silent(
    asker: Asking, kept: Kept, note: str, research: Upstream
) -> None:
    left = asyncio.Event()

    async def think(exchange: Exchange) -> None:
        await stream(exchange, sse("citations", []), end=False)
        await exchange.gone()
        left.set()

    research.handler = think
    made = await asker.make(note)
    await kept.jobs_end()
    await seen(lambda: research.seen)
    await asker.client.post(f"/api/investigations/{made}/cancel")
    assert (await asker.ended(made))["status"] == "canceled"
    async with asyncio.timeout(5):
        await left.wait()


@pytest.mark.parametrize("scope", ["targets", "library"])
async def test_it_answers_from_its_targets_or_from_all(
    asker: Asking, kept: Kept, note: str, research: Upstream, scope: str
) -> None:
    asked: list[Any] = []

    async def listen(exchange: Exchange) -> None:
        asked.append((exchange.target, json.loads(await exchange.body())))
        exchange.body = _nothing  # it is read
        await answer(exchange)

    research.handler = listen
    made = await asker.make(note, scope=scope)
    await kept.jobs_end()
    jobs = (await asker.ended(made))["job_ids"]
    filters = {"job_ids": jobs} if scope == "targets" else {}
    assert asked == [("/answer", {"question": "When do herons hunt?", "filters": filters})]


async def _nothing() -> bytes:
    return b""


async def test_a_target_that_cannot_be_collected_does_not_stop_the_others(asker: Asking, kept: Kept, note: str) -> None:
    made = await asker.make(NOWHERE, note)
    await kept.jobs_end("partial")
    assert (await asker.ended(made))["status"] == "succeeded"
    refused = (await asker.heard(made))[1]
    assert (refused.name, refused.data["target"], refused.data["status"]) == ("job", NOWHERE, "failed")
    assert refused.data["error"]["hint"]


async def test_with_no_target_that_can_be_collected_it_fails(asker: Asking, research: Upstream) -> None:
    made = await asker.make(NOWHERE, "https://10.0.0.1/")
    ended = await asker.ended(made)
    assert (ended["status"], ended["error"]["code"]) == ("failed", "no_target")
    heard = await asker.heard(made)
    assert names(heard) == ["investigation", "job", "job", "error"]
    assert heard[-1].data == ended["error"]
    assert not research.seen


async def test_a_backend_that_is_missing_for_a_moment_is_tried_again(research: Upstream) -> None:
    """As while containers around it come and go: its name, or its port, is not there, and then it is."""
    refusal = b'{"status": 422, "code": "invalid_input", "detail": "It was reached."}'

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 422 x\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n" % len(refusal)
        )
        writer.write(b"Connection: close\r\n\r\n" + refusal)
        writer.close()

    with socket.socket() as late:
        late.bind(("127.0.0.1", 0))  # it refuses until it listens
        address = f"http://127.0.0.1:{late.getsockname()[1]}"
        async with (
            front_door(address, research.url) as door,
            httpx.AsyncClient(base_url=door.url, timeout=20, trust_env=False) as client,
        ):
            body = {"question": "When do herons hunt?", "targets": ["https://a.example/"]}
            asked = asyncio.create_task(client.post("/api/investigations", json=body))
            await asyncio.sleep(0.1)
            assert not asked.done()
            async with await asyncio.start_server(refuse, sock=late):
                told = await asked
    assert (told.status_code, told.json()["detail"]) == (422, "It was reached.")


async def test_a_blank_question_or_a_field_misspelt_is_input_at_fault(asker: Asking, note: str) -> None:
    told = await asker.client.post("/api/investigations", json={"question": "Why?", "targets": [note], "limt": 3})
    assert (told.status_code, told.json()["field"]) == (422, "limt")
    told = await asker.client.post("/api/investigations", json={"question": "\u3000 ", "targets": [note]})
    assert (told.status_code, told.json()["field"]) == (422, "question")
    assert told.headers["content-type"] == "application/problem+json"


async def test_embeddings_are_waited_for_but_not_for_ever(
    asker: Asking, kept: Kept, note: str, research: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driving, "_EMBEDDING_SECONDS", 2.0)
    pushed = {"platform": "files", "external_id": "heron", "text": "Herons hunt at dawn."}
    document = (await asker.client.post("/api/documents", json={"documents": [pushed]})).json()["items"][0]
    made = await asker.make(note)
    jobs = (await asker.read(made))["job_ids"]
    await kept.execute("INSERT INTO job_documents (job_id, document_id) VALUES ($1, $2)", jobs[0], document["id"])
    await kept.jobs_end()
    began = time.monotonic()
    assert (await asker.ended(made))["status"] == "succeeded"
    assert time.monotonic() - began > 1.5
    told = [one.data for one in await asker.heard(made) if one.name == "job"]
    assert told[-1]["indexing"]["pending"] == 1


async def test_any_separator_may_stand_in_an_answer(asker: Asking, kept: Kept, note: str, research: Upstream) -> None:
    told = "one\u2028two\u2029three\u0085four\x1cfive\x0bsix\rseven"

    async def separate(exchange: Exchange) -> None:
        await stream(exchange, sse("delta", {"text": told}), sse("done", ANSWER | {"answer": told}))

    research.handler = separate
    made = await asker.make(note)
    await kept.jobs_end()
    ended = await asker.ended(made)
    assert (ended["status"], ended["answer"]["answer"]) == ("succeeded", told)
    assert text(await asker.heard(made)) == told


async def test_what_research_refuses_is_its_end(asker: Asking, kept: Kept, note: str, research: Upstream) -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.body()
        await exchange.answer(b'{"code": "invalid_input", "detail": "No."}', "422 Unprocessable")

    research.handler = refuse
    made = await asker.make(note)
    await kept.jobs_end()
    ended = await asker.ended(made)
    assert (ended["status"], ended["error"]["code"]) == ("failed", "invalid_input")


@pytest.mark.parametrize("named", ["backend", "research"])
async def test_a_wrong_service_key_is_named(kept: Kept, note: str, research: Upstream, named: str) -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.body()
        await exchange.answer(b'{"code": "unauthorized"}', "401 Unauthorized")

    research.handler = refuse
    if named == "backend":
        async with asking(Kept("", kept.root, research.port), research) as (one, _):
            told = await one.client.post("/api/investigations", json={"question": "?", "targets": [note]})
        assert (told.status_code, "backend" in told.json()["detail"]) == (502, True)
        assert "EXTROPHI_SERVICE_KEY" in told.json()["hint"]
        return
    async with asking(kept, research) as (one, _):
        made = await one.make(note)
        await kept.jobs_end()
        ended = await one.ended(made)
    assert ended["status"] == "failed"
    assert "research" in ended["error"]["detail"]
    assert "EXTROPHI_SERVICE_KEY" in ended["error"]["hint"]


async def test_an_answer_that_breaks_off_begins_anew(asker: Asking, kept: Kept, note: str, research: Upstream) -> None:
    async def die_once(exchange: Exchange) -> None:
        match len(research.seen):
            case 1:
                await stream(exchange, sse("delta", {"text": "At du"}), end=False)
            case 2:
                await exchange.body()
                await exchange.answer(b"{}", "503 Service Unavailable")
            case _:
                await answer(exchange)

    research.handler = die_once
    made = await asker.make(note)
    await kept.jobs_end()
    assert (await asker.ended(made))["status"] == "succeeded"
    heard = await asker.heard(made)
    assert text(heard) == ANSWER["answer"]
    assert [one.data.get("restarted") for one in heard if one.name == "investigation"] == [None, True]


async def test_an_answer_that_always_breaks_off_ends_it(
    asker: Asking, kept: Kept, note: str, research: Upstream
) -> None:
    async def die(exchange: Exchange) -> None:
        await stream(exchange, sse("delta", {"text": "At du"}), end=False)

    research.handler = die
    made = await asker.make(note)
    await kept.jobs_end()
    ended = await asker.ended(made)
    assert (ended["status"], ended["error"]["code"]) == ("failed", "upstream_failed")
    assert len(research.seen) == 3


async def test_backend_may_be_killed_at_any_moment(asker: Asking, kept: Kept, note: str) -> None:
    """Also in the middle of a heartbeat, whose reply is lost and which is then sent again."""
    made = await asker.make(note, note)
    for _ in range(2):
        kept.kill()
        await asyncio.to_thread(kept.start)
        await asyncio.sleep(0.5)
    await kept.jobs_end()
    assert (await asker.ended(made))["status"] == "succeeded"
    heard = await asker.heard(made)
    assert [int(one.id) for one in heard] == list(range(1, len(heard) + 1))
    assert text(heard) == ANSWER["answer"]


async def test_another_goes_on_when_its_driver_is_killed(kept: Kept, note: str, research: Upstream) -> None:
    asked = asyncio.Event()

    async def stall(exchange: Exchange) -> None:
        if exchange.target == "/answer" and not asked.is_set():
            await stream(exchange, sse("delta", {"text": "At du"}), end=False)
            asked.set()
            await exchange.gone()
        else:
            await answer(exchange)

    research.handler = stall
    with running("orchestrator", BACKEND_URL=kept.url, RESEARCH_URL=research.url) as first:
        body = {"question": "When?", "targets": [note, note]}
        made = (await asyncio.to_thread(first.client.post, "/api/investigations", json=body)).json()["id"]
        await kept.jobs_end()
        async with asyncio.timeout(20):
            await asked.wait()
        await asyncio.sleep(0.5)  # what it heard is told
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
    async with asking(kept, research) as (one, _):
        await asyncio.sleep(0.5)
        assert (await one.read(made))["status"] == "running"  # until its lease runs out
        await kept.execute("UPDATE investigations SET lease_until = now() WHERE finished_at IS NULL")
        assert (await one.ended(made))["status"] == "succeeded"
        heard = await one.heard(made)
    assert text(heard) == ANSWER["answer"]
    restarts = [one.data for one in heard if one.name == "investigation"][1:]
    assert restarts == [{"id": made, "status": "running", "restarted": True}]
    assert len({one.data["id"] for one in heard if one.name == "job"}) == 2


async def test_one_that_stops_lets_go_and_ends_its_streams(kept: Kept, note: str, research: Upstream) -> None:
    research.handler = answer
    async with asking(kept, research) as (first, door), asking(kept, research) as (second, _):
        made = await first.make(note)
        async with first.events(made) as events:
            heard = [await anext(events)]
            stopping = asyncio.create_task(door.stop())
            heard += [one async for one in events]  # the stream comes to an end, not to a break
            await stopping
        await kept.jobs_end()
        rest = await second.heard(made, last=heard[-1].id)  # at once, not when the lease runs out
    assert rest[-1].name == "done"
    assert any(one.data.get("restarted") for one in rest if one.name == "investigation")


async def test_one_that_lost_its_lease_tells_no_more(asker: Asking, kept: Kept, note: str, research: Upstream) -> None:
    made = await asker.make(note)
    await kept.execute("UPDATE investigations SET fence = fence + 1 WHERE finished_at IS NULL")
    await kept.jobs_end()
    await asyncio.sleep(2)
    assert (await asker.read(made))["status"] == "running"
    assert not research.seen
    await kept.execute("UPDATE investigations SET lease_until = now() WHERE finished_at IS NULL")  # nobody's: taken
    assert (await asker.ended(made))["status"] == "succeeded"


async def test_failures_are_told_once_a_job_has_ended(asker: Asking, kept: Kept, note: str) -> None:
    """And those of many large jobs are told in parts that backend takes."""
    made = await asker.make(*[note] * 12)
    await kept.execute(
        """INSERT INTO job_failures (job_id, seq, target, code, detail)
           SELECT j.id, n, repeat('ä', 3000), 'not_found', 'No.' FROM jobs j, generate_series(1, 100) AS n
            WHERE j.finished_at IS NULL"""
    )
    async with asker.events(made) as events:
        assert [len((await anext(events)).data.get("failures", [])) for _ in range(3)] == [0, 0, 0]
    await kept.jobs_end("partial")
    assert (await asker.ended(made))["status"] == "succeeded"
    told = [one.data for one in await asker.heard(made) if one.name == "job" and one.data["status"] == "partial"]
    assert len(told) >= 12
    assert all(10 < len(job["failures"]) < 100 for job in told)


async def test_backend_that_is_away_at_the_start_is_named(research: Upstream, note: str) -> None:
    async with asking(Kept("", None, 9), research) as (one, _):  # pyright: ignore[reportArgumentType]
        told = await one.client.post("/api/investigations", json={"question": "?", "targets": [note]})
    assert (told.status_code, told.json()["code"]) == (502, "upstream_unreachable")
