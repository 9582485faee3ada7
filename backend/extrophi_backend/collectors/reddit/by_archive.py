"""Collecting from a data export: first what the person wrote, out of the export itself, then what they saved.

What they saved is known by its id alone: it is asked for as any post is that is looked at again.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from extrophi_backend.archives.models import ANEW, Archives
from extrophi_backend.archives.reading import BadArchive
from extrophi_backend.collectors.models import Collected, Failure, Head, Page, Run, Target, Validators
from extrophi_backend.collectors.reddit.archive import Export, export_in
from extrophi_backend.collectors.reddit.by_post import ByPost, Group
from extrophi_backend.collectors.reddit.exported import capture_of, read_comment, read_commented, read_post
from extrophi_backend.collectors.reddit.knowing import OWN_COMMENTS, is_better, validators_of
from extrophi_backend.collectors.reddit.models import Comment
from extrophi_backend.collectors.reddit.places import post_address
from extrophi_backend.collectors.reddit.progress import ExportProgress
from extrophi_backend.collectors.reddit.writing import document
from extrophi_backend.errors import Refused

_LINES = 10_000
"""Read at once: a job that is canceled ends after them."""
_POSTS = 50
_BYTES = 2 * 2**20
"""A page has so many posts, or lines of so many bytes."""
_SAVED = 100
"""Asked for at once: as many ids as `/api/info` takes."""
_DONE = {"done": True}


@dataclass(frozen=True, slots=True)
class _Origin:
    """Whose export it is, and when the last of what they wrote in it was written."""

    account: str | None
    until: str

    def is_before(self, held: Validators) -> bool:
        """Whether a later export of the same person has made this document."""
        is_theirs = held.get("way") == "archive" and held.get("account") == self.account
        return is_theirs and str(held.get("until")) > self.until


class ByArchive:
    """One run.

    Args:
        run: Its target names the archive.
        archives: Where that is kept.
        ask: Collects the posts that a run is to look at again.
        now: The present.
    """

    def __init__(
        self,
        run: Run,
        archives: Archives | None,
        ask: Callable[[Run], AsyncGenerator[Page, None]],
        now: Callable[[], datetime],
    ) -> None:
        self._run = run
        self._archives = archives
        self._ask = ask
        self._now = now
        self._at = ExportProgress(run.cursor or {})

    async def pages(self) -> AsyncGenerator[Page, None]:
        """Work from the cursor on.

        Raises:
            Refused: what is wrong with the archive, or why Reddit gives nothing.
            PlatformUnavailable: Reddit asked us to come back later.
        """
        try:
            for stage in (self._own, self._saved):
                async with aclosing(stage()) as pages:
                    async for page in pages:
                        yield page
        except BadArchive as error:
            raise Refused(error.code, error.detail, hint=ANEW) from error

    async def _own(self) -> AsyncGenerator[Page, None]:
        """What the person wrote, a document for each post."""
        if self._at.is_own_done:
            return
        export, written = await self._export(), ByPost()
        try:
            lines = export.own()
            while await asyncio.to_thread(written.add, islice(lines, _LINES)):
                pass
            origin = _Origin(export.account, written.latest)
            groups = written.groups(self._at.last)
            while not self._at.is_enough(self._run.limit):
                most = min(_POSTS, self._run.limit - self._at.handled)
                batch = await asyncio.to_thread(_batch, groups, most)
                if not batch:
                    break
                yield await self._written(batch, origin)
        finally:
            written.close()
        self._at.is_own_done = True
        yield Page(failures=[*self._unread(export.strange), *self._strange(export.unreadable)], cursor=self._at.cursor)

    async def _written(self, batch: Sequence[Group], origin: _Origin) -> Page:
        """A page of the person's own posts, and of those that they commented on."""
        names = [f"t3_{group.post_id}" for group in batch]
        held = await self._run.known.heads(names)
        kept = {name for name in names if name in held and _is_kept(held[name].validators, origin)}
        groups = [group for group, name in zip(batch, names, strict=True) if name not in kept]
        now = self._now()
        made = await asyncio.to_thread(lambda: [_document(group, origin, held, now) for group in groups])
        documents = [one for one in made if one is not None]
        self._at.last = batch[-1].post_id
        self._at.handled += len(documents) + len(kept)
        return Page(
            documents=documents,
            unchanged=[name for name in names if name in kept],
            failures=[_more_left(group) for group in groups if group.left],
            cursor=self._at.cursor,
            reached=[post_address(group.post_id) for group in batch],
        )

    async def _saved(self) -> AsyncGenerator[Page, None]:
        """The posts that the person saved, or saved comments on."""
        saved: Iterator[str] | None = None
        unreadable: Counter[str] = Counter()
        while not self._at.is_enough(self._run.limit):
            if not self._at.batch:
                if saved is None:
                    export = await self._export()
                    saved, unreadable = export.saved(), export.unreadable
                    await asyncio.to_thread(_pass_over, saved, self._at.tried)
                most = min(_SAVED, self._run.limit - self._at.handled)
                self._at.batch = await asyncio.to_thread(list, islice(saved, most))
                if not self._at.batch:
                    break
            async with aclosing(self._asked(self._at.batch)) as pages:
                async for page in pages:
                    yield page
        yield Page(failures=self._strange(unreadable), cursor=_DONE)

    async def _asked(self, batch: Sequence[str]) -> AsyncGenerator[Page, None]:
        """These posts, from Reddit."""
        target = Target("reddit", post_address(batch[0]), self._run.target.typed)
        revisit = [f"t3_{one}" for one in batch]
        run = replace(self._run, target=target, cursor=self._at.asking, purpose="revisit", revisit=revisit)
        async with aclosing(self._ask(run)) as pages:
            async for page in pages:
                self._at.note(page)
                if page.cursor == _DONE:
                    self._at.end_batch()
                else:
                    self._at.asking = page.cursor
                yield replace(page, cursor=self._at.cursor)

    async def _export(self) -> Export:
        """Raises Refused: it is not there, or none; BadArchive."""
        if self._archives is None:
            raise Refused("archive_gone", "No archives are kept here.")
        archive = await self._archives.open(self._run.target.canonical)
        export = await asyncio.to_thread(export_in, archive)
        if export is None:
            raise Refused("unreadable", "The archive is no data export of Reddit's.")
        return export

    def _unread(self, tables: Sequence[str]) -> list[Failure]:
        """A failure for each table that nobody can read."""
        return [
            Failure(
                self._run.target.typed,
                "unknown_part",
                f"{table}.csv has no column that says which post a line belongs to, and was passed over.",
            )
            for table in tables
        ]

    def _strange(self, unreadable: Mapping[str, int]) -> list[Failure]:
        """A failure for each table with lines that nobody can place."""
        return [
            Failure(
                self._run.target.typed,
                "unknown_part",
                f"{number:,} lines of {table}.csv do not say which post they belong to, and were passed over."
                if number > 1
                else f"A line of {table}.csv does not say which post it belongs to, and was passed over.",
            )
            for table, number in sorted(unreadable.items())
        ]


