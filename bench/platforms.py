"""10,000 posts of X and a tree of 5,000 comments of Reddit collected by a job, against parsing and COPY alone.

    python -m bench.platforms [--posts 10000] [--comments 5000] [--rounds 9]

The job is run as a worker runs it: over HTTP from a local server that speaks the platform's wire format (a process of
its own), under its lease, page by page with its cursor, what is there looked at, captures kept, chunks cut, rows
written with all that follows a document. The peer is given the same answers as bytes, makes documents of them by the
same parsers, cuts the same chunks, and has PostgreSQL COPY the rows of documents, versions and chunks: what can be done
with nothing asked, compared, kept or resumed. Both take turns, each into an empty database: the ratio is
the median of the rounds', since the machine's speed wanders more from one round to the next than within one. Memory is
that of the worker's process after a tenth of the posts and after all of them.
"""

import argparse
import asyncio
import hashlib
import json
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from pydantic import SecretStr
from typing_extensions import override
from uuid_utils.compat import uuid7

from bench.library import database
from extrophi_backend.accounts.service import Accounts
from extrophi_backend.captures.store import Captures
from extrophi_backend.collectors.models import Collected, Run
from extrophi_backend.collectors.registry import make_registry
from extrophi_backend.db import Pool, copy, make_pool
from extrophi_backend.fetch.client import Budget, Fetcher
from extrophi_backend.index.chunking import blocks_of, chunk_spans
from extrophi_backend.index.hashing import embedding_hash
from extrophi_backend.jobs import service as jobs
from extrophi_backend.settings import Settings
from extrophi_backend.worker import new_event_loop
from tests.collecting import LOOPBACK, Library
from tests.platforms import reddit, x

MOST_RATIO = 1.5
_HANDLE = "writer"
_POST = "1abcde"
_TABLES = "documents, chunks, document_versions, jobs, memos, changes, events, embedding_queue"


@dataclass
class XServer(x.XServer):
    """Makes each answer once: what a platform's own computers do is no part of what is compared."""

    made: dict[tuple[str, ...], tuple[int, bytes, dict[str, str]]] = field(
        default_factory=dict[tuple[str, ...], tuple[int, bytes, dict[str, str]]]
    )

    @override
    def answer(self, path: str, query: dict[str, str], token: str) -> tuple[int, Any, dict[str, str]]:
        key = path, *(part for item in query.items() for part in item)
        if key not in self.made:
            status, body, headers = super().answer(path, query, token)
            self.made[key] = status, json.dumps(body, ensure_ascii=False).encode(), headers
        return self.made[key]


@dataclass
class RedditServer(reddit.RedditServer):
    """As that of X. Whoever signs in gets a token of their own."""

    made: dict[tuple[str, ...], reddit.Reply] = field(default_factory=dict[tuple[str, ...], reddit.Reply])

    @override
    def reply(self, method: str, target: str, headers: Mapping[str, str], body: str) -> reddit.Reply:
        key = method, target, body
        if "access_token" in target:
            return super().reply(method, target, headers, body)
        if key not in self.made:
            self.made[key] = super().reply(method, target, headers, body)
        return self.made[key]


def serve(told: "Pipe[Any, Any]", posts: int, comments: int) -> None:
    """Both platforms, in a process of their own: the worker is not to do their work."""
    first = datetime(2020, 1, 1, tzinfo=UTC)
    x_server, reddit_server = XServer(), RedditServer(remaining=10**9)
    writer, other = x.User("20", _HANDLE, "A Writer"), x.User("21", "other", "Another")
    x_server.add(x.written_by(writer, posts, other=other, first=first))
    reddit_server.add(reddit.make_thread(_POST, comments=comments))
    with x.serving(x_server), reddit.serving(reddit_server):
        told.send((x_server.url, reddit_server.url, reddit_server.oauth_url))
        told.recv()


