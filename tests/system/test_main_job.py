import json
from pathlib import Path
from typing import Any

from tests.system.running import REPO, Running, events, eventually
from tests.web_server import WebServer, article, serving

QUESTION = "Why do long articles get read less on phones?"


def assert_citations_hold(extrophi: Running, answer: dict[str, Any]) -> None:
    assert answer["citations"], answer
    for citation in answer["citations"]:
        assert f"[{citation['n']}]" in answer["answer"]
        document = extrophi.get(f"/api/documents/{citation['document_id']}?version={citation['version']}")
        assert document["text"][citation["quote_start"] : citation["quote_end"]] == citation["quote"]


def test_an_investigation_collects_and_answers_with_citations_that_hold(extrophi: Running) -> None:
    body = {"question": QUESTION, "targets": [str(REPO / "examples" / "reading")]}
    seen: list[str] = []
    done: dict[str, Any] = {}
    with extrophi.client.stream(
        "POST", "/api/investigations", json=body, headers={"Accept": "text/event-stream"}
    ) as stream:
        assert stream.status_code == 200
        for name, data in events(stream.iter_lines()):
            seen.append(name)
            if name == "done":
                done = data
    assert seen[0] == "investigation"
    assert "job" in seen
    assert seen[-1] == "done"
    assert not done["abstained"]
    assert_citations_hold(extrophi, done)


def test_a_web_page_and_a_folder_are_investigated_and_cited_at_the_very_place(extrophi: Running) -> None:
    with serving(WebServer()) as server:
        server.pages["/post"] = article(
            "How numbats sleep",
            "Numbats spend the hot hours of the day asleep under dense shrubs, often with the head between the paws.",
            "At night they come out to feed on grasses and leaves, and they can go without water for months.",
            "Nobody has yet counted how many of them there are on the mainland, though the island is better known.",
        )
        targets = [server.url("/post"), str(REPO / "examples" / "reading"), server.url("/nothing")]
        body = {"question": "Where do numbats spend the hot hours of the day?", "targets": targets}
        with extrophi.client.stream(
            "POST", "/api/investigations", json=body, headers={"Accept": "text/event-stream"}
        ) as stream:
            seen = list(events(stream.iter_lines()))
    done = seen[-1][1]
    assert seen[-1][0] == "done"
    assert_citations_hold(extrophi, done)
    first = done["citations"][0]
    assert "under dense shrubs" in first["quote"]
    assert first["url"] == server.url("/post")
    assert first["deep_link"].startswith(f"{server.url('/post')}#:~:text=")
    failed = [job for name, job in seen if name == "job" and job["status"] == "failed"]
    assert [failure["code"] for failure in failed[-1]["failures"]] == ["http_404"]


def test_the_command_answers_and_what_it_collected_stays(extrophi: Running) -> None:
    ran = extrophi.cli("investigate", QUESTION, str(REPO / "examples" / "reading"), "--json")
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout.strip().splitlines()[-1])
    assert_citations_hold(extrophi, answer)
    found = extrophi.cli("search", "phones", "--json")
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["items"]


def test_a_folder_collected_twice_changes_nothing(extrophi: Running, tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"note-{number}.md").write_text(f"# Note {number}\n\nThe heron of pond {number} eats at dawn.\n")
    first = extrophi.ended(extrophi.post("/api/jobs", {"target": str(tmp_path)})["id"])
    second = extrophi.ended(extrophi.post("/api/jobs", {"target": str(tmp_path)})["id"])
    assert first["status"] == "succeeded"
    assert first["progress"]["created"] == 20
    assert second["progress"] == {"found": 20, "created": 0, "updated": 0, "unchanged": 20, "failed": 0}


def test_a_pushed_document_is_found_by_word(extrophi: Running) -> None:
    text = "The quokka of Rottnest smiles at strangers."
    extrophi.post("/api/documents", {"documents": [{"platform": "files", "external_id": "quokka", "text": text}]})

    def look() -> dict[str, Any] | None:
        hits = extrophi.post("/api/search", {"query": "quokka", "mode": "keyword"})["items"]
        return hits[0] if hits else None

    assert eventually(look, seconds=10)["text"] == text
