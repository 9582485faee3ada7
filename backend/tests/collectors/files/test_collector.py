"""Folders as they are: links, pipes, locked files, files that come and go between two runs."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from extrophi_backend.collectors.files.collector import FilesCollector, make_collector
from extrophi_backend.collectors.files.errors import OutsideRoots, TargetMissing
from extrophi_backend.collectors.files.walk import Refused, read_file
from extrophi_backend.collectors.models import Collected, Page, Target
from tests import collecting

_NOBODY = 65534


class Library(collecting.Library):
    async def collect(self, collector: FilesCollector, path: Path, **how: Any) -> list[Page]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return await super().collect(collector, Target("files", str(path), str(path)), **how)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "root" / "notes"
    (folder / "sub").mkdir(parents=True)
    for name in ("b.md", "a.txt", "sub/c.md", "é z.md"):
        (folder / name).write_text(f"# {name}\n\nText of {name}.\n")
    return folder.resolve()


@pytest.fixture
def collector(folder: Path) -> FilesCollector:
    return make_collector(roots=[folder.parent])


async def test_a_folder_is_read_in_order_with_its_bytes_kept(folder: Path, collector: FilesCollector) -> None:
    library = Library()
    await library.collect(collector, folder)
    assert library.names() == ["a.txt", "b.md", "c.md", "%C3%A9%20z.md"]
    document = library.documents[(folder / "b.md").as_uri()]
    assert document.capture is not None
    assert document.capture.body == (folder / "b.md").read_bytes()
    assert (document.title, document.url, document.format) == ("b.md", (folder / "b.md").as_uri(), "markdown")
    assert document.capture.media_type == "text/markdown"


async def test_a_second_run_reads_nothing(folder: Path, collector: FilesCollector) -> None:
    library = Library()
    await library.collect(collector, folder)
    await library.collect(collector, folder)
    assert len(library.unchanged) == 4
    assert library.suspects == []


async def test_only_a_changed_file_is_read_again(folder: Path, collector: FilesCollector) -> None:
    library = Library()
    await library.collect(collector, folder)
    (folder / "b.md").write_text("Other words.")
    await library.collect(collector, folder)
    assert library.suspects == [str(folder / "b.md")]
    assert library.documents[(folder / "b.md").as_uri()].text == "Other words."


async def test_a_deleted_file_is_gone_and_a_renamed_one_also_new(folder: Path, collector: FilesCollector) -> None:
    library = Library()
    await library.collect(collector, folder)
    (folder / "a.txt").unlink()
    (folder / "b.md").rename(folder / "d.md")
    await library.collect(collector, folder)
    assert library.gone == {(folder / "a.txt").as_uri(), (folder / "b.md").as_uri()}
    assert "d.md" in library.names()


async def test_a_run_goes_on_after_any_page_as_if_never_broken(folder: Path, collector: FilesCollector) -> None:
    for number in range(70):
        (folder / "sub" / f"{number}.md").write_text("Text.")
    whole = Library()
    pages = await whole.collect(collector, folder)
    assert len(pages) >= 3
    for count in range(1, len(pages)):
        library = Library()
        await library.collect(collector, folder, pages=count)
        before = list(library.documents)
        rest = await library.collect(collector, folder, resume=True)
        assert [d.external_id for page in rest for d in page.documents] == list(whole.documents)[len(before) :]


async def test_the_limit_holds_over_a_break_and_marks_nothing_gone(folder: Path, collector: FilesCollector) -> None:
    for number in range(70):
        (folder / "sub" / f"{number}.md").write_text("Text.")
    library = Library()
    library.save(Page(documents=[Collected("files", (folder / "zz.md").as_uri(), "once")]))
    await library.collect(collector, folder, limit=30, pages=1)
    await library.collect(collector, folder, limit=30, resume=True)
    assert len(library.documents) == 31
    assert not library.gone


async def test_a_missing_folder_fails_and_marks_nothing_gone(folder: Path, collector: FilesCollector) -> None:
    library = Library()
    await library.collect(collector, folder)
    folder.rename(folder.parent / "elsewhere")
    with pytest.raises(TargetMissing):
        await library.collect(collector, folder)
    assert not library.gone


async def test_a_single_file_is_collected_and_later_gone(folder: Path, collector: FilesCollector) -> None:
    library = Library()
    await library.collect(collector, folder / "b.md")
    assert library.names() == ["b.md"]
    await library.collect(collector, folder / "b.md")
    assert len(library.unchanged) == 1
    (folder / "b.md").unlink()
    await library.collect(collector, folder / "b.md")
    assert library.gone == {(folder / "b.md").as_uri()}


async def test_a_file_never_seen_that_is_missing_fails(folder: Path, collector: FilesCollector) -> None:
    with pytest.raises(TargetMissing):
        await Library().collect(collector, folder / "none.md")


async def test_hidden_files_and_other_formats_are_passed_by(folder: Path, collector: FilesCollector) -> None:
    for name in (".git/x.md", "node_modules/x.md", ".hidden.md", "~$b.docx", "picture.png", "sub/.obsidian/x.md"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("Text.")
    library = Library()
    await library.collect(collector, folder)
    assert len(library.documents) == 4
    assert not library.failures


async def test_a_hidden_folder_is_read_when_it_is_the_target(folder: Path, collector: FilesCollector) -> None:
    hidden = folder / ".drafts"
    hidden.mkdir()
    (hidden / "x.md").write_text("Text.")
    library = Library()
    await library.collect(collector, hidden)
    await library.collect(collector, folder)  # its walk does not meet x.md, which is no reason to call it gone
    assert "x.md" in library.names()
    assert not library.gone


async def test_pipes_sockets_and_devices_are_never_opened(folder: Path, collector: FilesCollector) -> None:
    os.mkfifo(folder / "pipe.md")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "s.md"))
        (folder / "null.md").symlink_to("/dev/null")
        library = Library()
        await library.collect(collector, folder)
    assert len(library.documents) == 4
    for name in ("pipe.md", "s.md"):
        with pytest.raises(Refused) as refused:
            read_file(folder / name, folder, 100)
        assert refused.value.code == "not_a_file"


async def test_links_are_followed_below_the_roots_only(folder: Path, collector: FilesCollector, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("Secret.")
    beside = folder.parent / "beside"
    beside.mkdir()
    (beside / "inside.md").write_text("Inside the roots.")
    (folder / "out.md").symlink_to(tmp_path / "secret.md")
    (folder / "beside").symlink_to(beside)
    (folder / "again").symlink_to(beside)
    (folder / "loop").symlink_to(folder)
    (beside / "back").symlink_to(beside)
    (folder / "same.md").symlink_to(folder / "b.md")
    (folder / "dangling.md").symlink_to(folder / "nowhere.md")
    library = Library()
    await library.collect(collector, folder)
    assert sorted(library.names()) == ["%C3%A9%20z.md", "a.txt", "b.md", "c.md", "inside.md"]
    assert (beside / "inside.md").as_uri() in library.documents
    assert [(failure.code, failure.target) for failure in library.failures] == [
        ("outside_roots", str(folder / "out.md"))
    ]


async def test_files_behind_links_are_gone_when_they_are(folder: Path, collector: FilesCollector) -> None:
    beside, alone = folder.parent / "beside", folder.parent / "alone"
    (beside / "deep").mkdir(parents=True)
    alone.mkdir()
    for path in (beside / "a.md", beside / "deep" / "b.md", beside / "c.md", alone / "d.md", alone / "e.md"):
        path.write_text("Text.")
    (folder / "beside").symlink_to(beside)
    (folder / "d.md").symlink_to(alone / "d.md")
    library = Library()
    library.save(Page(documents=[Collected("files", (alone / "e.md").as_uri(), "collected for itself")]))
    await library.collect(collector, folder)
    (beside / "a.md").unlink()
    shutil.rmtree(beside / "deep")
    (alone / "d.md").unlink()
    (alone / "e.md").unlink()  # no link leads there
    await library.collect(collector, folder)
    assert library.gone == {path.as_uri() for path in (beside / "a.md", beside / "deep" / "b.md", alone / "d.md")}


async def test_what_a_link_leads_to_on_a_disk_that_is_not_there_is_not_gone(
    folder: Path, collector: FilesCollector
) -> None:
    disk = folder.parent / "disk"
    disk.mkdir()
    for path in (disk / "a.md", disk / "b.md"):
        path.write_text("Text.")
    (folder / "disk").symlink_to(disk)
    (folder / "a.md").symlink_to(disk / "a.md")
    library = Library()
    await library.collect(collector, folder)
    disk.rename(folder.parent / "unmounted")
    await library.collect(collector, folder)
    assert not library.gone


def test_a_link_put_in_the_way_after_the_look_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "c.md").write_text("Secret.")
    (folder / "sub" / "c.md").unlink()
    (folder / "sub").rmdir()
    (folder / "sub").symlink_to(tmp_path / "secret")
    with pytest.raises(Refused):
        read_file(folder / "sub" / "c.md", folder, 100)
    (folder / "b.md").unlink()
    (folder / "b.md").symlink_to(tmp_path / "secret" / "c.md")
    with pytest.raises(Refused):
        read_file(folder / "b.md", folder, 100)


async def test_a_target_that_leads_outside_by_now_is_refused(
    folder: Path, collector: FilesCollector, tmp_path: Path
) -> None:
    (tmp_path / "secret").mkdir()
    folder.rename(folder.parent / "old")
    folder.symlink_to(tmp_path / "secret")
    with pytest.raises(OutsideRoots):
        await Library().collect(collector, folder)


async def test_without_roots_nothing_is_read(folder: Path) -> None:
    with pytest.raises(OutsideRoots):
        await Library().collect(make_collector(roots=[]), folder)


async def test_each_unreadable_file_is_one_failure_with_its_reason(folder: Path) -> None:
    (folder / "bad.pdf").write_bytes(b"%PDF-1.4 nonsense")
    (folder / "empty.md").write_bytes(b"")
    (folder / "large.txt").write_text("x" * 5000)
    library = Library()
    await library.collect(make_collector(roots=[folder], max_bytes=4000), folder)
    assert {Path(failure.target).name: failure.code for failure in library.failures} == {
        "bad.pdf": "unreadable",
        "empty.md": "no_text",
        "large.txt": "too_large",
    }
    assert len(library.documents) == 4


@pytest.fixture
def unprivileged(folder: Path) -> Iterator[Path]:
    """The folder, where permissions hold: for root, a copy that is nobody's, while we are nobody."""
    if os.geteuid() != 0:
        yield folder
        return
    with tempfile.TemporaryDirectory() as above:
        copied = Path(above).resolve() / folder.name
        shutil.copytree(folder, copied)
        for one in (copied.parent, copied, *copied.rglob("*")):
            os.chown(one, _NOBODY, _NOBODY)
        os.seteuid(_NOBODY)
        try:
            yield copied
        finally:
            os.seteuid(0)


async def test_what_may_not_be_read_is_a_failure_and_not_gone(unprivileged: Path) -> None:
    library, folder, collector = Library(), unprivileged, make_collector(roots=[unprivileged.parent])
    await library.collect(collector, folder)
    (folder / "sub").chmod(0)
    (folder / "b.md").write_text("changed")
    (folder / "b.md").chmod(0)
    try:
        await library.collect(collector, folder)
    finally:
        (folder / "sub").chmod(0o700)
    assert [failure.code for failure in library.failures] == ["unreadable", "unreadable"]
    assert not library.gone


async def test_a_poisonous_file_is_left_alone(folder: Path, collector: FilesCollector) -> None:
    library = Library()
    await library.collect(collector, folder, set_aside=frozenset({str(folder / "b.md")}))
    assert [failure.code for failure in library.failures] == ["poisonous"]
    assert str(folder / "b.md") not in library.suspects


async def test_names_that_are_no_text_are_collected(folder: Path, collector: FilesCollector) -> None:
    path = Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe.md"))
    path.write_text("Text.")
    library = Library()
    await library.collect(collector, folder)
    document = library.documents[path.as_uri()]
    document.title.encode()
    path.unlink()
    await library.collect(collector, folder)
    assert library.gone == {path.as_uri()}
