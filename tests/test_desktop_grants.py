"""What the desktop program's page may do on the machine: what it uses, command by command, and nothing else."""

import json
import re
from typing import Any

from tests.system.running import REPO

DESKTOP = REPO / "writer" / "src-tauri"
SHELL = REPO / "writer" / "src" / "lib" / "shell"


def read(path: str) -> str:
    return (DESKTOP / path).read_text(encoding="utf-8")


def capability() -> dict[str, Any]:
    files = sorted(one.name for one in (DESKTOP / "capabilities").iterdir())
    assert files == ["main.json"]
    return json.loads(read("capabilities/main.json"))


def called() -> set[str]:
    """The commands that the page calls."""
    return set(
        re.findall(r"(?:call|send)<[^(]*>\(\s*\"([a-z_]+)\"", (SHELL / "commands.ts").read_text(encoding="utf-8"))
    )


def test_what_is_granted_is_what_is_used() -> None:
    granted = capability()["permissions"]
    assert all(isinstance(one, str) for one in granted)  # no scopes: nothing is granted by pattern
    assert sorted(granted) == sorted(f"allow-{one.replace('_', '-')}" for one in called())


def test_every_command_has_to_be_granted_and_is_used() -> None:
    declared = set(re.findall(r'^\s+"([a-z_]+)",$', read("build.rs"), re.MULTILINE))
    handled = re.search(r"generate_handler!\[(.*?)\]", read("src/commands.rs"), re.DOTALL)
    assert handled
    assert declared == called() == set(re.findall(r"[a-z_]+", handled[1]))
    commands = re.findall(r"#\[tauri::command\]\s+(?:async )?fn ([a-z_]+)", read("src/commands.rs"))
    assert set(commands) == declared


def test_no_page_from_elsewhere_may_call() -> None:
    granting = capability()
    assert "remote" not in granting
    assert granting["local"] is True
    assert granting["windows"] == ["main"]
    assert "webviews" not in granting
    config = json.loads(read("tauri.conf.json"))
    security = config["app"]["security"]
    assert security["capabilities"] == ["main"]
    assert "withGlobalTauri" not in config["app"]
    assert not any("dangerous" in name for name in json.dumps(security).split('"'))


def test_the_content_policy_allows_what_is_needed_and_no_more() -> None:
    policy = json.loads(read("tauri.conf.json"))["app"]["security"]["csp"]
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "ipc: http://ipc.localhost"
    assert "unsafe" not in json.dumps(policy)
    assert "http:" not in {word for sources in policy.values() for word in sources.split()}


def test_the_page_calls_by_one_module() -> None:
    """Another would be overseen by the tests above."""
    using = [
        one.relative_to(SHELL).as_posix()
        for one in (REPO / "writer" / "src").rglob("*")
        if one.suffix in {".ts", ".svelte"} and re.search(r"\binvoke\b", one.read_text(encoding="utf-8"))
    ]
    assert using == ["commands.ts"]
