"""What the backend's image holds packed is unpacked once, whoever asks and whatever happens meanwhile."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.containers.podman import ROOT

pytestmark = pytest.mark.containers
ASKS = """
import sys
from pathlib import Path
from extrophi_backend import packs
print(packs.unpacked("tool", packs=Path(sys.argv[1]), into=[Path(one) for one in sys.argv[2:]]))
"""


def pack(to: Path, content: str, *, size: int = 0) -> Path:
    """As the image's build packs it."""
    folder = to.parent / "tool"
    (folder / "lib").mkdir(parents=True, exist_ok=True)
    (folder / "tool").write_text(f"#!/bin/sh\necho {content} $LD_LIBRARY_PATH $1\n")
    (folder / "tool").chmod(0o755)
    (folder / "large").write_bytes(os.urandom(size))
    to.mkdir(exist_ok=True)
    subprocess.run([ROOT / "backend" / "image" / "pack", "tool", folder, to], check=True)
    return next(to.glob("tool-*.tar.zst"))


def asking(packs: Path, *into: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", ASKS, packs, *into]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ask(packs: Path, *into: Path) -> Path:
    said, wrong = asking(packs, *into).communicate(timeout=60)
    assert said, wrong
    return Path(said.strip())


def test_the_same_folder_gives_the_same_pack(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = pack(tmp_path / "a" / "packs", "hello"), pack(tmp_path / "b" / "packs", "hello")
    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()


def test_several_at_once_unpack_it_once(tmp_path: Path) -> None:
    pack(tmp_path / "packs", "hello", size=9_000_000)
    with ThreadPoolExecutor() as pool:
        found = {*pool.map(lambda _: ask(tmp_path / "packs", tmp_path / "to"), range(6))}
    assert len(found) == 1
    folder = found.pop()
    assert (folder / "large").stat().st_size == 9_000_000
    assert [one.name for one in folder.parent.iterdir() if one.is_dir()] == [folder.name]


def test_one_that_is_killed_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    pack(tmp_path / "packs", "hello", size=20_000_000)
    to = tmp_path / "to"
    killed = asking(tmp_path / "packs", to)
    deadline = time.monotonic() + 30
    while not [*to.glob(".half-*")] and time.monotonic() < deadline:
        time.sleep(0.001)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    folder = ask(tmp_path / "packs", to)
    assert (folder / "large").stat().st_size == 20_000_000
    assert not [*to.glob(".half-*")]


def test_another_image_takes_away_what_nobody_uses(tmp_path: Path) -> None:
    to = tmp_path / "to"
    pack(tmp_path / "old", "old")
    old = ask(tmp_path / "old", to)
    with (to / f"{old.name}.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # as whatever runs out of it does
        pack(tmp_path / "new", "new")
        new = ask(tmp_path / "new", to)
        assert old.is_dir()
    pack(tmp_path / "newest", "newest")
    ask(tmp_path / "newest", to)
    assert not old.exists()
    assert not new.exists()


def test_where_one_folder_cannot_be_written_the_next_is_taken(tmp_path: Path) -> None:
    pack(tmp_path / "packs", "hello")
    (tmp_path / "file").write_text("in the way")
    assert ask(tmp_path / "packs", tmp_path / "file", tmp_path / "to").parent == tmp_path / "to"
    _, said = asking(tmp_path / "packs", tmp_path / "file").communicate()
    assert "tool cannot be unpacked" in said
    assert str(tmp_path / "file") in said


def test_a_broken_pack_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    whole = pack(tmp_path / "packs", "hello", size=1_000_000)
    whole.write_bytes(whole.read_bytes()[:500_000])
    _, said = asking(tmp_path / "packs", tmp_path / "to").communicate()
    assert "tool cannot be unpacked" in said
    assert not [one for one in (tmp_path / "to").iterdir() if one.is_dir()]
