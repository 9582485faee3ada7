"""Investigations over HTTP: what a driver may do, and what those who watch see."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from extrophi_backend.db import Pool
from extrophi_backend.settings import Settings

NOWHERE = "nothing that can be collected"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"files_roots": (tmp_path,)})


@pytest.fixture
def note(tmp_path: Path) -> str:
    path = tmp_path / "heron.md"
    path.write_text("Herons wait.")
    return str(path)


async def make(api: httpx.AsyncClient, *targets: str) -> Any:
    answer = await api.post("/investigations", json={"question": "Where do herons wait?", "targets": list(targets)})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def tell(api: httpx.AsyncClient, made: Any, seq: int, *names: str, **change: Any) -> httpx.Response:
    events = [{"event": name, "data": {"n": seq + n}} for n, name in enumerate(names)]
    body = {"fence": made["fence"], "seq": seq, "events": events}
    return await api.post(f"/investigations/{made['id']}/progress", json=body | change)


async def heard(api: httpx.AsyncClient, made: Any, last: str | None = None) -> list[tuple[str, str, Any]]:
    """The events of one that has ended: id, name, data."""
    headers = {} if last is None else {"Last-Event-ID": last}
    told = (await api.get(f"/investigations/{made['id']}/events", headers=headers)).text
    blocks = [block.split("\n") for block in told.split("\n\n") if block and not block.startswith(":")]
    return [(one[4:], name[7:], json.loads(data[6:])) for one, name, data in blocks]


async def test_it_is_made_with_its_jobs_and_its_first_event(api: httpx.AsyncClient, note: str) -> None:
    made = await make(api, note, NOWHERE, note)
    assert (made["status"], made["fence"], made["events"], len(made["job_ids"])) == ("running", 1, 2, 2)
    for job_id in made["job_ids"]:
        job = (await api.get(f"/jobs/{job_id}")).json()
        assert (job["status"], job["platform"], job["limit"]) == ("queued", "files", 100)
    await tell(api, made, 3, status="failed")
    (_, first, head), (_, second, refused) = await heard(api, made)
    assert (first, head["id"], head["status"]) == ("investigation", made["id"], "running")
    assert (second, refused["target"], refused["status"]) == ("job", NOWHERE, "failed")
    assert refused["error"]["code"] == "invalid_target"
    assert refused["error"]["hint"]


async def test_one_with_no_target_has_failed_and_says_why(api: httpx.AsyncClient) -> None:
    made = await make(api, NOWHERE, "no address")
    assert (made["status"], made["job_ids"]) == ("failed", [])
    assert made["error"]["code"] == "no_target"
    assert [name for _, name, _ in await heard(api, made)] == ["investigation", "job", "job", "error"]
    assert (await api.post("/investigations/claims")).status_code == 204


@pytest.mark.parametrize("question", ["", " \t\n", "a\0b", "x" * 8001])
async def test_a_blank_question_makes_nothing(api: httpx.AsyncClient, pool: Pool, note: str, question: str) -> None:
    answer = await api.post("/investigations", json={"question": question, "targets": [note]})
    assert (answer.status_code, answer.json()["field"]) == (422, "question")
    assert await pool.fetchval("SELECT count(*) FROM jobs") == 0
    assert await pool.fetchval("SELECT count(*) FROM investigations") == 0


async def test_they_are_listed_newest_first(api: httpx.AsyncClient, note: str) -> None:
    made = [await make(api, note), await make(api, NOWHERE), await make(api, note)]
    await tell(api, made[2], 2, status="succeeded", answer={"answer": "By the pond."})
    first = (await api.get("/investigations", params={"limit": 2})).json()
    rest = (await api.get("/investigations", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    items = first["items"] + rest["items"]
    assert [one["id"] for one in items] == [one["id"] for one in reversed(made)]
    assert [one["status"] for one in items] == ["succeeded", "failed", "running"]
    assert items[0]["targets"] == [note]
    assert [one["finished_at"] is not None for one in items] == [True, True, False]
    assert all("answer" not in one for one in items)
    assert rest["next_cursor"] is None
    for query in ("limit=0", "cursor=x", "cursor=WyJ4Il0"):
        assert (await api.get(f"/investigations?{query}")).status_code == 422


async def test_the_same_told_again_changes_nothing(api: httpx.AsyncClient, note: str) -> None:
    made = await make(api, note)
    for _ in range(2):
        assert (await tell(api, made, 2, "job", "delta")).json() == {"cancel_requested": False}
    await tell(api, made, 3, "delta", "delta", status="succeeded", answer={"answer": "There."})
    assert [(one, name) for one, name, _ in await heard(api, made)] == [
        ("1", "investigation"), ("2", "job"), ("3", "delta"), ("4", "delta"),
    ]  # fmt: skip
    assert [one for one, _, _ in await heard(api, made, last="3")] == ["4"]
    ended = (await api.get(f"/investigations/{made['id']}")).json()
    assert (ended["status"], ended["answer"]) == ("succeeded", {"answer": "There."})


async def test_only_its_driver_tells_and_only_until_its_end(api: httpx.AsyncClient, pool: Pool, note: str) -> None:
    made = await make(api, note)
    assert (await api.post("/investigations/claims")).status_code == 204  # its driver is alive
    await pool.execute("UPDATE investigations SET lease_until = now() - interval '1 second'")
    await tell(api, made, 2, "job")  # late, and no other has it yet
    await pool.execute("UPDATE investigations SET lease_until = now() - interval '1 second'")
    claimed = (await api.post("/investigations/claims")).json()
    assert (claimed["id"], claimed["fence"], claimed["events"]) == (made["id"], 2, 2)
    assert claimed["job_ids"] == made["job_ids"]
    lost = await tell(api, made, 3, "delta")
    assert (lost.status_code, lost.json()["code"]) == (409, "lease_lost")
    assert (await tell(api, claimed, 3, "done", status="succeeded")).status_code == 200
    assert (await tell(api, claimed, 4, "delta")).status_code == 409
    assert [name for _, name, _ in await heard(api, made)] == ["investigation", "job", "done"]
    unknown = await tell(api, {"id": uuid4(), "fence": 1}, 1, "delta")
    assert unknown.status_code == 409


async def test_what_is_released_is_taken_at_once(api: httpx.AsyncClient, note: str) -> None:
    made = await make(api, note)
    assert (await tell(api, made, 2, release=True)).status_code == 200
    assert (await api.post("/investigations/claims")).json()["id"] == made["id"]
    assert (await api.post("/investigations/claims")).status_code == 204


async def test_its_driver_hears_of_a_cancel(api: httpx.AsyncClient, note: str) -> None:
    made = await make(api, note)
    assert (await api.post(f"/investigations/{made['id']}/cancel")).json()["status"] == "running"
    assert (await tell(api, made, 2)).json() == {"cancel_requested": True}
    await tell(api, made, 2, status="canceled")
    assert (await api.post(f"/investigations/{made['id']}/cancel")).json()["status"] == "canceled"


@pytest.mark.parametrize(
    "wrong", [{"releases": True}, {"seq": 0}, {"events": [{"event": "x", "data": {}, "id": 1}]}, {"status": "done"}]
)
async def test_a_word_that_is_not_known_is_refused(api: httpx.AsyncClient, note: str, wrong: dict[str, Any]) -> None:
    """Or what a newer driver asks for would be overheard."""
    made = await make(api, note)
    body = {"fence": made["fence"], "seq": 2} | wrong
    assert (await api.post(f"/investigations/{made['id']}/progress", json=body)).status_code == 422


async def test_who_is_no_investigation_is_not_found(api: httpx.AsyncClient) -> None:
    for path in (f"/investigations/{UUID(int=0)}", f"/investigations/{UUID(int=0)}/events"):
        assert (await api.get(path)).status_code == 404
    assert (await api.post(f"/investigations/{UUID(int=0)}/cancel")).status_code == 404
