"""The desktop program for real: built, under Xvfb, driven by tauri-driver, before a real Extrophi."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desktop.driver import Person
from tests.desktop.program import NotHere, build
from tests.desktop.surroundings import keyring, screen, somebody
from tests.system.running import Running, eventually, up

QUOTE = "Kestrels hover above motorway verges because voles live in the long grass there."


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/desktop" in item.nodeid:
            item.add_marker(pytest.mark.desktop)
            item.add_marker(pytest.mark.xdist_group("desktop"))
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def binary() -> Path:
    """The program, built from these sources."""
    try:
        return build()
    except NotHere as lacking:
        pytest.fail(str(lacking))


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    with screen() as name:
        yield name


@pytest.fixture(scope="session")
def extrophi() -> Iterator[Running]:
    """One Extrophi for all the tests here; each brings its own documents and drafts."""
    with up(EXTROPHI_FETCH_ALLOW="127.0.0.0/8,::1/128") as running:
        yield running


@pytest.fixture(scope="session")
def kestrels(extrophi: Running) -> str:
    """A document in the library; its id."""
    address = "https://birds.example/kestrels"
    pushed = {
        "platform": "web",
        "external_id": address,
        "url": address,
        "title": "Why kestrels hover over verges",
        "text": f"Notes from a summer of counting.\n\n{QUOTE} Nobody mows those verges before July.",
    }
    made = extrophi.post("/api/documents", {"documents": [pushed]})
    eventually(lambda: extrophi.post("/api/search", {"query": "kestrels voles"})["items"] or None)
    return made["items"][0]["id"]


@pytest.fixture
def person(binary: Path, display: str, extrophi: Running, kestrels: str) -> Iterator[Person]:
    """Somebody whose Extrophi runs and holds something, and who never started the program."""
    assert kestrels
    with somebody(display, extrophi.home) as (home, environment):
        yield Person(home, binary, environment)


@pytest.fixture
def keychain(person: Person) -> Iterator[None]:
    with keyring(person.environment):
        yield