class Replay(Fetcher):
    """Asks the servers once; from then on it gives the answers that it had, without asking."""

    def __init__(self) -> None:
        super().__init__(max_bytes=64 * 2**20, seconds=60, allow=LOOPBACK)
        self.answers: dict[tuple[str, str, bytes | None], httpx.Response] = {}

    @override
    async def ask(
        self,
        url: str,
        headers: Mapping[str, str],
        budget: Budget,
        *,
        method: str = "GET",
        content: bytes | None = None,
        most: int | None = None,
    ) -> httpx.Response:
        key = method, url, content
        if key not in self.answers:
            self.answers[key] = await super().ask(url, headers, budget, method=method, content=content, most=most)
        return self.answers[key]


@dataclass
class Bench:
    """A worker's parts over one database, and what the peer has instead."""

    pool: Pool
    settings: Settings
    folder: Path
    captures: Captures
    replay: Replay

    async def job(self, typed: str, limit: int) -> float:
        """Seconds that a job takes, from its lease to its end."""
        await self._clear()
        registry = make_registry(self.settings, self.pool, Accounts(self.pool, self.settings), self.captures)
        parts = jobs.Parts(self.pool, self.captures, registry, "bench", lambda: None)
        async with self.pool.acquire() as conn, conn.transaction():
            job = await jobs.create(conn, registry.recognise(typed), collection="default", limit=limit)
        began = time.perf_counter()
        await jobs.run(parts, job.id)
        took = time.perf_counter() - began
        async with self.pool.acquire() as conn:
            ended = await jobs.get(conn, job.id)
        assert ended.status == "succeeded", ended
        await registry.close()
        return took

    async def alone(self, typed: str, limit: int) -> tuple[float, int, int]:
        """Seconds that parsing and COPY take; how many documents and chunks."""
        await self._clear()
        registry = make_registry(self.settings, self.pool, Accounts(self.pool, self.settings), self.captures)
        target = registry.recognise(typed)
        collector = registry.collectors[target.platform]
        collector._fetcher = self.replay  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue]  the one thing that differs
        documents = chunks = 0
        began = time.perf_counter()
        library = Nothing()
        async with aclosing(collector.collect(Run(target, limit, None, library, library.suspect))) as pages:
            async for page in pages:
                library.versions |= {one.external_id: 1 for one in page.documents}
                written = await asyncio.to_thread(_rows, page.documents)
                documents, chunks = documents + len(written[0]), chunks + len(written[2])
                async with self.pool.acquire() as conn, conn.transaction():
                    for (table, columns), rows in zip(_COLUMNS.items(), written, strict=True):
                        await copy(conn, table, columns, rows)
        took = time.perf_counter() - began
        await registry.close()
        return took, documents, chunks

    async def _clear(self) -> None:
        await self.pool.execute(f"TRUNCATE {_TABLES} CASCADE")
        await self.pool.execute("CHECKPOINT")
        for kept in self.folder.glob("captures/captures/*/*"):  # the folders stay, as those of a library in use
            kept.unlink()


class Nothing(Library):
    """A library that holds nothing and keeps nothing."""


_COLUMNS = {
    "documents": ["id", "platform", "external_id", "url", "title", "author", "published_at", "language", "content_hash",
                  "validators"],
    "document_versions": ["document_id", "version", "text", "format", "url", "title", "author", "published_at",
                          "language", "content_hash", "anchors", "blocks"],
    "chunks": ["id", "document_id", "version", "ordinal", "start_offset", "end_offset", "heading", "text",
               "embedding_hash"],
}  # fmt: skip


