import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.running import REPO, Running, up


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/system" in item.nodeid:
            item.add_marker(pytest.mark.xdist_group("system"))  # one `up` for all of them, in one test process


@pytest.fixture(scope="session")
def extrophi() -> Iterator[Running]:
    """One Extrophi that the tests share; each brings its own documents."""
    roots = f"{REPO},{Path(tempfile.gettempdir()).resolve()}"  # what tests write stays out of the person's home
    with up(EXTROPHI_FETCH_ALLOW="127.0.0.0/8,::1/128", EXTROPHI_FILES_ROOTS=roots) as running:
        yield running
