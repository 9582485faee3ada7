from pathlib import Path

import pytest

from extrophi_backend.captures.store import Captures
from extrophi_backend.collectors.models import Capture
from extrophi_backend.errors import Unavailable


@pytest.fixture(params=["folder", "file url"])
def captures(request: pytest.FixtureRequest, tmp_path: Path) -> Captures:
    (tmp_path / "store").mkdir()
    url = (tmp_path / "store").as_uri() if request.param == "file url" else None
    return Captures(url, tmp_path / "captures")


async def test_equal_bytes_are_kept_once_and_come_back_whole(captures: Captures) -> None:
    body = bytes(range(256)) * 10_000
    key = await captures.put(Capture(body, "application/pdf"))
    assert await captures.put(Capture(body, "text/plain")) == key
    assert await captures.get(key) == body


async def test_what_is_not_there_is_none(captures: Captures) -> None:
    assert await captures.get("captures/00/none") is None
    await captures.delete(["captures/00/none"])


async def test_a_folder_that_cannot_be_made_is_said_and_used_as_soon_as_it_can(tmp_path: Path) -> None:
    in_the_way = tmp_path / "data"
    in_the_way.write_text("a file")
    captures = Captures(None, in_the_way / "captures")
    said = captures.problem()
    assert said is not None
    assert str(in_the_way) in said
    assert "chown" in said
    with pytest.raises(Unavailable) as raised:
        await captures.put(Capture(b"x", "text/plain"))
    assert raised.value.detail == said
    in_the_way.unlink()
    assert captures.problem() is None
    key = await captures.put(Capture(b"x", "text/plain"))
    assert await captures.get(key) == b"x"
