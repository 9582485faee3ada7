"""A document's versions, and what changed between them."""

from typing import Any

import httpx
import pytest

OLD = "# Herons\n\nThe heron stands in the shallow water.\n\nIt waits.\n"
NEW = "# Herons\n\nThe grey heron stands in the deep water.\n\nIt waits.\nIt eats.\n"


async def push(api: httpx.AsyncClient, text: str, **more: Any) -> str:
    one = {"platform": "files", "external_id": "heron", "text": text} | more
    answer = await api.post("/documents", json={"documents": [one]})
    answer.raise_for_status()
    return answer.json()["items"][0]["id"]


@pytest.fixture
async def heron(api: httpx.AsyncClient) -> str:
    """A document of three versions; the third has another title, and the second's text."""
    await push(api, OLD)
    await push(api, NEW)
    return await push(api, NEW, title="Herons 🪶")


async def test_versions_tell_how_large_they_are_and_how_many_lines_changed(api: httpx.AsyncClient, heron: str) -> None:
    listed = (await api.get(f"/documents/{heron}/versions")).json()["items"]
    assert [(one["version"], one["title"], one["lines_added"], one["lines_removed"]) for one in listed] == [
        (3, "Herons 🪶", 0, 0), (2, "", 2, 1), (1, "", None, None),
    ]  # fmt: skip
    assert (listed[0]["characters"], listed[0]["bytes"]) == (len(NEW), len(NEW.encode()))
    first = (await api.get(f"/documents/{heron}/versions", params={"limit": 2})).json()
    assert first["items"] == listed[:2]  # the last of a page is compared with the first of the next
    rest = (await api.get(f"/documents/{heron}/versions", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert rest["items"] == listed[2:]


async def test_a_diff_has_exact_places_in_both_texts(api: httpx.AsyncClient, heron: str) -> None:
    found = (await api.get(f"/documents/{heron}/diff", params={"from": 1, "to": 2})).json()
    assert (found["from_version"], found["to_version"]) == (1, 2)
    assert (found["lines_added"], found["lines_removed"], found["fields"], found["is_cut"]) == (2, 1, [], False)
    (hunk,) = found["hunks"]
    assert (hunk["from_line"], hunk["from_lines"], hunk["to_line"], hunk["to_lines"]) == (1, 5, 1, 6)
    for op in hunk["ops"]:
        if op["op"] != "insert":
            assert OLD[op["from_start"] : op["from_end"]] == op["text"]
        if op["op"] != "delete":
            assert NEW[op["to_start"] : op["to_end"]] == op["text"]
    assert [op["text"] for op in hunk["ops"] if op["op"] == "insert"] == ["grey ", "deep", "It eats.\n"]


async def test_by_default_the_newest_is_compared_with_the_one_before(api: httpx.AsyncClient, heron: str) -> None:
    found = (await api.get(f"/documents/{heron}/diff")).json()
    assert (found["from_version"], found["to_version"], found["hunks"]) == (2, 3, [])
    assert found["fields"] == [{"field": "title", "before": "", "after": "Herons 🪶"}]
    first = (await api.get(f"/documents/{heron}/diff", params={"to": 1})).json()
    assert (first["from_version"], first["to_version"], first["hunks"]) == (1, 1, [])


async def test_a_diff_comes_as_text_too(api: httpx.AsyncClient, heron: str) -> None:
    answer = await api.get(f"/documents/{heron}/diff", params={"from": 1, "to": 2}, headers={"Accept": "text/plain"})
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    lines = answer.text.splitlines()
    assert lines[0].startswith("--- version 1\t")
    assert lines[1].startswith("+++ version 2\t")
    assert lines[2] == "@@ -1,5 +1,6 @@"
    assert "-The heron stands in the shallow water." in lines
    assert lines[-1] == "+It eats."


async def test_a_diff_of_what_is_not_there_is_refused(api: httpx.AsyncClient, heron: str) -> None:
    assert (await api.get(f"/documents/{heron}/diff", params={"to": 9})).status_code == 404
    assert (await api.get(f"/documents/{heron}/diff", params={"from": 9})).status_code == 404
    assert (await api.get(f"/documents/{heron}/diff", params={"from": 0})).status_code == 422
    (await api.delete(f"/documents/{heron}")).raise_for_status()
    assert (await api.get(f"/documents/{heron}/diff")).status_code == 410


async def test_too_many_lines_are_refused_in_words(api: httpx.AsyncClient) -> None:
    await push(api, "x")
    one = await push(api, "\n" * 400_001 + "x")
    answer = await api.get(f"/documents/{one}/diff")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert "400,000 lines" in answer.json()["detail"]


async def test_a_diff_of_many_parts_is_cut_and_says_so(api: httpx.AsyncClient) -> None:
    await push(api, "".join(f"{n} x\nsame {n}\n" for n in range(12_000)))
    one = await push(api, "".join(f"{n} y\nsame {n}\n" for n in range(12_000)))
    found = (await api.get(f"/documents/{one}/diff")).json()
    assert found["is_cut"]
    assert sum(len(hunk["ops"]) for hunk in found["hunks"]) == 20_000
    assert found["lines_added"] == 12_000
