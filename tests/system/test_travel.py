"""A library that moves: exported from one home, imported into another, and the same there."""

import base64
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.folders import quick
from tests.system.running import REPO, Running, eventually, up

pytestmark = pytest.mark.timeout(300)  # the first waits until two libraries are whole
ODD = [
    {"platform": "twitter", "external_id": "1", "text": "🐦‍⬛ ravens 👨‍👩‍👧 remember faces", "author": "@corvid",
     "url": "https://x.com/corvid/status/1", "published_at": "2026-01-31T12:00:00+05:30"},
    {"platform": "youtube", "external_id": "v", "text": "Welcome back.\nToday: tides.\n\nThe moon pulls the sea.",
     "title": "Tides", "collected_at": "2026-01-01T00:00:00.000001Z", "blocks": [[0, 27, 0], [29, 52, 0]],
     "anchors": [[0, {"seconds": 0.0}], [14, {"seconds": 2.25}], [29, {"seconds": 61.5, "url": "https://youtu.be/v?t=61"}]]},
    {"platform": "reddit", "external_id": "t3_1", "text": "\r\n  Leading spaces\r\n\r\nand CRLF about composting\r\n",
     "collections": ["garden", "default"]},
    {"platform": "web", "external_id": "https://a.example/鷺", "text":
     "第一章\n\n鷺は夜明けに魚を食べる。\n\n第二章\n\n正午に眠る。", "language": "ja", "title": "鷺", "canonical_url": "https://a.example/heron",
     "blocks": [[0, 3, 1], [5, 17, 0], [19, 22, 1], [24, 30, 0]]},
    {"platform": "web", "external_id": "https://a.example/page", "format": "html", "url": "https://a.example/page",
     "text": "<html><head><title>Kelp</title></head><body><article><h1>Kelp</h1><p>Forests of kelp &lt;b&gt; shelter"
             " otters, urchins and rockfish along a cold coast where the swell never rests.</p><h2>Urchins</h2><p>Where"
             " the otters left, urchins ate the holdfasts and the forest fell within four summers of silence.</p>"
             "</article></body></html>"},
    {"platform": "files", "external_id": "a/b\\c \u2028.md", "format": "markdown", "text": "# Loom\n\n"
     "Warp and weft.\n\n## Sheds\n\n" + " ".join(f"In row {n} the shuttle passes shed {n * n}." for n in range(99))},
    {"platform": "files", "external_id": "gone.md", "text": "A lighthouse without a keeper.", "state": "gone",
     "gone_at": "2026-02-01T00:00:00Z", "collected_at": "2026-01-01T00:00:00Z"},
    {"platform": "files", "external_id": "empty", "text": ""},
]  # fmt: skip
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PICTURE_NAME = f"{sha256(PICTURE).hexdigest()[:16]}.png"
_EDITED = 105
"""Versions of the first: a list of them goes on a second page."""
QUERIES = [
    "Why do long articles get read less on phones?", "ravens", "moon sea", '"CRLF about"', "鷺", "正午", "kelp otters",
    "shuttle", "warp -reading", "lighthouse keeper", "who listens instead of reading", "line length", "夜明け", "saved",
]  # fmt: skip


@dataclass
class Travelled:
    here: Running
    there: Running
    file: Path


@pytest.fixture(scope="module")
def travelled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Travelled]:
    file = tmp_path_factory.mktemp("travel") / "library.jsonl"
    with tempfile.TemporaryDirectory(prefix="xt-", dir=quick()) as folder:
        home = Path(folder) / "home"
        with up(home) as here:
            job = here.post("/api/jobs", {"target": str(REPO / "examples" / "reading")})
            assert here.ended(job["id"])["status"] == "succeeded"
            here.post("/api/documents", {"documents": ODD})
            for number in range(2, _EDITED + 1):
                here.post("/api/documents", {"documents": [ODD[0] | {"text": f"🐦‍⬛ ravens, edited {number} times"}]})
            source = {"target": str(REPO / "examples" / "reading"), "title": "Reading", "limit": 7, "collect": False}
            here.post("/api/sources", source)
            write(here)
            embedded(here)
            exported = here.cli("export", str(file))
            assert exported.returncode == 0, exported.stderr
        # A keyword index counts the words of replaced versions until it is merged: compare fresh ones.
        shutil.rmtree(home / "research")
        with up(home) as here, up() as there:
            yield moved(here, there, file)


