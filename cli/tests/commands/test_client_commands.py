"""The commands against a server that speaks the orchestrator's wire format, over --url as a person would."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp.client.session import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client

from cli.tests.support import PATHS, Command, FrontDoor
from extrophi_cli.answering import AnswerPrinter
from extrophi_cli.client import Extrophi
from extrophi_cli.collecting import Patience
from extrophi_cli.commands.investigate import Run
from extrophi_cli.errors import Unreachable
from extrophi_cli.progress import JobBoard

CITATION = {
    "n": 1, "document_id": "d", "version": 1, "platform": "web", "external_id": "x", "title": "On \x1b[2Jphones",
    "author": "Jane", "published_at": "2026-01-31T12:00:00Z", "url": "https://a.example/x",
    "deep_link": "https://a.example/x#:~:text=Few", "quote": "Few read on.", "quote_start": 0, "quote_end": 12,
}  # fmt: skip
DONE = {"answer": "Few do [1].", "citations": [CITATION], "abstained": False, "model": "extractive"}


def eventually(look: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def job(status: str, **progress: int) -> dict[str, Any]:
    counts = {"found": 0, "created": 0, "updated": 0, "unchanged": 0, "failed": 0, **progress}
    return {"id": "j", "target": "https://a.example/x", "status": status, "progress": counts, "failures": []}


def test_an_investigation_shows_progress_answer_and_citations(front_door: FrontDoor, extrophi: Command) -> None:
    front_door.answers["POST", "/api/investigations"] = [
        ("investigation", {"id": "i"}),
        ("job", job("running")),
        ("job", job("succeeded", found=2, created=1, failed=1)),
        ("citations", [CITATION]),
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


def test_where_it_is_may_be_said_before_the_command_too(front_door: FrontDoor, extrophi: Command) -> None:
    front_door.answers["POST", "/api/search"] = {"items": [], "mode": "hybrid", "degraded": None, "relaxed": False}
    ran = extrophi("--url", front_door.url, "--key", "k", "search", "herons")
    assert ran.code == 0, ran.err
    ran = extrophi("--url", "http://127.0.0.1:9", "search", "herons", "--url", front_door.url)
    assert ran.code == 0, ran.err  # what stands after the command wins
    assert len(front_door.bodies("POST", "/api/search")) == 2
    assert front_door.keys[0] == "Bearer k"
    for command in (["down"], ["up"], ["doctor"]):
        ran = extrophi("--url", front_door.url, *command)
        assert (ran.code, "--url" in ran.err) == (2, True)  # not to be taken for one elsewhere


def test_an_extrophi_that_is_not_there_is_said_in_one_line(extrophi: Command) -> None:
    ran = extrophi("ask", "Why?", "--url", "http://127.0.0.1:9")
    assert ran.code == 3
    assert len(ran.err.splitlines()) == 1
    assert "http://127.0.0.1:9" in ran.err


def test_what_a_job_left_out_is_told_with_how_to_have_it(front_door: FrontDoor, extrophi: Command) -> None:
    left_out = {
        "count": 37,
        "examples": [
            {"target": "https://a.example/calendar/2031/4", "count": 36},
            {"target": "https://a.example/find?q=x", "count": 1},
        ],
    }
    front_door.answers["GET", "/api/jobs/j"] = {**job("succeeded", found=2, created=2), "left_out": left_out}
    ran = extrophi("jobs", "j", "--url", front_door.url)
    assert ran.code == 0, ran.err
    assert ran.out == "https://a.example/x: succeeded: 2 found, 2 new, 37 left out\n"
    assert (
        "left out: https://a.example/calendar/2031/4 and 35 like it\nleft out: https://a.example/find?q=x\n" in ran.err
    )
    assert "extrophi collect ADDRESS" in ran.err


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
    (tmp_path / "notes" / "node_modules").mkdir()
    (tmp_path / "notes" / "node_modules" / "c.md").write_text("# C\n")
    front_door.answers["POST", "/api/uploads"] = {"items": [{"external_id": "a", "status": "created"}]}
    for target in (tmp_path / "notes", (tmp_path / "notes").as_uri()):
        ran = extrophi("collect", str(target), "--url", front_door.url, "--key", "sesame")
        assert ran.code == 0, ran.err
    assert front_door.keys == ["Bearer sesame"] * 2
    for body in front_door.bodies("POST", "/api/uploads"):
        assert names(body) == [f"{socket.gethostname()}{tmp_path}/notes/a.md"]


def names(upload: bytes) -> list[str]:
    return [name.decode() for name in re.findall(rb'filename="([^"]*)"', upload)]


def test_files_of_one_name_are_uploaded_as_two(front_door: FrontDoor, extrophi: Command, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder / "notes").mkdir(parents=True)
        (tmp_path / folder / "notes" / "README.md").write_text(folder)
    front_door.answers["POST", "/api/uploads"] = {"items": [{"status": "created"}]}
    extrophi("collect", str(tmp_path / "one" / "notes"), str(tmp_path / "two" / "notes"), "--url", front_door.url)
    extrophi("collect", str(tmp_path / "one" / "notes" / "README.md"), "--url", front_door.url)
    both, again = map(names, front_door.bodies("POST", "/api/uploads"))
    assert len(set(both)) == 2
    assert again == [both[0]]


def test_a_file_that_cannot_be_read_ends_no_upload(front_door: FrontDoor, extrophi: Command, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "good.md").write_text("good")
    (folder / "outside.md").symlink_to("/etc/hosts.txt")
    (tmp_path / "elsewhere.md").write_text("not mine to send")
    (folder / "link.md").symlink_to(tmp_path / "elsewhere.md")
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.md")).write_text("an old name")
    os.mkfifo(tmp_path / "pipe.md")
    front_door.answers["POST", "/api/uploads"] = {"items": [{"status": "created"}, {"status": "created"}]}
    ran = extrophi("collect", str(folder), str(tmp_path / "pipe.md"), "--json", "--url", front_door.url)
    assert ran.code == 5, ran.err
    assert "Traceback" not in ran.err
    [body] = front_door.bodies("POST", "/api/uploads")
    assert [name.rpartition("/")[2] for name in names(body)] == ["caf%E9.md", "good.md"]
    failures = {failure["target"].rpartition("/")[2]: failure["code"] for failure in ran.json()["failures"]}
    assert failures == {"link.md": "outside_roots", "pipe.md": "not_a_file"}


def test_a_watched_folder_is_uploaded_once_and_then_what_changes(
    front_door: FrontDoor, tmp_path: Path, home: Path
) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "old.md").write_text("old")
    front_door.answers["POST", "/api/uploads"] = lambda body: (
        (500, {"detail": "Broken."}) if b"bad.md" in body else {"items": [{"status": "created"}]}
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "extrophi_cli", "add", str(folder), "--watch", "--url", front_door.url],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": PATHS, "EXTROPHI_HOME": str(home)},
    )
    assert process.stderr is not None

    def uploaded() -> list[list[str]]:
        return [[name.rpartition("/")[2] for name in names(body)] for body in front_door.bodies("POST", "/api/uploads")]

    eventually(lambda: uploaded() == [["old.md"]] * 2)  # once when it was added, once when watching had begun
    for name, text in (("new.md", "new"), ("bad.md", "bad"), ("picture.png", "no text"), ("last.md", "last")):
        (folder / name).write_text(text)
        eventually(lambda name=name: name == "picture.png" or uploaded()[-1] == [name])
    assert uploaded()[2:] == [["new.md"], ["bad.md"], ["last.md"]]
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 5
    assert process.returncode == 130
    assert "Broken." in err
    assert "Still watching." in err
    assert "Traceback" not in err


def test_files_alone_are_investigated_elsewhere_from_the_library(
    front_door: FrontDoor, extrophi: Command, tmp_path: Path
) -> None:
    (tmp_path / "a.md").write_text("# A\n")
    front_door.answers["POST", "/api/uploads"] = {"items": [{"status": "created"}]}
    front_door.answers["GET", "/api/stats"] = {"pending": 0}
    front_door.answers["POST", "/api/answer"] = [("citations", [CITATION]), ("done", DONE)]
    ran = extrophi("investigate", "Why?", str(tmp_path / "a.md"), "--json", "--url", front_door.url)
    assert ran.code == 0, ran.err
    assert ran.json()["answer"] == "Few do [1]."
    assert "answering from all of it" in ran.err
    assert front_door.bodies("POST", "/api/answer") == [{"question": "Why?"}]


def test_files_beside_addresses_widen_an_investigation_and_say_so(
    front_door: FrontDoor, extrophi: Command, tmp_path: Path
) -> None:
    (tmp_path / "a.md").write_text("# A\n")
    front_door.answers["POST", "/api/uploads"] = {"items": [{"status": "created"}]}
    front_door.answers["POST", "/api/investigations"] = [("investigation", {"id": "i"}), ("done", DONE)]
    targets = [str(tmp_path / "a.md"), "https://a.example/x"]
    ran = extrophi("investigate", "Why?", *targets, "--url", front_door.url)
    assert ran.code == 0, ran.err
    assert "answering from all of it" in ran.err
    [asked] = front_door.bodies("POST", "/api/investigations")
    assert (asked["targets"], asked["scope"]) == (["https://a.example/x"], "library")


def test_failed_targets_of_an_investigation_are_each_told_and_end_it_in_part(
    front_door: FrontDoor, extrophi: Command
) -> None:
    refused = [
        ("job", {"target": target, "status": "failed", "error": {"detail": f"{target} is no address."}})
        for target in ("one", "two")
    ]
    for jobs, code in (([*refused, ("job", job("succeeded"))], 5), (refused, 1)):
        front_door.answers["POST", "/api/investigations"] = [("investigation", {"id": "i"}), *jobs, ("done", DONE)]
        ran = extrophi("investigate", "Why?", "one", "two", "three", "--url", front_door.url)
        assert ran.code == code
        assert "one is no address." in ran.err
        assert "two is no address." in ran.err


def test_an_answer_that_begins_anew_is_counted_once(front_door: FrontDoor, extrophi: Command) -> None:
    front_door.answers["POST", "/api/investigations"] = [
        ("investigation", {"id": "i"}),
        ("delta", {"text": "Few peo"}),
        ("investigation", {"restarted": True}),
        ("delta", {"text": "Few do [1]."}),
        ("done", DONE),
    ]
    ran = extrophi("investigate", "Why?", "https://a.example/x", "--url", front_door.url)
    assert ran.out.splitlines()[:3] == ["Few peo", "Few do [1].", ""]
    assert "begins anew" in ran.err


def test_a_lost_investigation_is_named_and_can_be_resumed(front_door: FrontDoor, extrophi: Command) -> None:
    front_door.answers["POST", "/api/investigations"] = [("investigation", {"id": "i-1"})]
    waits: list[float] = []
    with Extrophi(front_door.url) as client:
        run = Run(client, JobBoard(quiet=True), AnswerPrinter(quiet=True))
        front_door.answers["GET", "/api/investigations/i-1/events"] = (503, {"detail": "Away."})
        with pytest.raises(Unreachable) as lost:
            run.follow({"question": "Why?"}, Patience(sleep=waits.append))
    assert "--resume i-1" in str(lost.value.hint)
    assert waits == sorted(waits)
    assert 20 < sum(waits) < 40
    front_door.answers["GET", "/api/investigations/i-1/events"] = [("job", job("succeeded")), ("done", DONE)]
    ran = extrophi("investigate", "--resume", "i-1", "--json", "--url", front_door.url)
    assert (ran.code, ran.json()["answer"]) == (0, "Few do [1].")


@pytest.mark.parametrize(("command", "path"), [("collect", "/api/jobs"), ("add", "/api/sources")])
@pytest.mark.parametrize(("status", "code"), [(422, "invalid_target"), (503, "platform_unavailable")])
def test_a_refused_target_stands_in_no_others_way(
    front_door: FrontDoor, extrophi: Command, command: str, path: str, status: int, code: str
) -> None:
    problem = {"detail": "Nobody knows that.", "code": code, "hint": "Mend it."}
    made = {"id": "j", "target": "https://a.example/x", "status": "succeeded"}
    front_door.answers["POST", path] = lambda body: (status, problem) if body["target"] == "nonsense" else made
    front_door.answers["POST", "/api/sources/j/jobs"] = made
    for kept in ("jobs", "sources"):
        front_door.answers["GET", f"/api/{kept}/j"] = made
    ran = extrophi(command, "nonsense", "https://a.example/x", "--json", "--url", front_door.url)
    assert ran.code == 5
    assert [item["id"] for item in ran.json()["items"]] == ["j"]
    assert ran.json()["failures"] == [{"target": "nonsense", **problem}]
    assert "nonsense: Nobody knows that. Mend it." in ran.err
    ran = extrophi(command, "nonsense", "--url", front_door.url)
    assert ran.code != 0
    assert ran.err == "extrophi: Nobody knows that. Mend it.\n"


def test_status_tells_which_part_is_down(front_door: FrontDoor, extrophi: Command) -> None:
    front_door.answers["GET", "/health"] = {"components": {"backend": {"status": "unreachable"}}}
    front_door.answers["GET", "/api/stats"] = (502, {"detail": "backend cannot be reached."})
    ran = extrophi("status", "--url", front_door.url)
    assert ran.code == 0
    assert "backend\tunreachable" in ran.out
    assert "backend cannot be reached." in ran.err
    assert extrophi("status", "--json", "--url", front_door.url).json()["stats"] is None


def test_what_cannot_be_is_said_in_words(front_door: FrontDoor, extrophi: Command, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for arguments, variables, code, word in (
        (["search", "caf\udce9"], {}, 2, "not UTF-8"),
        (["search", "a", "--key", "caf\xe9"], {}, 2, "--key"),
        (["collect", "~nosuch/x"], {}, 4, "no such user"),
        (["collect", "missing.md"], {}, 4, "There is no file missing.md"),
        (["status"], {"EXTROPHI_HOME": "~nosuch/x"}, 2, "EXTROPHI_HOME"),
        (["import", str(tmp_path)], {}, 4, f"{tmp_path} holds no posts"),
        (["import", str(tmp_path / "missing")], {}, 4, f"Cannot read {tmp_path}"),
    ):
        ran = extrophi(*arguments, "--url", front_door.url, **variables)
        assert (ran.code, ran.out) == (code, ""), (arguments, ran)
        assert word in ran.err, (arguments, ran)
        assert len(ran.err.splitlines()) == 1, (arguments, ran)
    assert extrophi("search", "a", EXTROPHI_HOME=str(file)).err.startswith(f"extrophi: Cannot write to {file}")
    assert extrophi("status", EXTROPHI_HOME=str(file / "below")).code == 3


def test_an_error_while_importing_is_not_blamed_on_the_file(
    front_door: FrontDoor, extrophi: Command, tmp_path: Path
) -> None:
    lines = tmp_path / "lines.jsonl"
    lines.write_text(json.dumps({"platform": "files", "external_id": "1", "text": "a"}))
    home = tmp_path / "home"
    (home / "logs" / "up.log").mkdir(parents=True)  # cannot be written to
    ran = extrophi("import", str(lines), EXTROPHI_HOME=str(home))
    assert "Cannot read" not in ran.err
    assert f"{home / 'logs' / 'up.log'}: Is a directory." in ran.err


def test_doctor_finds_what_is_wrong(extrophi: Command, tmp_path: Path, front_door: FrontDoor) -> None:
    secret = tmp_path / "redis-url"
    secret.write_text("redis://127.0.0.1:9")
    settings = {
        "DATABASE_URL": "postgresql://localhost:eighty/x",
        "REDIS_URL_FILE": str(secret),
        "EXTROPHI_PORT": str(front_door.port),
        "CHAT_MODEL": "m",
    }
    ran = extrophi("doctor", "--json", **settings)
    assert ran.code == 1
    findings = {finding["what"]: finding for finding in ran.json()["items"]}
    assert findings["DATABASE_URL"]["state"] == "bad"
    assert findings["REDIS_URL"]["detail"] == "no answer from 127.0.0.1"
    assert findings["port"]["detail"] == f"{front_door.port} is taken"
    assert findings["CHAT_MODEL"]["state"] == "ok"
    assert all(finding["mend"] for finding in findings.values() if finding["state"] == "bad")


def test_json_is_utf_8_in_any_locale(front_door: FrontDoor, extrophi: Command) -> None:
    front_door.answers["POST", "/api/search"] = {"items": [], "degraded": "“…” 🐦", "relaxed": True}
    ran = extrophi("search", "a", "--json", "--url", front_door.url, PYTHONIOENCODING="latin-1")
    assert ran.json()["degraded"] == "“…” 🐦"
    assert "the rest holds some of them" in extrophi("search", '"a b"', "--url", front_door.url).err


def test_sources_travel_with_an_export(front_door: FrontDoor, extrophi: Command, tmp_path: Path) -> None:
    file = tmp_path / "library.jsonl"
    kept = {"target": "https://a.example/feed", "collection": "people", "limit": 7, "title": "A feed"}
    source = {"id": "s", "platform": "web", **kept, "state": "paused", "documents": 1}
    front_door.answers["GET", "/api/sources"] = {"items": [source], "next_cursor": None}
    for nothing in ("documents", "drafts", "answers", "highlights"):
        front_door.answers["GET", f"/api/{nothing}"] = {"items": [], "next_cursor": None}
    assert extrophi("export", str(file), "--url", front_door.url).code == 0
    front_door.answers["POST", "/api/sources"] = lambda body: (
        (422, {"detail": "Unknown."}) if body["target"] == "nonsense" else {"id": "t"}
    )
    front_door.answers["PATCH", "/api/sources/t"] = {}
    ran = extrophi("import", str(file), "--url", front_door.url)
    assert ran.code == 0, ran.err
    assert "1 of 1 sources kept" in ran.out
    assert front_door.bodies("POST", "/api/sources") == [kept | {"collect": False, "scope": "page"}]
    assert front_door.bodies("PATCH", "/api/sources/t") == [{"state": "paused"}]
    file.write_text(file.read_text().replace("https://a.example/feed", "nonsense"))
    ran = extrophi("import", str(file), "--url", front_door.url)
    assert ran.code == 5
    assert "not kept as a source: nonsense: Unknown." in ran.err


async def test_a_model_that_may_collect_sends_files_as_a_person_does(
    front_door: FrontDoor, tmp_path: Path, home: Path
) -> None:
    (tmp_path / "a.md").write_text("# A")
    front_door.answers["POST", "/api/uploads"] = {"items": [{"status": "created"}], "failures": []}
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "extrophi_cli", "mcp", "--allow-collect", "--url", front_door.url],
        env={**os.environ, "PYTHONPATH": PATHS, "EXTROPHI_HOME": str(home)},
    )
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        assert (await session.call_tool("collect", {"target": ""})).is_error
        sent = await session.call_tool("collect", {"target": str(tmp_path / "a.md")})
    assert sent.structured_content == {"items": [{"status": "created"}], "failures": []}
    assert [path for _, path, _ in front_door.asked] == ["/api/uploads"]


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
        (["investigate", "Why?"], "TARGET"),
        (["investigate"], "QUESTION"),
        (["investigate", "Why?", "--resume", "i"], "--resume"),
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


def test_a_move_of_vectors_is_watched_to_its_end(front_door: FrontDoor, extrophi: Command) -> None:
    here = {"store": "pgvector", "moving_to": "chroma", "paused": False, "done": 1, "total": 2}
    there = {"store": "chroma", "moving_to": None, "paused": False, "done": 2, "total": 2}
    looks = iter([here, there])
    front_door.answers["POST", "/api/vectors/migrate"] = here
    front_door.answers["GET", "/api/vectors"] = lambda _: next(looks)
    ran = extrophi("vectors", "migrate", "--to", "chroma", "--url", front_door.url)
    assert (ran.code, ran.out) == (0, "Vectors are searched in chroma: 2 of them.\n")
    assert front_door.bodies("POST", "/api/vectors/migrate") == [{"to": "chroma"}]
    assert list(looks) == []


def test_a_move_of_vectors_that_rests_is_told(front_door: FrontDoor, extrophi: Command) -> None:
    rests = {"store": "pgvector", "moving_to": "chroma", "paused": True, "done": 1, "total": 2}
    front_door.answers["POST", "/api/vectors/stop"] = rests
    ran = extrophi("vectors", "stop", "--url", front_door.url)
    assert ran.out == "Vectors are searched in pgvector: 2 of them. The move rests: 1 are in chroma.\n"
    wrong = extrophi("vectors", "migrate", "--url", front_door.url)
    assert (wrong.code, "--to" in wrong.err) == (2, True)


DIFF = {
    "from_version": 1, "to_version": 2, "is_cut": False,
    "fields": [{"field": "title", "before": "", "after": "Herons\x1b[2J"}],
    "hunks": [{"from_line": 3, "from_lines": 2, "to_line": 3, "to_lines": 2, "ops": [
        {"op": "equal", "text": "The "}, {"op": "insert", "text": "grey "}, {"op": "equal", "text": "heron stands.\n"},
        {"op": "delete", "text": "It waits\x07.\n"}, {"op": "insert", "text": "It eats.\n"},
    ]}],
}  # fmt: skip


def test_a_diff_in_a_pipe_marks_what_went_and_what_came(front_door: FrontDoor, extrophi: Command) -> None:
    front_door.answers["GET", "/api/documents/d/diff"] = DIFF
    ran = extrophi("diff", "d", "--from", "1", "--url", front_door.url)
    assert ran.out.splitlines() == [
        "version 1 → version 2",
        "title: (none) → Herons[2J",
        "@@ -3,2 +3,2 @@",
        "The {+grey +}heron stands.",
        "[-It waits.-]",
        "{+It eats.+}",
    ]
    assert extrophi("diff", "d", "--json", "--url", front_door.url).json() == DIFF


def test_a_diff_of_one_version_says_so(front_door: FrontDoor, extrophi: Command) -> None:
    front_door.answers["GET", "/api/documents/d/diff"] = DIFF | {"to_version": 1, "fields": [], "hunks": []}
    assert "no other version" in extrophi("diff", "d", "--url", front_door.url).out
    refused = extrophi("diff", "../jobs?x=", "--url", front_door.url)
    assert refused.code == 4
    assert front_door.asked[-1][1] == "/api/documents/..%2Fjobs%3Fx%3D/diff"


def test_versions_are_listed_with_what_changed(front_door: FrontDoor, extrophi: Command) -> None:
    one = {"version": 1, "title": "Herons", "collected_at": "2026-01-01T00:00:00Z", "characters": 10, "bytes": 11}
    front_door.answers["GET", "/api/documents/d/versions"] = {
        "items": [one | {"version": 2, "lines_added": 1, "lines_removed": 0}, one], "next_cursor": None,
    }  # fmt: skip
    lines = extrophi("versions", "d", "--url", front_door.url).out.splitlines()
    assert lines[1:] == ["2\t2026-01-01T00:00:00Z\t10\t1\t0\tHerons", "1\t2026-01-01T00:00:00Z\t10\t\t\tHerons"]


def test_a_search_may_ask_for_a_day_in_the_past(front_door: FrontDoor, extrophi: Command) -> None:
    front_door.answers["POST", "/api/search"] = {"items": []}
    assert extrophi("search", "bread", "--as-of", "2026-05-01", "--url", front_door.url).code == 0
    assert front_door.bodies("POST", "/api/search")[0]["as_of"] == "2026-05-01T00:00:00Z"
    extrophi("search", "bread", "--url", front_door.url)
    assert "as_of" not in front_door.bodies("POST", "/api/search")[1]


def test_a_question_may_ask_for_a_day_in_the_past(front_door: FrontDoor, extrophi: Command) -> None:
    front_door.answers["POST", "/api/answer"] = [("done", {"answer": "Bread.", "citations": []})]
    assert extrophi("ask", "What?", "--as-of", "2026-05-01T12:00:00+02:00", "--url", front_door.url).code == 0
    assert front_door.bodies("POST", "/api/answer")[0]["as_of"] == "2026-05-01T12:00:00+02:00"
    extrophi("ask", "What?", "--url", front_door.url)
    assert "as_of" not in front_door.bodies("POST", "/api/answer")[1]
    assert extrophi("ask", "What?", "--as-of", "then", "--url", front_door.url).code == 2


async def test_a_model_may_search_and_ask_as_of_a_day(front_door: FrontDoor, home: Path) -> None:
    front_door.answers["POST", "/api/search"] = {"items": []}
    front_door.answers["POST", "/api/answer"] = {"answer": "Bread.", "citations": []}
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "extrophi_cli", "mcp", "--url", front_door.url],
        env={**os.environ, "PYTHONPATH": PATHS, "EXTROPHI_HOME": str(home)},
    )
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        assert not (await session.call_tool("search", {"query": "bread", "as_of": "2026-05-01"})).is_error
        assert not (await session.call_tool("ask", {"question": "What?", "as_of": "2026-05-01T12:00:00Z"})).is_error
        assert (await session.call_tool("ask", {"question": "What?", "as_of": "then"})).is_error
        await session.call_tool("ask", {"question": "What?"})
    assert front_door.bodies("POST", "/api/search")[0]["as_of"] == "2026-05-01T00:00:00Z"
    given, none = front_door.bodies("POST", "/api/answer")
    assert (given["as_of"], "as_of" in none) == ("2026-05-01T12:00:00Z", False)
