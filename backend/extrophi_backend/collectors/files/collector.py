"""Collecting a file, or all files of a folder.

A document's external id is the `file://` URI of the file's canonical path, and so is its url: a renamed file is a new
document, and the old one is gone. A file whose size and time of change are as they were is not read again.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from extrophi_backend.collectors.files.errors import OutsideRoots, TargetMissing
from extrophi_backend.collectors.files.walk import (
    Found,
    Linked,
    Refused,
    Unreadable,
    below,
    path_of,
    read_file,
    reason,
    shown,
    status_of,
    uri_of,
    walk,
)
from extrophi_backend.collectors.models import Capture, Collected, Cursor, Failure, Page, Run, Validators
from extrophi_backend.extraction.detecting import MEDIA_TYPES, SUFFIXES, suffix
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.service import MAX_BYTES, extract

_BATCH = 200
"""Files whose validators are asked for at once."""
_PAGE_DOCUMENTS = 20
_PAGE_BYTES = 8 * 2**20
_PAGE_SECONDS = 3.0
"""A page is given when it has this many documents or bytes, or has been in the making this long."""
_EXTRACTION = 2
"""Raised when extraction gets better: files are then read again although they did not change."""


def make_collector(*, roots: Sequence[Path], max_bytes: int = MAX_BYTES) -> "FilesCollector":
    """The collector for `files`.

    Args:
        roots: Folders it may read below (EXTROPHI_FILES_ROOTS). None: nothing may be read.
        max_bytes: A longer file is a failure.
    """
    return FilesCollector(roots=tuple(root.resolve() for root in roots), max_bytes=max_bytes)


@dataclass(slots=True)
class _Draft:
    """A page in the making."""

    documents: list[Collected] = field(default_factory=list[Collected])
    unchanged: list[str] = field(default_factory=list[str])
    failures: list[Failure] = field(default_factory=list[Failure])
    reached: list[str] = field(default_factory=list[str])
    size: int = 0
    begun: float = field(default_factory=monotonic)

    def is_full(self) -> bool:
        return (
            len(self.documents) >= _PAGE_DOCUMENTS
            or self.size >= _PAGE_BYTES
            or monotonic() - self.begun > _PAGE_SECONDS
            or len(self.unchanged) + len(self.failures) >= _BATCH
        )

    def is_empty(self) -> bool:
        return not (self.documents or self.unchanged or self.failures)

    def page(self, cursor: Cursor) -> Page:
        return Page(
            tuple(self.documents),
            tuple(self.unchanged),
            failures=tuple(self.failures),
            cursor=cursor,
            reached=tuple(self.reached),
        )


class FilesCollector:
    """Reads files below the given roots, and no others."""

    def __init__(self, *, roots: Sequence[Path], max_bytes: int) -> None:
        self._roots = roots
        self._max_bytes = max_bytes

    async def collect(self, run: Run) -> AsyncGenerator[Page, None]:
        """The documents of a file or a folder, in the order of their paths.

        The cursor says which path was handled last and how many were. A run that goes on lists the folder anew and
        passes over all paths up to it, so files that came or went meanwhile do it no harm.

        Raises:
            OutsideRoots, TargetMissing.
        """
        target = Path(run.target.canonical)
        root = await asyncio.to_thread(self._checked, target)
        is_folder = await asyncio.to_thread(target.is_dir)
        pages = self._folder(run, target) if is_folder else self._file(run, target, root)
        async for page in pages:
            yield page

    def _checked(self, target: Path) -> Path:
        """The root that `target` is below.

        Raises:
            OutsideRoots, TargetMissing.
        """
        # It was canonical when it was typed; a link may have come into it since.
        root = below(target, self._roots)
        if root is None or target.resolve() != target:
            raise OutsideRoots(shown(target))
        try:
            if status_of(target) is None and status_of(target.parent) is None:
                raise TargetMissing(shown(target))
        except OSError as error:
            raise TargetMissing(shown(target), reason(error)[1]) from error
        return root

    async def _file(self, run: Run, path: Path, root: Path) -> AsyncGenerator[Page, None]:
        uri = uri_of(path)
        known = await run.known.validators([uri])
        if await asyncio.to_thread(status_of, path) is None:
            if uri not in known:
                raise TargetMissing(shown(path))
            # A folder that is missing with all in it may be a disk that is not there (see `_folder`); a single file
            # missing from a folder that is there is gone. A folder collected earlier is told by what is known below.
            if await run.known.external_ids(f"{uri}/"):
                raise TargetMissing(shown(path))
            yield Page(gone=(uri,), cursor={"done": True})
            return
        draft = _Draft()
        await self._handle(run, path, root, known, draft)
        yield draft.page({"done": True})

    async def _folder(self, run: Run, folder: Path) -> AsyncGenerator[Page, None]:
        entries = await asyncio.to_thread(lambda: list(walk(folder, self._roots)))
        after, handled = _position(run.cursor)
        troubles = [entry for entry in entries if isinstance(entry, Unreadable)]
        if any(not trouble.place for trouble in troubles):
            raise TargetMissing(shown(folder), troubles[0].detail)
        found = {entry.path: entry for entry in entries if isinstance(entry, Found)}  # a file two links lead to, once
        files = sorted(found.values(), key=lambda entry: entry.place)
        rest = iter([entry for entry in files if entry.place > after])
        draft = _Draft()
        if run.cursor is None:
            draft.failures.extend(Failure(shown(trouble.path), trouble.code, trouble.detail) for trouble in troubles)
        while handled < run.limit and (batch := list(islice(rest, min(_BATCH, run.limit - handled)))):
            known = await run.known.validators([uri_of(entry.path) for entry in batch])
            for entry in batch:
                root = below(entry.path, self._roots)
                assert root is not None  # `walk` saw to it
                await self._handle(run, entry.path, root, known, draft)
                handled += 1
                if draft.is_full():
                    yield draft.page(_cursor(entry, handled))
                    draft = _Draft()
            if not draft.is_empty():
                yield draft.page(_cursor(batch[-1], handled))
                draft = _Draft()
        if not draft.is_empty():
            yield draft.page({"after": "", "handled": handled} if run.cursor is None else dict(run.cursor))
        if next(rest, None) is None:
            walked = [folder, *(entry.path for entry in entries if isinstance(entry, Linked))]
            gone = await self._gone(run, walked, {uri_of(path) for path in found}, [t.path for t in troubles])
            end = run.cursor if not files else _cursor(files[-1], handled)
            for at in range(0, len(gone), _BATCH):
                yield Page(gone=gone[at : at + _BATCH], cursor=end)

    async def _gone(
        self, run: Run, walked: Sequence[Path], seen: set[str], unreadable: Sequence[Path]
    ) -> Sequence[str]:
        """Documents whose files are no more: not met by a walk of the whole folder, and not there when asked for.

        A document below a folder that could not be listed is left as it is, and so is one that is merely not
        walked to any more, in a folder that was given a dot, say, or collected as a target of its own. The file that
        a link led to counts only while the folder it stood in is there: it may be a disk that is not.
        """
        doubtful: dict[Path, None] = {}
        for place in walked:
            uri = uri_of(place).rstrip("/")
            known = await run.known.external_ids(uri)
            below_it = (one for one in known if one == uri or one.startswith(f"{uri}/"))
            doubtful |= {path_of(one): None for one in below_it if one not in seen}

        def missing(path: Path) -> bool:
            try:
                if below(path, unreadable) is not None or status_of(path) is not None:
                    return False
                return path not in walked or status_of(path.parent) is not None
            except OSError:
                return False

        return await asyncio.to_thread(lambda: [uri_of(path) for path in doubtful if missing(path)])

    async def _handle(self, run: Run, path: Path, root: Path, known: Mapping[str, Validators], draft: _Draft) -> None:
        """Look at a file, read it if it changed, and put what came of it into `draft`."""
        uri, name = uri_of(path), shown(path)
        if name in run.set_aside:
            draft.failures.append(Failure(name, "poisonous", "Reading it ended the worker five times."))
            return
        try:
            status = path.lstat()  # noqa: ASYNC240  a thread per file would cost ten times the call
            validators = known.get(uri)
            if validators is not None and validators == _validators(status):
                draft.unchanged.append(uri)
                draft.reached.append(name)
                return
            await run.suspect(name)
            body, status = await asyncio.to_thread(read_file, path, root, self._max_bytes)
            document = await self._document(path, body, _validators(status))
        except OSError as error:
            draft.failures.append(Failure(name, *reason(error)))
        except (Refused, ExtractionFailed) as refusal:
            draft.failures.append(Failure(name, refusal.code, refusal.detail))
        else:
            draft.documents.append(document)
            draft.reached.append(name)
            draft.size += len(body)

    async def _document(self, path: Path, body: bytes, validators: Validators) -> Collected:
        uri = uri_of(path)
        extracted = await extract(body, media_type=None, name=shown(path), url=uri, max_bytes=self._max_bytes)
        named = SUFFIXES.get(suffix(path.name), "text")
        media_type = MEDIA_TYPES["html" if extracted.format == "html" else named]
        return Collected(
            platform="files",
            external_id=uri,
            text=extracted.text,
            format=extracted.format,
            blocks=extracted.blocks,
            anchors=extracted.anchors,
            title=extracted.title or shown(Path(path.stem)),
            author=extracted.author,
            url=uri,
            canonical_url=extracted.canonical_url,
            published_at=extracted.published_at,
            language=extracted.language,
            capture=Capture(body, media_type),
            validators=validators,
        )


def _validators(status: os.stat_result) -> dict[str, Any]:
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "extraction": _EXTRACTION}


def _cursor(entry: Found, handled: int) -> Cursor:
    return {"after": quote_from_bytes(b"/".join(entry.place)), "handled": handled}


def _position(cursor: Cursor | None) -> tuple[tuple[bytes, ...], int]:
    """The place of the last file handled, and how many were. The empty place comes before all files."""
    if not cursor or not cursor.get("after"):
        return (), int(cursor.get("handled", 0)) if cursor else 0
    return tuple(unquote_to_bytes(str(cursor["after"])).split(b"/")), int(cursor.get("handled", 0))
