"""`extrophi accounts` against a server that speaks the orchestrator's wire format."""

import base64
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cli.tests.support import PATHS, Command, FrontDoor
from extrophi_backend.sealing import read_keys
from extrophi_cli.embedded.home import Home, key_id

HOW = "Sign in, export, give the file."
SECRET = "a-secret-of-some-length"


def credential(name: str, setting: str, state: str = "not_set", **more: Any) -> dict[str, Any]:
    source = None if state == "not_set" else "stored"
    return {"name": name, "setting": setting, "state": state, "source": source, "host": None, **more}


def account(platform: str, title: str, state: str, *credentials: dict[str, Any], **more: Any) -> dict[str, Any]:
    base = {"platform": platform, "title": title, "state": state, "expires_at": None, "tested_at": None, "hint": ""}
    return {**base, "credentials": list(credentials), "how": f"{title}: {HOW}", **more}


@pytest.fixture
def accounts(front_door: FrontDoor) -> list[dict[str, Any]]:
    found = [
        account(
            "twitter",
            "X",
            "expiring",
            credential("bearer_token", "X_BEARER_TOKEN"),
            credential("auth_token", "X_AUTH_TOKEN", "expiring"),
            credential("ct0", "X_CT0", "set", source="environment"),
            expires_at="2026-06-04T12:00:00Z",
            hint="Set auth_token anew: it expires within a week.",
        ),
        account("reddit", "Reddit", "missing", credential("client_id", "REDDIT_CLIENT_ID"), hint="Set one."),
        account("web", "Web", "ok", credential("cookies", "WEB_COOKIES", "ok", host="a.example")),
        account("files", "Files", "none_needed"),
    ]
    front_door.answers["GET", "/api/accounts"] = {"items": found, "key": "00000000"}
    return found


@pytest.mark.usefixtures("accounts")
def test_what_each_platform_has_is_a_table_and_what_lacks_a_paragraph(front_door: FrontDoor, extrophi: Command) -> None:
    ran = extrophi("accounts", "--url", front_door.url)
    assert ran.code == 0, ran.err
    head, twitter, reddit, web, files, _, x_how, _, reddit_how = ran.out.splitlines()
    assert head.split("\t") == ["platform", "has", "state", "expires", "next step"]
    hint = "Set auth_token anew: it expires within a week."
    assert twitter.split("\t") == [
        "twitter",
        "auth_token, ct0 (from the environment)",
        "expiring",
        "2026-06-04",
        hint,
    ]
    assert reddit.split("\t") == ["reddit", "", "missing", "", "Set one."]
    assert web.split("\t") == ["web", "cookies of a.example", "ok", "", ""]
    assert files.split("\t") == ["files", "", "none needed", "", ""]
    assert (x_how, reddit_how) == (f"X: X: {HOW}", f"Reddit: Reddit: {HOW}")


def test_json_is_what_the_api_says(front_door: FrontDoor, extrophi: Command, accounts: list[dict[str, Any]]) -> None:
    assert extrophi("accounts", "--json", "--url", front_door.url).json()["items"] == accounts


@pytest.mark.parametrize("name", ["bearer_token", "X_BEARER_TOKEN", "x_bearer_token"])
def test_a_value_is_read_from_a_pipe(
    front_door: FrontDoor, extrophi: Command, accounts: list[dict[str, Any]], name: str
) -> None:
    front_door.answers["PUT", "/api/accounts/twitter"] = accounts[0]
    ran = extrophi("accounts", "set", "twitter", name, "--url", front_door.url, stdin=f"{SECRET}\n")
    assert ran.code == 0, ran.err
    assert front_door.bodies("PUT", "/api/accounts/twitter") == [{"values": {"bearer_token": f"{SECRET}\n"}}]
    assert SECRET not in ran.out + ran.err
    assert "Stored. X: expiring." in ran.out


def test_cookies_are_read_from_their_file(
    front_door: FrontDoor, extrophi: Command, accounts: list[dict[str, Any]], tmp_path: Path
) -> None:
    front_door.answers["PUT", "/api/accounts/web"] = accounts[2]
    (tmp_path / "cookies.txt").write_text("\ufeffa.example\tFALSE\t/\tFALSE\t0\tn\tv\n")
    asked = ["accounts", "set", "web", "cookies", "--url", front_door.url]
    ran = extrophi(*asked, "--file", str(tmp_path / "cookies.txt"))
    assert ran.code == 0, ran.err
    [body] = front_door.bodies("PUT", "/api/accounts/web")
    assert body == {"values": {"cookies": "a.example\tFALSE\t/\tFALSE\t0\tn\tv\n"}}
    missing = extrophi(*asked, "--file", str(tmp_path / "none.txt"))
    assert (missing.code, "none.txt" in missing.err) == (1, True)
    (tmp_path / "cookies.db").write_bytes(b"SQLite\xff\0")
    assert extrophi(*asked, "--file", str(tmp_path / "cookies.db")).code == 1