def _batch(groups: Iterator[Group], most: int) -> list[Group]:
    """The next groups, as many as one page takes, and no more than `most`."""
    batch: list[Group] = []
    size = 0
    for group in islice(groups, most):
        batch.append(group)
        size += group.size
        if size >= _BYTES:
            break
    return batch


def _pass_over(ids: Iterator[str], number: int) -> None:
    for _ in islice(ids, number):
        pass


def _is_kept(held: Validators, origin: _Origin) -> bool:
    """Whether a document that is there is to stay as it is."""
    return is_better(held, "archive") or origin.is_before(held)


def _document(group: Group, origin: _Origin, held: Mapping[str, Head], now: datetime) -> Collected | None:
    """The document of a post that the person wrote or commented on; None where nothing of it is left to read."""
    posts = [line.cells for line in group.lines if line.table == "posts"]
    comments = [line.cells for line in group.lines if line.table == "comments"]
    name = group.post_id
    post = read_post(name, posts[0], origin.account) if posts else read_commented(name, comments[0])
    read = {one.name: one for one in (read_comment(name, cells, origin.account) for cells in comments)}
    said = sorted((one for one in read.values() if one.words.text.strip()), key=_when)
    if not said and not (posts and (post.words.text.strip() or post.title.strip())):
        return None
    validators: dict[str, Any] = validators_of(post, "archive", now)
    validators |= {"account": origin.account, "until": origin.until, OWN_COMMENTS: len(said)}
    head = held.get(post.name)
    return document(
        post,
        said,
        format_="markdown",
        capture=capture_of(posts, comments),
        validators=validators,
        based_on=head.version if head else 0,  # what another job brought meanwhile is more
    )


def _when(comment: Comment) -> tuple[float, str]:
    written = comment.words.published_at
    return written.timestamp() if written else 0.0, comment.name


def _more_left(group: Group) -> Failure:
    detail = f"{group.left:,} comments of your own were left out: they are more than one document takes."
    return Failure(post_address(group.post_id), "more_left", detail)
