"""A target that may mean several things: asked about on a terminal, else told with what to type."""

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.tests.support import PATHS, Command, FrontDoor

CHOICES = [
    {"target": "/home/ida/notes.md", "platform": "files", "title": "The file /home/ida/notes.md"},
    {"target": "https://notes.md", "platform": "web", "title": "The site \x1b[2Jnotes.md"},
]
JOB = {
    "id": "j", "target": "https://notes.md/", "status": "succeeded", "failures": [],
    "progress": {"found": 1, "created": 1, "updated": 0, "unchanged": 0, "failed": 0},
}  # fmt: skip


def problem(field: str) -> tuple[int, dict[str, Any]]:
    detail = "“notes.md” may mean several things."
    return 422, {"code": "ambiguous_target", "detail": detail, "field": field, "status": 422, "choices": CHOICES}


def ready(door: FrontDoor) -> None:
    """It answers once it is told which."""
    door.answers |= {
        ("POST", "/api/jobs"): lambda body: JOB if body["target"] == "https://notes.md" else problem("target"),
        ("POST", "/api/sources"): lambda body: (
            {"id": "s", "platform": "web", "target": "https://notes.md/"}
            if body["target"] == "https://notes.md"
            else problem("target")
        ),
        ("GET", "/api/jobs/j"): JOB,
        ("GET", "/api/jobs/j/events"): [("job", JOB)],
        ("POST", "/api/sources/s/jobs"): JOB,
        ("POST", "/api/investigations"): lambda body: (
            [("investigation", {"id": "i"}), ("done", {"answer": "So.", "citations": [], "abstained": False})]
            if body["targets"] == ["https://a.example/", "https://notes.md"]
            else problem("targets.1")
        ),
    }


@pytest.mark.parametrize(
    "words",
    [
        ["collect", "notes.example", "--limit", "5"],
        ["add", "notes.example", "--later"],
        ["investigate", "Why so?", "https://a.example/", "notes.example"],
    ],
)
def test_without_a_terminal_the_commands_to_type_are_told(
    front_door: FrontDoor, extrophi: Command, words: list[str]
) -> None:
    ready(front_door)
    ran = extrophi(*words, "--url", front_door.url)
    assert ran.code == 2
    assert ran.out == ""
    assert "\x1b" not in ran.err
    assert "  1. The file /home/ida/notes.md" in ran.err
    quoted = " ".join(f"'{word}'" if " " in word or "?" in word else word for word in words)
    assert f"  extrophi {quoted} --url {front_door.url}".replace("notes.example", "https://notes.md") in ran.err


@pytest.mark.parametrize(
    "words",
    [
        ["collect", "notes.example"],
        ["add", "notes.example"],
        ["investigate", "Why?", "https://a.example/", "notes.example"],
    ],
)
def test_on_a_terminal_a_person_is_asked(front_door: FrontDoor, home: Path, words: list[str]) -> None:
    ready(front_door)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "extrophi_cli", *words, "--url", front_door.url]
    environment = os.environ | {"PYTHONPATH": PATHS, "EXTROPHI_HOME": str(home), "NO_COLOR": "1"}
    process = subprocess.Popen(command, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, env=environment)
    os.close(theirs)
    os.write(ours, b"7\n2\n")  # there is no seventh
    process.communicate(timeout=60)
    shown = os.read(ours, 65_536).decode()
    os.close(ours)
    assert process.returncode == 0, shown
    assert "Give a number from 1 to 2." in shown
    path = {"collect": "/api/jobs", "add": "/api/sources", "investigate": "/api/investigations"}[words[0]]
    assert "https://notes.md" in str(front_door.bodies("POST", path)[-1])


def test_how_far_to_go_is_told_as_it_was_said(front_door: FrontDoor, extrophi: Command) -> None:
    ready(front_door)
    for words, body in (
        (["collect", "https://notes.md"], {}),
        (["collect", "https://notes.md", "--scope", "site", "--limit", "9"], {"scope": "site", "limit": 9}),
        (["collect", "https://notes.md", "--depth", "0"], {"scope": "site", "depth": 0}),
        (["add", "https://notes.md", "--later", "--scope", "page"], {"scope": "page", "collect": True}),
    ):
        ran = extrophi(*words, "--url", front_door.url)
        assert ran.code == 0, ran.err
        path = "/api/jobs" if words[0] == "collect" else "/api/sources"
        asked = front_door.bodies("POST", path)[-1]
        assert asked == {"target": "https://notes.md", "collection": "default"} | body
    assert extrophi("add", "https://notes.md", "--depth", "21").code == 2
