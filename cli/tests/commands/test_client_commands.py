"""The commands against a server that speaks the orchestrator's wire format, over --url as a person would."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from cli.tests.support import PATHS, Command, FrontDoor

CITATION = {
    "n": 1, "document_id": "d", "version": 1, "platform": "web", "external_id": "x", "title": "On \x1b[2Jphones",
    "author": "Jane", "published_at": "2026-01-31T12:00:00Z", "url": "https://a.example/x",
    "deep_link": "https://a.example/x#:~:text=Few", "quote": "Few read on.", "quote_start": 0, "quote_end": 12,
}  # fmt: skip
DONE = {"answer": "Few do [1].", "citations": [CITATION], "abstained": False, "model": "extractive"}


def job(status: str, **progress: int) -> dict[str, Any]:
    counts = {"found": 0, "created": 0, "updated": 0, "unchanged": 0, "failed": 0, **progress}
    return {"id": "j", "target": "https://a.example/x", "status": status, "progress": counts, "failures": []}


def test_an_investigation_shows_progress_answer_and_citations(front_door: FrontDoor, extrophi: Command) -> None:
    front_door.answers["POST", "/api/investigations"] = [
        ("investigation", {"id": "i"}),
        ("job", job("running")),
        ("job", job("succeeded", found=2, created=1, failed=1)),
        ("citations", {"items": [CITATION]}),
        ("delta", {"text": "Few do "}),
        ("delta", {"text": "[1]."}),
        ("done", DONE),
    ]
    ran = extrophi("investigate", "Why?", "https://a.example/x", "--limit", "5", "--url", front_door.url)
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == [
        "Few do [1].",
        "",
        "[1] On [2Jphones — Jane, 2026-01-31",
        "    “Few read on.”",
        "    https://a.example/x#:~:text=Few",
    ]
    assert "2 found, 1 new, 1 failed" in ran.err
    assert "\x1b" not in ran.out + ran.err
    [asked] = front_door.bodies("POST", "/api/investigations")
    assert asked == {"question": "Why?", "targets": ["https://a.example/x"], "limit": 5, "scope": "targets"}


def test_an_investigation_goes_on_after_a_broken_connection(front_door: FrontDoor, extrophi: Command) -> None:
    front_door.answers["POST", "/api/investigations"] = [("investigation", {"id": "i"}), ("job", job("running"))]
    front_door.answers["GET", "/api/investigations/i/events"] = [("job", job("succeeded", found=1)), ("done", DONE)]
    ran = extrophi("investigate", "Why?", "https://a.example/x", "--json", "--url", front_door.url)
    assert ran.code == 0, ran.err
    assert ran.json()["answer"] == "Few do [1]."
    assert ran.json()["id"] == "i"
    assert ran.json()["jobs"][0]["status"] == "succeeded"


def test_ctrl_c_cancels_the_investigation_and_says_so(front_door: FrontDoor, home: Path) -> None:
    front_door.hang_after_events = threading.Event()
    front_door.answers["POST", "/api/investigations"] = [("investigation", {"id": "i"}), ("job", job("running"))]
    front_door.answers["POST", "/api/investigations/i/cancel"] = {}
    command = [sys.executable, "-m", "extrophi_cli", "investigate", "Why?", "https://a.example/x"]
    process = subprocess.Popen(
        [*command, "--url", front_door.url],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": PATHS, "EXTROPHI_HOME": str(home)},
    )
    assert process.stderr is not None
    assert "running" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "canceled" in err
    assert "Traceback" not in err
    assert front_door.bodies("POST", "/api/investigations/i/cancel")


def test_a_problem_is_one_line_with_its_hint(front_door: FrontDoor, extrophi: Command) -> None:
    problem = {"title": "Bad", "detail": "The query is empty.", "code": "invalid", "hint": "Write something."}
    front_door.answers["POST", "/api/search"] = (422, problem)
    ran = extrophi("search", " ", "--url", front_door.url)
    assert (ran.code, ran.out) == (4, "")
    assert ran.err == "extrophi: The query is empty. Write something.\n"


def test_an_extrophi_that_is_not_there_is_said_in_one_line(extrophi: Command) -> None:
    ran = extrophi("ask", "Why?", "--url", "http://127.0.0.1:9")
    assert ran.code == 3
    assert len(ran.err.splitlines()) == 1
    assert "http://127.0.0.1:9" in ran.err


def test_search_prints_plain_text_in_a_pipe(front_door: FrontDoor, extrophi: Command) -> None:
    hit = {"document_id": "d", "text": "Few read on.", "citation": CITATION}
    front_door.answers["POST", "/api/search"] = {"items": [hit], "degraded": "Searched by word only: why."}
    ran = extrophi("search", "phones", "--platform", "web", "--after", "2024-01-01", "--url", front_door.url)
    assert ran.code == 0, ran.err
    assert "1. On [2Jphones — Jane, 2026-01-31\n" in ran.out
    assert "by word only" in ran.err
    [asked] = front_door.bodies("POST", "/api/search")
    assert asked["filters"] == {"platforms": ["web"], "published_after": "2024-01-01T00:00:00Z"}


def test_import_stores_nothing_when_a_line_is_bad(front_door: FrontDoor, extrophi: Command) -> None:
    good = json.dumps({"platform": "files", "external_id": "1", "text": "a"})
    ran = extrophi("import", "-", "--url", front_door.url, stdin=f"{good}\n{{\n")
    assert ran.code == 4
    assert "line 2: is not JSON" in ran.err
    assert front_door.asked == []


def test_a_line_that_is_refused_is_named_by_its_number(front_door: FrontDoor, extrophi: Command) -> None:
    lines = "\n\n".join(json.dumps({"platform": "files", "external_id": str(n), "text": "a"}) for n in range(3))
    detail = "documents.1.blocks: [0, 9] is past the end of the text."
    problem = {"detail": detail, "field": "documents.1.blocks", "code": "invalid_input"}
    front_door.answers["POST", "/api/documents"] = (422, problem)
    ran = extrophi("import", "-", "--url", front_door.url, stdin=lines)
    assert ran.code == 4
    assert "line 3: blocks: [0, 9] is past the end of the text." in ran.err
    assert "0 of 3 documents are stored" in ran.err


def test_a_folder_is_uploaded_to_a_far_extrophi(front_door: FrontDoor, extrophi: Command, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text("# A\n")
    (tmp_path / "notes" / "b.bin").write_bytes(b"\0")
    front_door.answers["POST", "/api/uploads"] = {"items": [{"external_id": "notes/a.md", "status": "created"}]}
    ran = extrophi("collect", str(tmp_path / "notes"), "--url", front_door.url, "--key", "sesame")
    assert ran.code == 0, ran.err
    assert front_door.keys == ["Bearer sesame"]
    [body] = front_door.bodies("POST", "/api/uploads")
    assert b'filename="notes/a.md"' in body
    assert b"b.bin" not in body


def test_a_path_that_is_not_there_is_refused_before_anything_is_asked(front_door: FrontDoor, extrophi: Command) -> None:
    ran = extrophi("collect", "./no-such-folder", "--url", front_door.url)
    assert ran.code == 4
    assert "no-such-folder" in ran.err
    assert front_door.asked == []


def test_a_failed_document_makes_collecting_end_in_part(front_door: FrontDoor, extrophi: Command) -> None:
    failures = [{"target": "https://a.example/y", "code": "block_page", "detail": "A login page."}]
    front_door.answers["POST", "/api/jobs"] = (202, job("queued"))
    front_door.answers["GET", "/api/jobs/j/events"] = [
        ("job", {**job("partial", found=2, created=1, failed=1), "failures": failures})
    ]
    ran = extrophi("collect", "https://a.example/x", "--url", front_door.url)
    assert ran.code == 5
    assert "https://a.example/y: A login page." in ran.err


def test_status_starts_nothing(extrophi: Command, home: Path) -> None:
    ran = extrophi("status", "--json")
    assert ran.code == 3
    assert ran.json() == {"state": "stopped", "home": str(home)}
    assert list(home.iterdir()) == []


def test_a_wrong_setting_is_named(extrophi: Command) -> None:
    ran = extrophi("search", "a", EXTROPHI_PORT="http")
    assert ran.code == 2
    assert "EXTROPHI_PORT" in ran.err


def test_the_mcp_server_collects_only_when_allowed(front_door: FrontDoor, home: Path) -> None:
    requests = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]  # fmt: skip
    for options, tools in ([], {"search", "read_document", "ask"}), (["--allow-collect"], {"collect"}):
        with subprocess.Popen(
            [sys.executable, "-m", "extrophi_cli", "mcp", "--url", front_door.url, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": PATHS, "EXTROPHI_HOME": str(home)},
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("".join(json.dumps(request) + "\n" for request in requests))
            process.stdin.flush()
            answers = [json.loads(process.stdout.readline()) for _ in range(2)]
            process.stdin.close()
        names = {tool["name"] for tool in answers[1]["result"]["tools"]}
        assert names >= tools
        assert ("collect" in names) == bool(options)


def test_wrong_use_asks_nothing_and_says_what_fits(front_door: FrontDoor, extrophi: Command) -> None:
    for arguments, word in (
        (["search", "a", "--after", "soon"], "2026-01-31"),
        (["search", "a", "--platform", "fax"], "twitter"),
        (["search", "a", "--limit", "0"], "--limit"),
        (["collect", " "], "empty"),
        (["jobs", "--cancel"], "ID"),
        (["embeddings", "--activate"], "MODEL"),
    ):
        ran = extrophi(*arguments, "--url", front_door.url)
        assert (ran.code, ran.out) == (2, ""), arguments
        assert word in ran.err, arguments
    assert front_door.asked == []


def test_a_hint_for_writers_of_http_is_not_shown(front_door: FrontDoor, extrophi: Command) -> None:
    problem = {"detail": "There is no job x.", "code": "not_found", "hint": "GET /jobs lists them."}
    front_door.answers["GET", "/api/jobs/x"] = (404, problem)
    ran = extrophi("jobs", "x", "--url", front_door.url)
    assert ran.err == "extrophi: There is no job x. `extrophi jobs` lists them.\n"


def test_a_full_disk_is_said_in_one_line(front_door: FrontDoor, home: Path) -> None:
    front_door.answers["GET", "/api/documents"] = {"items": [], "next_cursor": None}
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "extrophi_cli", "export", "--url", front_door.url],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": PATHS, "EXTROPHI_HOME": str(home)},
        )
    assert ran.returncode == 1
    assert "No space left" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_shell_completes_commands_and_values(extrophi: Command) -> None:
    def complete(line: str) -> list[str]:
        words = line.split(" ")
        return extrophi(
            _EXTROPHI_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1)
        ).out.split()  # fmt: skip

    assert complete("extrophi exp") == ["export"]
    assert complete("extrophi search --platform t") == ["twitter"]
