"""Watching a real folder: what a save, a rename or a burst looks like to the one who follows it."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path

import pytest

from extrophi_cli.changes import changes_below

Watching = AsyncGenerator[frozenset[Path], None]


@pytest.fixture
async def watching(tmp_path: Path) -> AsyncIterator[Watching]:
    """A watch that has begun."""
    changes = changes_below(tmp_path)
    assert await asyncio.wait_for(anext(changes), 30) == frozenset()
    yield changes
    await changes.aclose()


async def _seen(changes: Watching, *paths: Path) -> None:
    waiting = set(paths)
    while waiting:
        waiting -= await asyncio.wait_for(anext(changes), 30)


async def test_a_new_a_changed_and_a_deleted_file_each_give_a_signal(tmp_path: Path, watching: Watching) -> None:
    note = tmp_path / "note.md"
    for change in (lambda: note.write_text("one"), lambda: note.write_text("two"), note.unlink):
        change()
        await _seen(watching, note)


async def test_a_rename_names_both_paths(tmp_path: Path, watching: Watching) -> None:
    old, new = tmp_path / "old.md", tmp_path / "new.md"
    old.write_text("text")
    await _seen(watching, old)
    old.rename(new)
    await _seen(watching, old, new)


async def test_a_burst_comes_as_few_sets_not_one_by_one(tmp_path: Path, watching: Watching) -> None:
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    await _seen(watching, tmp_path / "deep")
    files = [folder / f"{number}.md" for number in range(200)]
    for file in files:
        file.write_text("text")
    waiting, sets = set(files), 0
    while waiting:
        waiting -= await asyncio.wait_for(anext(watching), 30)
        sets += 1
    assert sets < 20


async def test_hidden_files_give_no_signal(tmp_path: Path, watching: Watching) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "index").write_text("x")
    (tmp_path / "seen.md").write_text("x")
    assert await asyncio.wait_for(anext(watching), 30) == {tmp_path / "seen.md"}


async def test_a_folder_that_comes_back_is_watched_again(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    changes = changes_below(folder)
    await asyncio.wait_for(anext(changes), 30)
    shutil.rmtree(folder)

    following = asyncio.create_task(_until(changes, lambda burst: folder / "new.md" in burst))
    folder.mkdir()
    for number in range(30):  # the first writes may come before the watch does
        (folder / "new.md").write_text(str(number))
        if (await asyncio.wait([following], timeout=1))[0]:
            break
    await asyncio.wait_for(following, 30)
    await changes.aclose()


async def _until(changes: Watching, wanted: Callable[[frozenset[Path]], bool]) -> None:
    async for burst in changes:
        if wanted(burst):
            return
