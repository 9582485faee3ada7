from collections.abc import Iterator

import pytest

from tests.system.running import Running, up


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/system" in item.nodeid:
            item.add_marker(pytest.mark.xdist_group("system"))  # one `up` for all of them, in one test process


@pytest.fixture(scope="session")
def extrophi() -> Iterator[Running]:
    """One Extrophi that the tests share; each brings its own documents."""
    with up(EXTROPHI_FETCH_ALLOW="127.0.0.0/8,::1/128") as running:
        yield running
