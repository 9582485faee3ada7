"""The walk of the README in the desktop program, from its first start: as in the browser (tests/desk/test_walk.py)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import reading_site
from tests.desktop.driver import ALT, CONTROL, DOWN, END, ENTER, SHIFT, Person, Window, answer_dialog, until
from tests.desktop.surroundings import install_extrophi
from tests.desktop.test_writing import saved
from tests.walking import ANSWERED, PARAGRAPH, QUESTION, Walk, check_document, wait_until_found, walking
from tests.web_server import WebServer, serving

KEYS = {"Alt": ALT, "Ctrl": CONTROL, "Shift": SHIFT, "Enter": ENTER, "ArrowDown": DOWN}


@pytest.fixture
def walk() -> Iterator[Walk]:
    with walking() as walk:
        yield walk


@pytest.fixture
def site() -> Iterator[WebServer]:
    with serving(WebServer()) as server:
        reading_site.fill(server)
        yield server


def press(window: Window, keys: str) -> None:
    """A chord as the README writes it."""
    window.editor.type("".join(KEYS.get(key, key.lower()) for key in keys.split("+")))


def cite(window: Window, walk: Walk, number: int) -> str:
    """Cite the piece that is marked, which is the nth; whose it is."""
    marked = f"//article[@aria-posinset='{number}' and contains(@class, 'selected')]"
    author = window.one(f"{marked}//*[contains(@class, 'author')]").text
    press(window, walk("Alt+Enter"))
    window.one(f"{marked}//*[contains(., 'Cited')]")
    return author


def base(extrophi: Path) -> str:
    """Where the Extrophi of a home answers."""
    return f"http://127.0.0.1:{json.loads((extrophi / 'up.json').read_text())['port']}"


@pytest.mark.timeout(600)  # an Extrophi starts for the first time; a site is collected politely, a page a second
def test_the_walk_of_the_readme(person: Person, walk: Walk, site: WebServer, tmp_path: Path) -> None:
    install_extrophi(person.home)
    own = {"EXTROPHI_HOME": str(person.home / "fresh"), "EXTROPHI_FETCH_ALLOW": "127.0.0.0/8,::1/128"}
    with person.program(**own) as window:
        window.button("Start Extrophi").click()
        window.one("//h1[contains(., 'Welcome')]", seconds=180)
        window.field(walk("Addresses, one on each line")).type(f"{site.base}/")
        window.button(walk("Add")).click()
        window.says("6 documents are in your library", seconds=120)
        wait_until_found(base(person.home / "fresh"))

        window.field(walk("Your question")).type(QUESTION)
        window.one(f"//main//button[not(@disabled) and normalize-space(.)='{walk('Ask')}']").click()
        answer = f"//*[@role='region' and @aria-label='Answer'][contains(., '{ANSWERED}')]"
        window.one(f"{answer}//li[contains(., 'Ida Holm')]")

        window.button(walk("Start a draft from this answer")).click()
        window.shows(ANSWERED)
        window.editor.click()
        window.editor.type(f"{CONTROL}{END}{CONTROL}{ENTER}{ENTER}{PARAGRAPH}")
        evidence = f"//*[self::aside or self::section][contains(., '{walk('Evidence')}')]"
        window.one(f"{evidence}//p[starts-with(normalize-space(.), 'Shared words: ') and contains(., 'unread')]")
        authors = [cite(window, walk, 1)]
        while len(set(authors)) < 2:  # the next piece may be of the same text
            press(window, walk("Alt+ArrowDown"))
            authors.append(cite(window, walk, len(authors) + 1))
        saved(window)
        window.picture(tmp_path / "cited.png")

        press(window, walk("Ctrl+Shift+X"))
        dialog = f"//dialog[contains(., '{walk('Export')}')]"
        window.one(f"{dialog}//label[starts-with(normalize-space(.), '{walk('Word')}')]").click()
        file = tmp_path / "essay.docx"
        answer_dialog(person, window.one(f"{dialog}//button[normalize-space(.)='{walk('Save')}']"), str(file))
        until(lambda: file.exists() or None, "nothing was saved")
        window.says("Saved")
        window.close()
    check_document(file.read_bytes(), authors, site.base)