def write(here: Running) -> None:
    """A draft with an image and a citation, a kept answer with one, and a highlight with a note on an old version."""
    ravens = next(item["id"] for item in here.get("/api/documents?limit=100")["items"] if item["platform"] == "twitter")
    reference = {"id": "corvid", "type": "post", "custom": {"extrophi": {"document_id": ravens, "spans": []}}}
    text = f"# Ravens \u2028\n\nThey remember [@corvid]. 🪶\n\n![A raven](images/{PICTURE_NAME})"
    draft = here.post("/api/drafts", {"text": text, "bibliography": [reference], "settings": {"goal": 500}})
    here.client.post(f"/api/drafts/{draft['id']}/images", content=PICTURE).raise_for_status()
    here.post("/api/drafts", {"text": "A second one, written later."})
    gone = here.post("/api/drafts", {"text": "Thrown away."})
    here.client.delete(f"/api/drafts/{gone['id']}").raise_for_status()
    here.post("/api/answers", {"question": "Who?", "answer": "Ravens [1].", "citations": [{"document_id": ravens}]})
    span = {"document_id": ravens, "version": 3, "start": 4, "end": 10, "note": "Which ones?", "colour": "green"}
    here.post("/api/highlights", span)


def written(extrophi: Running) -> dict[str, Any]:
    """All of it, with documents named by what they are, and without moments."""
    names = {
        item["id"]: f"{item['platform']} {item['external_id']}"
        for item in extrophi.get("/api/documents?limit=100")["items"]
    }
    drafts = [extrophi.get(f"/api/drafts/{item['id']}") for item in extrophi.get("/api/drafts")["items"]]
    own = {"created_at": None, "updated_at": None}
    found = json.dumps(
        {
            "drafts": [draft | own for draft in drafts],
            "answers": [answer | own for answer in extrophi.get("/api/answers")["items"]],
            "highlights": [one | own for one in extrophi.get("/api/highlights")["items"]],
        }
    )
    for document_id, name in names.items():
        found = found.replace(document_id, name)
    return json.loads(found)


def moved(here: Running, there: Running, file: Path) -> Travelled:
    imported = there.cli("import", str(file), "--json")
    assert imported.returncode == 0, imported.stderr
    totals = json.loads(imported.stdout)
    assert totals == {
        "documents": 18 + _EDITED, "sources": 1, "dry_run": False,
        "drafts": 2, "images": 1, "answers": 1, "highlights": 1,
        "created": 19, "updated": _EDITED - 1, "unchanged": 0,
    }  # fmt: skip
    [source] = there.get("/api/sources")["items"]
    assert (source["title"], source["limit"], source["last_job"]) == ("Reading", 7, None)
    embedded(there)
    return Travelled(here, there, file)


def embedded(extrophi: Running) -> None:
    eventually(lambda: True if extrophi.get("/api/stats")["pending"] == 0 else None, seconds=120)


def documents(extrophi: Running) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Every version of every document, without ids."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for item in extrophi.get("/api/documents?limit=100")["items"]:
        versions = range(1, item["version"] + 1)
        read = [extrophi.get(f"/api/documents/{item['id']}?version={number}") for number in versions]
        own = {"id": None, "seen_at": None, "next_visit_at": None}  # each library has its own eyes
        found[item["platform"], item["external_id"]] = [one | own for one in read]
    return found


def hits(extrophi: Running, query: str, **more: Any) -> list[dict[str, Any]]:
    without = {"document_id": None, "chunk_id": None}
    found = extrophi.post("/api/search", {"query": query, "limit": 20, **more})["items"]
    return [
        hit | without | {"score": round(hit["score"], 9), "citation": hit["citation"] | {"document_id": None}}
        for hit in found
    ]


def test_documents_and_their_versions_are_the_same(travelled: Travelled) -> None:
    here = documents(travelled.here)
    assert len(here) == 19
    assert [one["text"] for one in here["twitter", "1"]][2] == "🐦‍⬛ ravens, edited 3 times"
    assert documents(travelled.there) == here


