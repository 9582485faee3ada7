from typing import Any
from uuid import uuid4

import httpx
import pytest

from extrophi_backend.db import Connection

TEXT = "Herons 🐦 stand in the shallows.\n\nThey eat at dawn."


async def push(api: httpx.AsyncClient, external_id: str, text: str = TEXT) -> str:
    document = {"platform": "web", "external_id": external_id, "text": text}
    answer = await api.post("/documents", json={"documents": [document]})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"][0]["id"]


def cite(document_id: str, quote: str = "They eat at dawn", text: str = TEXT, version: int = 1) -> dict[str, Any]:
    start = text.index(quote)
    return {"document_id": document_id, "version": version, "start": start, "end": start + len(quote)}


async def check(api: httpx.AsyncClient, *cited: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await api.post("/citations/check", json={"citations": cited})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_each_citation_is_told_what_became_of_it(api: httpx.AsyncClient, conn: Connection) -> None:
    ids = {name: await push(api, name) for name in ("same", "newer", "moved", "changed", "vanished", "gone", "deleted")}
    texts = {
        "newer": TEXT + " And at dusk.",
        "moved": "🐦 " + TEXT,
        "changed": "🐦 " + TEXT.replace("dawn", "noon"),
        "vanished": "Herons 🐦 stand in the shallows.",
    }
    for name, text in texts.items():
        assert await push(api, name, text) == ids[name]
    await conn.execute("UPDATE documents SET state = 'gone', gone_at = now() WHERE external_id = 'gone'")
    await api.delete(f"/documents/{ids['deleted']}")
    items = dict(zip(ids, await check(api, *(cite(one) for one in ids.values())), strict=True))
    assert {name: one["state"] for name, one in items.items()} == {
        "same": "same",
        "newer": "same",
        "moved": "moved",
        "changed": "changed",
        "vanished": "vanished",
        "gone": "same",
        "deleted": "deleted",
    }
    for name, one in items.items():
        if name == "deleted":
            assert all(value is None for key, value in one.items() if key not in {"state", "ops"})
            continue
        assert one["quote"] == "They eat at dawn"
        assert (one["prefix"], one["suffix"]) == ("Herons 🐦 stand in the shallows.\n\n", ".")
        assert one["latest_version"] == (2 if name in texts else 1)
        if one["start"] is not None:
            assert one["now"] == texts.get(name, TEXT)[one["start"] : one["end"]]
    assert items["changed"]["now"] == "They eat at noon"
    assert [(op["op"], op["text"]) for op in items["changed"]["ops"]] == [
        ("equal", "They eat at "),
        ("delete", "dawn"),
        ("insert", "noon"),
    ]
    assert (items["gone"]["document_state"], items["same"]["document_state"]) == ("gone", "collected")
    assert items["gone"]["gone_at"] is not None
    assert items["same"]["gone_at"] is None


async def test_what_is_not_here_is_unknown_and_spoils_nothing(api: httpx.AsyncClient) -> None:
    document_id = await push(api, "one")
    items = await check(
        api,
        cite(str(uuid4())),
        cite(document_id, version=2),
        {"document_id": document_id, "version": 1, "start": 0, "end": len(TEXT) + 1},
        cite(document_id),
        cite(document_id),
    )
    assert [one["state"] for one in items] == ["unknown", "unknown", "unknown", "same", "same"]
    assert [one["latest_version"] for one in items] == [None, 1, 1, 1, 1]


async def test_500_citations_of_versions_old_and_new_are_told_in_order(api: httpx.AsyncClient) -> None:
    lines = [f"Line {number} says {number * 7919 % 1000} things.\n" for number in range(400)]
    text = "".join(lines)
    document_id = await push(api, "long", text)
    lines[100] = "Line 100 says nothing.\n"
    await push(api, "long", "".join(["First.\n", *lines]))
    await push(api, "long", "".join(["First.\n", "Second.\n", *lines]))
    cited = [cite(document_id, f"Line {number % 400} says", text) for number in range(498)]
    cited += [cite(document_id, "Line 100 says 900", text), cite(document_id, "First", "First", version=2)]
    items = await check(api, *cited)
    assert [one["state"] for one in items] == ["moved"] * 498 + ["changed", "same"]
    assert [one["quote"] for one in items[:498]] == [f"Line {number % 400} says" for number in range(498)]
    assert items[498]["now"].startswith("Line 100 says nothing")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"citations": []},
        {"citations": [cite(str(uuid4()))] * 501},
        {"citations": [cite(str(uuid4())) | {"start": 5, "end": 5}]},
        {"citations": [cite(str(uuid4())) | {"start": 5, "end": 4}]},
        {"citations": [cite(str(uuid4())) | {"start": 0, "end": 10_001}]},
        {"citations": [cite(str(uuid4())) | {"start": -1}]},
        {"citations": [cite(str(uuid4())) | {"version": 0}]},
        {"citations": [cite("x")]},
    ],
)
async def test_what_is_no_citation_is_refused(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await api.post("/citations/check", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_long_texts_are_read_some_at_a_time_and_too_much_is_refused(
    api: httpx.AsyncClient, conn: Connection
) -> None:
    ids = [await push(api, str(number), str(number)) for number in range(3)]
    await conn.execute("UPDATE document_versions SET text = text || repeat('x', 5000000)")
    items = await check(api, *({"document_id": one, "version": 1, "start": 0, "end": 2} for one in ids))
    assert [one["quote"] for one in items] == ["0x", "1x", "2x"]
    await conn.execute("UPDATE document_versions SET text = repeat(text, 7)")
    cited = [{"document_id": one, "version": 1, "start": 0, "end": 2} for one in ids]
    answer = await api.post("/citations/check", json={"citations": cited})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
