"""What a person types, and which file or folder it means."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extrophi_backend.collectors.files.target import recognise
from extrophi_backend.errors import InvalidTarget


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = (tmp_path / "home").resolve()
    (home / "my notes").mkdir(parents=True)
    return home


def test_all_spellings_of_a_folder_have_one_canonical_form(home: Path) -> None:
    notes = home / "my notes"
    (home / "link").symlink_to(notes)
    spellings = (
        str(notes), f"{notes}/", "~/my notes", " ~/my notes ", notes.as_uri(), f"file://localhost{notes.as_uri()[7:]}",
        f"{home}/./my notes", f"{home}/my notes/../my notes", "~/link",
    )  # fmt: skip
    for typed in spellings:
        target = recognise(typed, [home], home)
        assert target is not None
        assert (target.platform, target.canonical, target.typed) == ("files", str(notes), typed)


@pytest.mark.parametrize("typed", ["https://example.org/x", "@someone", "r/selfhosted", "notes", "./notes", ""])
def test_what_is_no_absolute_path_is_left_to_others(home: Path, typed: str) -> None:
    assert recognise(typed, [home], home) is None


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("/etc/passwd", "outside_roots"),
        ("/nowhere/at/all", "outside_roots"),
        ("~/../../etc", "outside_roots"),
        ("~/link", "outside_roots"),
        ("file:///etc", "outside_roots"),
        ("~/missing", "target_missing"),
        ("~/pipe", "invalid_target"),
        ("file://elsewhere/x", "invalid_target"),
        ("file:x", "invalid_target"),
        ("file:///%FF", "invalid_target"),
        ("/a\0b", "invalid_target"),
        ("/\ud800", "invalid_target"),
        ("/" + "x" * 5000, "outside_roots"),
    ],
)
def test_what_may_or_can_not_be_collected_says_why(home: Path, typed: str, code: str) -> None:
    os.mkfifo(home / "pipe")
    (home / "link").symlink_to("/etc")
    with pytest.raises(InvalidTarget) as refused:
        recognise(typed, [home], home)
    assert refused.value.code == code
    refused.value.detail.encode()
    assert refused.value.hint


def test_a_link_that_leads_to_itself_is_refused(home: Path) -> None:
    (home / "loop").symlink_to(home / "loop")
    with pytest.raises(InvalidTarget):
        recognise("~/loop", [home], home)


@given(typed=st.text(max_size=40) | st.text(max_size=40).map(lambda text: "file:" + text) | st.text().map("/".__add__))
def test_anything_typed_is_understood_or_refused(typed: str) -> None:
    try:
        assert recognise(typed, [], Path("/home/x")) is None
    except InvalidTarget as refused:
        refused.detail.encode()