@pytest.mark.parametrize("query", QUERIES)
def test_searches_find_the_same(travelled: Travelled, query: str) -> None:
    for mode in ("hybrid", "keyword"):
        found = hits(travelled.here, query, mode=mode)
        assert found, mode
        assert hits(travelled.there, query, mode=mode) == found
    assert hits(travelled.there, query, mode="vector", group="none") == hits(
        travelled.here, query, mode="vector", group="none"
    )


def test_the_same_file_again_changes_nothing(travelled: Travelled) -> None:
    before, stats = documents(travelled.there), travelled.there.get("/api/stats")
    again = travelled.there.cli("import", str(travelled.file), "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["unchanged"] == 18 + _EDITED
    assert documents(travelled.there) == before
    assert travelled.there.get("/api/stats") == stats


def test_what_a_person_wrote_is_the_same_and_cites_the_same_documents(travelled: Travelled) -> None:
    here = written(travelled.here)
    assert [draft["title"] for draft in here["drafts"]] == ["A second one, written later.", "Ravens"]
    assert here["drafts"][1]["bibliography"][0]["custom"]["extrophi"]["document_id"] == "twitter 1"
    assert (here["highlights"][0]["quote"], here["highlights"][0]["version"]) == ("ravens", 3)
    assert written(travelled.there) == here
    for extrophi in (travelled.here, travelled.there):
        image = extrophi.client.get(f"/api/drafts/{here['drafts'][1]['id']}/images/{PICTURE_NAME}")
        assert image.content == PICTURE


def test_a_draft_that_was_written_on_stays_as_it_is_and_is_told(travelled: Travelled) -> None:
    draft = travelled.there.post("/api/drafts", {"text": "Old."})
    line = {"extrophi": "draft", "id": draft["id"], "text": "Older.", "bibliography": [], "settings": {}}
    file = travelled.file.with_name("older.jsonl")
    file.write_text(json.dumps(line))
    ran = travelled.there.cli("import", str(file))
    assert (ran.returncode, travelled.there.get(f"/api/drafts/{draft['id']}")["text"]) == (5, "Old.")
    assert "not taken in: draft 'Older.'" in ran.stderr
    travelled.there.client.delete(f"/api/drafts/{draft['id']}").raise_for_status()


def test_what_was_imported_is_exported_the_same(travelled: Travelled, tmp_path: Path) -> None:
    file = tmp_path / "again.jsonl"
    exported = travelled.there.cli("export", str(file))
    assert exported.returncode == 0, exported.stderr

    def without_ids(lines: str) -> list[dict[str, Any]]:
        """Documents named by what they are."""
        for line in lines.splitlines():
            document = json.loads(line)
            if "external_id" in document:
                name = json.dumps(f"{document['platform']} {document['external_id']}")
                lines = lines.replace(document["id"], name[1:-1])
        return sorted(map(json.loads, lines.splitlines()), key=lambda line: json.dumps(line, sort_keys=True))

    assert without_ids(read_lines(file)) == without_ids(read_lines(travelled.file))


def read_lines(file: Path) -> str:
    return file.read_bytes().decode().replace("\u2028", "\\u2028").replace("\x85", "\\x85")


def test_a_file_cut_off_is_refused_by_its_line_and_nothing_of_it_is_stored(
    travelled: Travelled, tmp_path: Path
) -> None:
    lines = travelled.file.read_bytes().splitlines(keepends=True)
    new = json.dumps({"platform": "files", "external_id": "new", "text": "new"}).encode() + b"\n"
    for name, content in (
        ("in a line", [new, *lines[:5], lines[5][: len(lines[5]) // 2]]),
        ("between lines", [new, *lines[:6]]),
    ):
        file = tmp_path / name
        file.write_bytes(b"".join(content))
        ran = travelled.there.cli("import", str(file))
        assert ran.returncode == 4, name
        assert "line 7: " in ran.stderr, name
        assert "Nothing was stored" in ran.stderr, name
    assert ("files", "new") not in documents(travelled.there)
