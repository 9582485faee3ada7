"""Archives from strangers: read as a stream, within bounds, and whatever is wrong with them is said."""

import io
import json
import re
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extrophi_backend.archives import reading
from extrophi_backend.archives.reading import Archive, BadArchive


def archive(**members: str | bytes) -> Archive:
    return Archive(io.BytesIO(packed({name.replace("_", "."): body for name, body in members.items()})))


def packed(members: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, body in members.items():
            zipped.writestr(name, body)
    return out.getvalue()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.lists(JSON), st.sampled_from(["", "window.YTD.tweets.part0 = ", "\ufeff"]), st.booleans())
def test_the_elements_of_a_list_are_those_that_were_written(
    elements: list[object],
    before: str,
    escaped: bool,  # noqa: FBT001  hypothesis gives it
) -> None:
    written = before + json.dumps(elements, ensure_ascii=escaped, indent=1)
    assert list(archive(a_js=written.encode("utf-8", "surrogatepass")).entries("a.js")) == json.loads(
        written[len(before) :].encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    )


def test_a_list_larger_than_memory_is_read_in_little() -> None:
    entry = {"tweet": {"full_text": "Herons stand in the shallows. " * 20}}
    made = archive(a_js="x = [" + ",\n".join([json.dumps(entry)] * 50_000) + "]")
    tracemalloc.start()
    try:
        assert sum(1 for _ in made.entries("a.js")) == 50_000
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_a_table_is_read_by_its_names() -> None:
    made = archive(a_csv='\ufeffid,body\r\n1,"two\nlines"\r\n2\r\n3,x,more\r\n')
    assert list(made.rows("a.csv")) == [
        {"id": "1", "body": "two\nlines"},
        {"id": "2", "body": ""},
        {"id": "3", "body": "x"},
    ]
    assert list(archive(a_csv="").rows("a.csv")) == []


@pytest.mark.parametrize("gap", [0, 1, reading.LONGEST_MATCH, 2**18 - 8, 2**18 - 3, 2**18, 600_000])
def test_matches_are_each_found_once_wherever_they_stand(gap: int) -> None:
    made = archive(a_html="-" * gap + "id=1;" + "-" * gap + "id=2;id=3;" + "-" * 3)
    assert [match[1] for match in made.matches("a.html", re.compile(r"id=(\d);"))] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("no list here", "unreadable"),
        ("[1, 2", "unreadable"),
        ('[{"a": tru', "unreadable"),
        ("[" * 200_000, "unreadable"),
        ('["' + "x" * (reading.MAX_ENTRY + 10), "too_large"),
    ],
)
def test_what_is_no_list_is_told(written: str, code: str) -> None:
    with pytest.raises(BadArchive) as bad:
        list(archive(a_js=written).entries("a.js"))
    assert bad.value.code == code
    assert bad.value.detail


def test_what_is_broken_or_locked_is_told() -> None:
    whole = packed({"a.js": "[1]" * 1000})
    with pytest.raises(BadArchive, match="broken_archive"):
        Archive(io.BytesIO(whole[: len(whole) // 2]))
    with pytest.raises(BadArchive, match="broken_archive"):
        Archive(io.BytesIO(b"no archive at all"))
    altered = bytearray(whole)
    altered[45] ^= 0xFF  # within the packed bytes
    with pytest.raises(BadArchive):
        Archive(io.BytesIO(bytes(altered))).text("a.js")
    locked = bytearray(packed({"a.js": "[1]"}))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(BadArchive, match="encrypted"):
        Archive(io.BytesIO(bytes(locked))).text("a.js")


def test_what_unpacks_to_too_much_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_UNPACKED", 10_000_000)
    bomb = archive(a_js="[" + " " * 30_000_000 + "1]")
    with pytest.raises(BadArchive, match="too_large"):
        list(bomb.matches("a.js", re.compile("1")))


def test_a_line_larger_than_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ENTRY", 100_000)
    assert len(list(archive(a_csv="a,b\n" * 50_000).lines("a.csv"))) == 50_000
    with pytest.raises(BadArchive, match="too_large"):
        list(archive(a_csv="a,b\n" + "x," * 60_000).lines("a.csv"))
