"""Writing in the desktop program: it is there afterwards, whatever happened in between."""

import contextlib
import re
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from tests.desktop.driver import CONTROL, END, DriverError, Person, Window, answer_dialog, until
from tests.system.running import Running, eventually

PASSAGE = "Along the motorway verges one sees kestrels that hover, since the long grass is full of voles"


def begin(window: Window, text: str) -> str:
    """A new draft with a text, saved; its id."""
    window.run("location.hash = '#/drafts/new'")
    window.editor.type(text)
    saved(window)
    found = re.search(r"#/drafts/([0-9a-f-]{36})", window.place)
    assert found, window.place
    return found[1]


def saved(window: Window) -> None:
    window.one("//footer//*[contains(@class, 'status') and normalize-space(.)='Saved']")


def open_file(person: Person, window: Window, file: Path) -> None:
    window.hand(str(file))
    until(lambda: "file%3A" in window.place or None, "the file was not opened")
    window.shows(file.read_text(encoding="utf-8-sig").split("\n")[0].strip())


def test_what_is_written_has_its_evidence_and_is_there_at_the_next_start(
    person: Person, extrophi: Running, kestrels: str, tmp_path: Path
) -> None:
    with person.program() as window:
        draft = begin(window, PASSAGE)
        window.one("//article[contains(., 'Why kestrels hover over verges')]")
        window.picture(tmp_path / "evidence.png")
        window.editor.type(f"{CONTROL}{END}{CONTROL}, as said at the last moment.")
        window.close()
    whole = f"{PASSAGE}, as said at the last moment."
    assert extrophi.get(f"/api/drafts/{draft}")["text"] == whole  # the window waited for it
    with person.program() as window:
        window.one(f"//a[contains(@href, '{draft}')]").click()
        window.shows(whole)
    assert extrophi.client.get("/ready").status_code == 200  # we did not start it, nor end it


def test_the_window_comes_back_as_it_was_left(person: Person) -> None:
    with person.program() as window:
        window.ask("POST", "/window/rect", {"width": 900, "height": 700})
        until(lambda: window.run("return innerWidth") == 900 or None, "it did not get smaller")
        window.close()
    with person.program() as window:
        until(lambda: window.run("return innerWidth") == 900 or None, "it did not come back as it was left")


def test_a_file_is_its_drafts_master(person: Person, tmp_path: Path) -> None:
    file = tmp_path / "plan.md"
    file.write_bytes("\ufeff# The plan\r\n\r\nFirst paragraph.\r\n\r\nLast paragraph.\r\n".encode())
    with person.program() as window:
        open_file(person, window, file)
        window.editor.click()
        window.editor.type(f"{CONTROL}{END}{CONTROL}More.")
        saved(window)
        eventually(lambda: "More." in file.read_text(encoding="utf-8") or None)
        assert file.read_bytes().decode() == (
            "\ufeff# The plan\r\n\r\nFirst paragraph.\r\n\r\nLast paragraph.\r\nMore."
        )
        # Another program changes another paragraph, and one writes on.
        file.write_bytes(file.read_bytes().replace(b"First paragraph.", b"First, by another program."))
        window.shows("First, by another program.")
        window.editor.type(" And more.")
        eventually(lambda: file.read_bytes().endswith(b"More. And more.") or None)
        assert b"First, by another program.\r\n" in file.read_bytes()


def test_where_both_changed_the_same_words_the_person_is_asked(person: Person, tmp_path: Path) -> None:
    file = tmp_path / "plan.md"
    file.write_text("One sentence.\n")
    with person.program() as window:
        open_file(person, window, file)
        window.editor.click()
        window.editor.type(f"{CONTROL}{END}{CONTROL}")
        # Both at once: what is not saved yet meets what is on the disk.
        window.run("document.execCommand('selectAll'); document.execCommand('insertText', false, 'My sentence.')")
        file.write_text("Their sentence.\n")
        window.says("This draft was changed in two places")
        assert file.read_text() == "Their sentence.\n"
        window.button("Look at both").click()
        window.says("Both changed the same words.")
        window.says("Their")


def test_a_bibliography_lies_beside_the_file(person: Person, kestrels: str, tmp_path: Path) -> None:
    file = tmp_path / "birds.md"
    file.write_text("# Birds\n")
    with person.program() as window:
        open_file(person, window, file)
        window.editor.click()
        window.editor.type(f"{CONTROL}{END}{CONTROL}\n{PASSAGE}")
        window.one("//article[contains(., 'Why kestrels hover over verges')]")
        window.one("//article[contains(., 'Why kestrels hover over verges')]//button[contains(., 'Cite')]").click()
        beside = tmp_path / "birds.bib.json"
        eventually(lambda: (beside.exists() and '"id"' in beside.read_text()) or None)
        eventually(lambda: "[@" in file.read_text() or None)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["birds.bib.json", "birds.md"]


def test_a_folder_is_chosen_and_its_drafts_are_listed(person: Person, tmp_path: Path) -> None:
    folder = tmp_path / "My drafts"
    folder.mkdir()
    (folder / "Herons.md").write_text("They stand.\n")
    with person.program() as window:
        answer_dialog(person, window.button("Choose a folder of drafts"), str(folder))
        window.one("//a[contains(., 'Herons')]").click()
        window.shows("They stand.")
        window.button("New file").click()
        until(lambda: (folder / "Draft.md").exists() or None, "no new file")
    with person.program() as window:
        window.one("//a[contains(., 'Herons')]")


def words() -> Iterator[str]:
    return (f"{number:04d} " for number in count(1))


def type_until_killed(window: Window, seconds: float) -> list[tuple[float, str]]:
    """What was typed, each word with the moment that it was in the editor."""
    typed: list[tuple[float, str]] = []
    end = time.monotonic() + seconds
    for word in words():
        with contextlib.suppress(DriverError):
            window.editor.type(word)
            typed.append((time.monotonic(), word))
        if time.monotonic() > end:
            break
    return typed


def kill_while_typing(person: Person, seconds: float) -> None:
    with person.program() as window:
        draft = begin(window, f"Round {uuid4().hex[:8]} ")
        typed = type_until_killed(window, seconds)
        killed = time.monotonic()
        window.kill()
    owed = "".join(word for moment, word in typed if moment < killed - 1)
    with person.program() as window:
        window.run("location.hash = arguments[0]", f"#/drafts/{draft}")
        window.shows("Round")
        until(lambda: owed.strip() in window.text() or None, f"lost of {owed!r}: {window.text()!r}", seconds=20)


@pytest.mark.parametrize("seconds", [2.3, 4.1])
def test_a_program_that_is_killed_loses_a_second_at_most(person: Person, seconds: float) -> None:
    kill_while_typing(person, seconds)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_nor_does_one_that_is_killed_twenty_times(person: Person) -> None:
    for round in range(20):  # noqa: A001
        kill_while_typing(person, 1.5 + round * 0.17)