def _rows(documents: Any) -> tuple[list[Any], list[Any], list[Any]]:
    heads: list[Any] = []
    versions: list[Any] = []
    chunks: list[Any] = []
    for one in documents:
        document_id = uuid7()
        digest = hashlib.sha256(one.text.encode()).digest()
        head = (one.url, one.title, one.author, one.published_at, one.language, digest)
        heads.append((document_id, one.platform, one.external_id, *head, one.validators))
        anchors = [(anchor.offset, {"url": anchor.url, "author": anchor.author}) for anchor in one.anchors]
        blocks = [[block.start, block.end, block.level] for block in one.blocks]
        versions.append((document_id, 1, one.text, one.format, *head, anchors, blocks))
        chunks += _chunks(document_id, one)
    return heads, versions, chunks


def _chunks(document_id: UUID, one: Collected) -> list[Any]:
    blocks = one.blocks or list(blocks_of(one.text, markdown=False))
    return [
        (
            uuid7(), document_id, 1, number, span.start, span.end, span.heading, one.text[span.start : span.end],
            embedding_hash(one.text[span.start : span.end]),
        )
        for number, span in enumerate(chunk_spans(one.text, blocks))
    ]  # fmt: skip


@asynccontextmanager
async def bench(urls: tuple[str, str, str]) -> AsyncGenerator[Bench]:
    x_url, reddit_url, oauth_url = urls
    client_id, client_secret = reddit.APP
    async with database() as (dsn, _):
        pool = await make_pool(dsn, name="bench")
        with tempfile.TemporaryDirectory(prefix="xb-") as folder:
            settings = Settings.model_construct().model_copy(
                update={
                    "database_url": SecretStr(dsn),
                    "data": Path(folder),
                    "fetch_allow": LOOPBACK,
                    "x_api_url": x_url,
                    "x_bearer_token": SecretStr(x.TOKEN),
                    "reddit_url": reddit_url,
                    "reddit_oauth_url": oauth_url,
                    "reddit_client_id": SecretStr(client_id),
                    "reddit_client_secret": SecretStr(client_secret),
                }
            )
            replay = Replay()
            yield Bench(pool, settings, Path(folder), Captures(None, Path(folder) / "captures"), replay)
            await replay.close()
        await pool.close()


async def compare(made: Bench, what: str, typed: str, limit: int, rounds: int) -> float:
    await made.alone(typed, limit)  # has the answers
    times: list[tuple[float, float]] = []
    documents = chunks = 0
    for _ in range(rounds):
        ours = await made.job(typed, limit)
        alone, documents, chunks = await made.alone(typed, limit)
        times.append((ours, alone))
    mine, peer = (statistics.median(column) for column in zip(*times, strict=True))
    ratios = sorted(ours / alone for ours, alone in times)
    ratio = statistics.median(ratios)
    rows = 2 * documents + chunks
    print(
        f"{what:<28} {rows:>7} rows   job {rows / mine:>7.0f} rows/s   parsing and COPY {rows / peer:>7.0f} rows/s"
        f"   ratio {ratio:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})",
        flush=True,
    )
    return ratio


def _memory() -> float:
    """Of this process at most so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--posts", type=int, default=10_000)
    arguments.add_argument("--comments", type=int, default=5_000)
    arguments.add_argument("--rounds", type=int, default=9)
    given = arguments.parse_args()
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=serve, args=(there, given.posts, given.comments), daemon=True)
    server.start()
    try:
        async with bench(await asyncio.to_thread(here.recv)) as made:
            user = f"https://x.com/{_HANDLE}"
            await made.job(user, given.posts // 10)
            tenth = _memory()
            await made.job(user, given.posts)
            print(f"memory of the worker: {tenth:.0f} MB after a tenth of the posts, {_memory():.0f} MB after all")
            ratios = [
                await compare(made, f"{given.posts} posts of X", user, given.posts, given.rounds),
                await compare(
                    made, f"{given.comments} comments of Reddit", f"redd.it/{_POST}", 1, 3 * given.rounds
                ),  # half a second each
            ]
    finally:
        here.send(None)
        server.join()
    print(f"asked: a ratio of {MOST_RATIO} at most")
    return int(max(ratios) > MOST_RATIO)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        raise SystemExit(runner.run(main()))
