"""Which Extrophi the program speaks to: one that runs, one that it starts, one elsewhere with its key."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import psutil
import pytest

from tests.desk import axe
from tests.desktop.driver import Person, Window
from tests.desktop.surroundings import install_extrophi
from tests.desktop.test_writing import begin
from tests.system.running import Running, eventually, free_port

KEY = "a-key-of-the-tests"


@pytest.fixture(scope="module")
def locked(extrophi: Running) -> Iterator[str]:
    """A front door that is open to other machines, and so wants a key; its address."""
    inner = extrophi.children("extrophi_orchestrator")[0]
    port = free_port()
    environment = inner.environ() | {
        "EXTROPHI_HOST": "0.0.0.0",
        "EXTROPHI_PORT": str(port),
        "EXTROPHI_API_KEYS": KEY,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "extrophi_orchestrator"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    eventually(lambda: httpx.get(f"{base}/ready").status_code == 200 or None)
    yield base
    process.terminate()
    process.wait(timeout=20)


def elsewhere(person: Person) -> dict[str, str]:
    """Nothing runs on this machine."""
    return {"EXTROPHI_HOME": str(person.home / "none")}


def test_an_address_and_a_key_are_tried_before_they_are_kept(person: Person, locked: str, keychain: None) -> None:
    with person.program(**elsewhere(person)) as window:
        window.says("Where is your Extrophi?")
        window.field("Address").type("127.0.0.1:1")
        window.button("Connect").click()
        window.says("Nothing answers at http://127.0.0.1:1/")
        window.field("Address").clear()
        window.field("Address").type(locked)
        window.button("Connect").click()
        window.says("This Extrophi opens to those who have a key.")
        window.field("Key").type("not-a-key")
        window.button("Connect").click()
        window.says("Extrophi does not know this key.")
        assert not person.memory.exists()
        window.field("Key").clear()
        window.field("Key").type(KEY)
        window.button("Connect").click()
        draft = begin(window, "Written by key.")
        # Not in the page, and in no file but the keychain's own, which is sealed.
        assert KEY not in window.run("return JSON.stringify(localStorage) + document.cookie + document.body.innerHTML")
    assert httpx.get(f"{locked}/api/drafts/{draft}", headers={"Authorization": f"Bearer {KEY}"}).status_code == 200
    for file in (one for one in person.home.rglob("*") if one.is_file()):
        assert KEY.encode() not in file.read_bytes(), file
    assert json.loads(person.memory.read_text())["server"] == locked
    with person.program(**elsewhere(person)) as window:
        window.one(f"//a[contains(@href, '{draft}')]")  # it is asked for no more


def test_where_no_keychain_answers_the_key_is_asked_for_each_time(person: Person, locked: str) -> None:
    with person.program(**elsewhere(person)) as window:
        window.field("Address").type(locked)
        window.field("Key").type(KEY)
        window.button("Connect").click()
        window.says("No keychain answers on this computer")
        window.button("Go on").click()
        window.button("New draft")
    for file in (one for one in person.home.rglob("*") if one.is_file()):
        assert KEY.encode() not in file.read_bytes(), file
    with person.program(**elsewhere(person)) as window:
        window.says("The system's keychain does not answer")
        window.field("Key").type(KEY)
        window.button("Connect").click()
        window.button("Go on").click()
        window.button("New draft")


def write_alone(window: Window, text: str) -> str:
    """A new draft while there is no Extrophi; its id."""
    window.button("Write without it for now").click()
    window.run("location.hash = '#/drafts/new'")
    window.editor.type(text)
    window.says("Kept on this device")
    return window.place.rsplit("/", 1)[1]


def test_one_can_write_without_an_extrophi(person: Person, extrophi: Running) -> None:
    with person.program(**elsewhere(person)) as window:
        draft = write_alone(window, "Nobody is there.")
        window.close()
    with person.program() as window:  # now it runs
        window.run("location.hash = arguments[0]", f"#/drafts/{draft}")
        window.shows("Nobody is there.")
        eventually(lambda: extrophi.get(f"/api/drafts/{draft}")["text"] == "Nobody is there." or None)


def test_what_was_written_for_one_extrophi_is_not_sent_to_another(
    person: Person, extrophi: Running, locked: str
) -> None:
    with person.program(**elsewhere(person)) as window:
        mine = write_alone(window, "For my own alone.")
        window.close()
    with person.program(**elsewhere(person)) as window:
        window.field("Address").type(locked)
        window.field("Key").type(KEY)
        window.button("Connect").click()
        window.button("Go on").click()
        # What waits is sent before a draft that is begun after the list was there.
        begin(window, "For everybody there.")
        assert window.run("return document.body.innerText").count("For my own alone.") == 0
        window.close()
    drafts = httpx.get(f"{locked}/api/drafts", headers={"Authorization": f"Bearer {KEY}"}).json()["items"]
    assert mine not in {one["id"] for one in drafts}
    person.memory.unlink()
    with person.program() as window:  # the one on this machine, which it was written for
        window.run("location.hash = arguments[0]", f"#/drafts/{mine}")
        window.shows("For my own alone.")
        eventually(lambda: extrophi.get(f"/api/drafts/{mine}")["text"] == "For my own alone." or None)


def test_extrophi_is_started_and_ends_with_the_program(person: Person) -> None:
    install_extrophi(person.home)
    home = person.home / "fresh"
    variables = {"EXTROPHI_HOME": str(home)}
    with person.program(**variables) as window:
        window.button("Start Extrophi").click()
        window.says("Starting Extrophi")
        window.one("//a[@href='#/drafts']", seconds=180)
        draft = begin(window, "By an Extrophi of one's own.")
        up = psutil.Process(json.loads((home / "up.json").read_text())["pid"])
        # Killed, the program cannot end it; at its next start it knows it for its own.
        window.kill()
    assert up.is_running()
    with person.program(**variables) as window:
        window.run("location.hash = arguments[0]", f"#/drafts/{draft}")
        window.shows("By an Extrophi of one's own.")
        window.close()
    up.wait(timeout=60)
    # From now on it is started without being asked for, and one writes meanwhile.
    with person.program(**variables) as window:
        window.run("location.hash = '#/drafts/new'")
        window.editor.type("Before it was there.")
        window.one("//footer//*[contains(@class, 'status') and normalize-space(.)='Saved']", seconds=180)
        up = psutil.Process(json.loads((home / "up.json").read_text())["pid"])
        window.close()
    up.wait(timeout=60)


def test_what_is_not_found_is_said_with_the_next_step(person: Person) -> None:
    without = os.pathsep.join(
        one for one in person.environment["PATH"].split(os.pathsep) if not os.access(f"{one}/extrophi", os.X_OK)
    )
    with person.program(**elsewhere(person), PATH=without) as window:
        window.button("Start Extrophi").click()
        window.says("There is no extrophi command on this computer's search path.")
        window.says("Show where it is")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_where_one_says_which_extrophi(person: Person, theme: str) -> None:
    gtk = {"light": "Adwaita", "dark": "Adwaita:dark"}[theme]
    with person.program(**elsewhere(person), GTK_THEME=gtk) as window:
        window.field("Address").type("127.0.0.1:1")
        window.button("Connect").click()
        window.says("Nothing answers at http://127.0.0.1:1/")
        assert window.run("return matchMedia('(prefers-color-scheme: dark)').matches") is (theme == "dark")
        window.run(axe.AXE.read_text(encoding="utf-8"))
        found = window.wait(f"({axe.RUN})().then(arguments[0], (error) => arguments[0]([String(error)]))")
        assert found == []
