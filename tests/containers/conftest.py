import os
import subprocess
from collections.abc import Generator

import pytest

from tests.containers.podman import ROOT
from tests.containers.writer import SOONER, Clone, Compiling, copied, volume


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for the desktop program comes last: it is compiled beside all that is done until then."""
    items.sort(key=lambda item: item.path.parent.name == "containers" and asks_for_clone(item))


def asks_for_clone(item: pytest.Item) -> bool:
    return "clone" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session")
def built() -> str:
    """What ./build-containers.sh prints. The Writer's is built on Debian: a bundle for glibc needs that."""
    done = subprocess.run(
        [ROOT / "build-containers.sh", "podman"],
        env={"VARIANT": "slim"} | os.environ,
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session", autouse=True)
def compiling(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Compiling | None]:
    """Begun before the first test, once for all that look at what comes of it."""
    if not any(map(asks_for_clone, request.session.items)):
        yield None
        return
    request.getfixturevalue("built")
    folder = tmp_path_factory.mktemp("clone")
    for one in folder.parents:  # the person has to reach it
        if one.stat().st_uid == os.geteuid() and one.is_relative_to(tmp_path_factory.getbasetemp().parent):
            one.chmod(one.stat().st_mode | 0o755)
    with volume() as tools:
        at_work = Compiling(copied(folder), tools, *SOONER)
        try:
            yield at_work
        finally:
            at_work.stop()


@pytest.fixture(scope="session")
def clone(compiling: Compiling) -> Clone:
    """A fresh clone in which the guide's command has been typed."""
    return compiling.done()
