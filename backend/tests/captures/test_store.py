from pathlib import Path

import pytest

from extrophi_backend.captures.store import Captures, Place, capture_key, pack
from extrophi_backend.errors import Unavailable


@pytest.fixture(params=["folder", "file url"])
def captures(request: pytest.FixtureRequest, tmp_path: Path) -> Captures:
    (tmp_path / "store").mkdir()
    url = (tmp_path / "store").as_uri() if request.param == "file url" else None
    return Captures(url, tmp_path / "captures")


async def test_equal_bytes_are_kept_once_and_come_back_whole(captures: Captures) -> None:
    body = bytes(range(256)) * 10_000
    objects, places = pack([body, bytes(body)])
    for key, one in objects.items():
        await captures.put(key, one)
    assert list(objects) == [capture_key(body)]
    assert await captures.get(places[body]) == body


async def test_small_ones_share_an_object_and_each_comes_back_to_the_byte(captures: Captures) -> None:
    bodies = [b"first", b"", "größer".encode(), bytes(70_000), b"first", b"last"]
    objects, places = pack(bodies)
    for key, one in objects.items():
        await captures.put(key, one)
    assert len(objects) == 3  # the small ones', the large one, and the empty one
    assert [await captures.get(places[body]) for body in bodies] == bodies


async def test_what_is_kept_of_an_object_stays_in_its_place_and_the_rest_is_overwritten(captures: Captures) -> None:
    bodies = [b"first", b"second", b"third"]
    objects, places = pack(bodies)
    ((key, packed),) = objects.items()
    await captures.put(key, packed)
    parts = [(place.start, place.length) for place in places.values() if place.start is not None and place.length]
    await captures.keep_only(key, parts)
    assert await captures.get(Place(key)) == packed
    await captures.keep_only(key, [parts[0], parts[2]])
    assert [await captures.get(places[body]) for body in bodies] == [b"first", None, b"third"]
    assert await captures.get(Place(key)) == b"first" + bytes(6) + b"third"
    await captures.keep_only("captures/00/none", parts)


def test_the_same_bytes_cut_at_other_places_are_another_object() -> None:
    assert pack([b"ab", b"cd"])[0].keys().isdisjoint(pack([b"a", b"bc", b"d"])[0])


def test_an_object_of_many_is_no_larger_than_what_is_written_anew_at_once() -> None:
    objects, places = pack(bytes([n]) * 60_000 for n in range(100))
    assert len(objects) == 6
    assert max(map(len, objects.values())) <= 1024 * 1024
    assert all(
        objects[place.key][place.start :][: place.length] == body for body, place in places.items() if place.start
    )


async def test_what_is_not_there_is_none(captures: Captures) -> None:
    assert await captures.get(Place("captures/00/none")) is None
    assert await captures.get(Place("captures/00/none", 3, 4)) is None
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
        await captures.put("captures/00/x", b"x")
    assert raised.value.detail == said
    in_the_way.unlink()
    assert captures.problem() is None
    await captures.put("captures/00/x", b"x")
    assert await captures.get(Place("captures/00/x")) == b"x"
