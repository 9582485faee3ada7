from pathlib import Path

import pytest

from extrophi_backend.captures.store import Captures, open_captures
from extrophi_backend.collectors.models import Capture


@pytest.fixture(params=["folder", "file url"])
def captures(request: pytest.FixtureRequest, tmp_path: Path) -> Captures:
    (tmp_path / "store").mkdir()
    url = (tmp_path / "store").as_uri() if request.param == "file url" else None
    return open_captures(tmp_path / "captures", url)


async def test_equal_bytes_are_kept_once_and_come_back_whole(captures: Captures) -> None:
    body = bytes(range(256)) * 10_000
    key = await captures.put(Capture(body, "application/pdf"))
    assert await captures.put(Capture(body, "text/plain")) == key
    assert await captures.get(key) == body


async def test_what_is_not_there_is_none(captures: Captures) -> None:
    assert await captures.get("captures/00/none") is None
    await captures.delete(["captures/00/none"])