def test_a_value_is_asked_for_on_a_terminal_and_not_shown(
    front_door: FrontDoor, accounts: list[dict[str, Any]], home: Path
) -> None:
    front_door.answers["PUT", "/api/accounts/twitter"] = accounts[0]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "extrophi_cli", "accounts", "set", "twitter", "bearer_token", "--url", front_door.url],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": PATHS, "EXTROPHI_HOME": str(home)},
        start_new_session=True,
    )
    os.close(theirs)
    seen, given, deadline = "", False, time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                seen += os.read(ours, 4096).decode(errors="replace")
            except OSError:
                break
        if "not shown" in seen and not given:
            os.write(ours, f"{SECRET}\n".encode())
            given = True
    os.close(ours)
    assert process.wait(timeout=30) == 0, seen
    assert front_door.bodies("PUT", "/api/accounts/twitter") == [{"values": {"bearer_token": SECRET}}]
    assert SECRET not in seen


def test_a_refusal_is_said_with_the_next_step(front_door: FrontDoor, extrophi: Command) -> None:
    front_door.answers["GET", "/api/accounts"] = {"items": [], "key": None}
    problem = {"detail": "Secrets need a key.", "code": "no_secret_key", "hint": "Make one."}
    front_door.answers["PUT", "/api/accounts/twitter"] = (409, problem)
    ran = extrophi("accounts", "set", "twitter", "bearer_token", "--url", front_door.url, stdin=SECRET)
    assert (ran.code, ran.err) == (4, "extrophi: Secrets need a key. Make one.\n")


@pytest.mark.usefixtures("accounts")
def test_what_is_removed_is_named(front_door: FrontDoor, extrophi: Command) -> None:
    front_door.answers["DELETE", "/api/accounts/web"] = {}
    ran = extrophi("accounts", "remove", "web", "WEB_COOKIES", "--host", "a.example", "--url", front_door.url)
    assert (ran.code, ran.out) == (0, "Removed.\n"), ran.err
    assert ("DELETE", "/api/accounts/web") in [asked[:2] for asked in front_door.asked]


@pytest.mark.parametrize(
    ("states", "code"),
    [(["ok"], 0), (["unknown"], 0), (["refused"], 1), (["refused", "refused"], 1), (["ok", "refused"], 5)],
)
def test_tests_tell_by_the_exit_code_too(
    front_door: FrontDoor, extrophi: Command, accounts: list[dict[str, Any]], states: list[str], code: int
) -> None:
    tests = [{"names": ["ct0"], "state": state, "detail": "As said."} for state in states]
    front_door.answers["POST", "/api/accounts/twitter/test"] = {"account": accounts[0], "tests": tests}
    front_door.answers["POST", "/api/accounts/web/test"] = {"account": accounts[2], "tests": []}
    for more in (["twitter"], []):  # those that have anything
        ran = extrophi("accounts", "test", *more, "--url", front_door.url)
        assert ran.code == code, ran.err
        assert ran.out.splitlines() == [f"X ct0: {state}. As said." for state in states]
    assert extrophi("accounts", "test", "--json", "--url", front_door.url).json()["items"][0]["tests"] == tests
    asked = [path for method, path, _ in front_door.asked if method == "POST"]
    assert "/api/accounts/reddit/test" not in asked


@pytest.mark.parametrize(
    "arguments",
    [
        ["set"], ["set", "twitter"], ["set", "nowhere", "x"], ["remove"], ["rotate", "web"], ["forget"],
        ["test", "web", "--file", "x"], ["set", "web", "cookies", "--host", "x"],
    ],
)  # fmt: skip
def test_wrong_use_is_told_before_anything_is_asked(
    front_door: FrontDoor, extrophi: Command, arguments: list[str]
) -> None:
    assert extrophi("accounts", *arguments, "--url", front_door.url).code == 2
    assert not front_door.asked


def test_elsewhere_the_server_rotates_by_its_own_keys(front_door: FrontDoor, extrophi: Command, home: Path) -> None:
    done = {"resealed": 3, "kept": 1, "unreadable": 2, "key": "00000000"}
    front_door.answers["POST", "/api/accounts/rotate"] = done
    ran = extrophi("accounts", "rotate", "--url", front_door.url)
    assert ran.code == 0, ran.err
    assert "3 secrets are sealed anew, 1 were already." in ran.out
    assert "2 are opened by no key" in ran.out
    assert not (home / "secret-key").exists()
    assert extrophi("accounts", "rotate", "--json", "--url", front_door.url).json() == done


@pytest.mark.usefixtures("accounts")
def test_status_tells_what_needs_looking_after(front_door: FrontDoor, extrophi: Command) -> None:
    front_door.answers["GET", "/health"] = {"components": {}}
    front_door.answers["GET", "/api/stats"] = {}
    ran = extrophi("status", "--url", front_door.url)
    assert ran.out.splitlines()[-1] == (
        "Credentials of X: expiring, 2026-06-04. Set auth_token anew: it expires within a week."
    )
    told = extrophi("status", "--json", "--url", front_door.url).json()["accounts"]
    assert [one["platform"] for one in told] == ["twitter"]


def test_a_key_of_the_home_is_known_by_the_name_that_backend_gives_it(home: Path) -> None:
    (key,) = Home(home).secret_keys()
    assert key_id(key) == read_keys(key)[0].id
    in_hex = base64.urlsafe_b64decode(f"{key}=").hex()
    assert key_id(in_hex) == read_keys(in_hex)[0].id
    assert (home / "secret-key").stat().st_mode & 0o777 == 0o600
    assert Home(home).secret_keys() == [key]
    assert key_id("no key") == ""
