"""Documents written by two at once."""

import asyncio

import pytest

from extrophi_backend.collectors.models import Anchor, Block, Collected
from extrophi_backend.db import Pool
from extrophi_backend.documents import service
from extrophi_backend.documents.models import Links, Others, Prepared
from extrophi_backend.errors import Overtaken


@pytest.mark.parametrize("others", [Others("web", unchanged=("a",)), None])
async def test_a_document_that_was_gone_and_is_back_is_told_of(pool: Pool, others: Others | None) -> None:
    """Whether its server says that nothing changed, or sends the same again."""
    (one,) = await service.prepare(pool, None, [Collected("web", "a", "Herons.")])

    async def write(prepared: list[Prepared], others: Others) -> None:
        async with pool.acquire() as conn, conn.transaction():
            await conn.execute("DELETE FROM changes")
            await service.write(conn, prepared, Links(), others)

    await write([one], Others("web"))
    await write([], Others("web", gone=("a",)))
    for changes in (1, 0):  # once
        await write([one] if others is None else [], others or Others("web"))
        assert await pool.fetchval("SELECT count(*) FROM changes") == changes  # search hears of it
    events = await pool.fetch("SELECT kind, version FROM events ORDER BY seq")
    assert [tuple(row) for row in events] == [
        ("document.created", 1),
        ("document.gone", 1),
        ("document.updated", 1),
    ]
    row = await pool.fetchrow("SELECT state, gone_at, version FROM documents")
    assert tuple(row or ()) == ("collected", None, 1)


@pytest.mark.parametrize("others", [Others("web", unchanged=("b", "a")), Others("web", gone=("b", "a"))])
async def test_documents_are_locked_in_one_order_whatever_was_found_of_them(pool: Pool, others: Others) -> None:
    prepared = await service.prepare(pool, None, [Collected("web", name, name) for name in ("a", "b")])
    async with pool.acquire() as first, pool.acquire() as second, pool.acquire() as third:
        async with first.transaction():
            await service.write(first, prepared, Links())

        async def write() -> None:
            async with second.transaction():
                await service.write(second, [], Links(), others)

        transaction = first.transaction()
        await transaction.start()
        await first.execute("SELECT FROM documents WHERE external_id = 'a' FOR UPDATE")
        writing = asyncio.create_task(write())
        async with asyncio.timeout(10):
            while not await third.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
                await asyncio.sleep(0.02)
        # It waits for the first of them and holds none, so that nobody can be waiting for it.
        async with third.transaction():
            await third.execute("SELECT FROM documents WHERE external_id = 'b' FOR UPDATE NOWAIT")
        await transaction.rollback()
        await writing
        state = await first.fetch("SELECT DISTINCT state FROM documents")
    assert [row["state"] for row in state] == ["gone" if others.gone else "collected"]


@pytest.mark.parametrize("based_on", [0, 1])
async def test_what_was_made_from_another_version_than_is_there_is_not_written(pool: Pool, based_on: int) -> None:
    async def write(one: Collected) -> None:
        prepared = await service.prepare(pool, None, [one])
        async with pool.acquire() as conn, conn.transaction():
            await service.write(conn, prepared, Links())

    await write(Collected("twitter", "1", "One.", based_on=0))
    await write(Collected("twitter", "1", "One.\n\nTwo.", based_on=1))
    with pytest.raises(Overtaken):
        await write(Collected("twitter", "1", "One.\n\nThree.", based_on=based_on))
    assert await pool.fetchval("SELECT array_agg(text ORDER BY version) FROM document_versions") == [
        "One.",
        "One.\n\nTwo.",
    ]


async def test_a_chunk_has_the_anchors_that_hold_for_some_of_it(pool: Pool) -> None:
    comments = [f"Comment {number} says {'that herons eat frogs, ' * number}" for number in range(12)]
    text, starts = "", list[int]()
    for comment in comments:
        starts.append(len(text) + 2 if text else 0)
        text = f"{text}\n\n{comment}" if text else comment
    anchors = [Anchor(start, author=f"user{n}", depth=0) for n, start in enumerate(starts) if n]  # none for the first
    blocks = [Block(start, start + len(one)) for start, one in zip(starts, comments, strict=True)]
    prepared = await service.prepare(
        pool,
        None,
        [Collected("reddit", "t3_a", text, blocks=blocks, anchors=anchors), Collected("web", "b", "None here.")],
    )
    async with pool.acquire() as conn, conn.transaction():
        await service.write(conn, prepared, Links())
    rows = await pool.fetch(
        """SELECT start_offset AS a, end_offset AS b, anchors, d.platform FROM chunks c
             JOIN documents d ON d.id = c.document_id ORDER BY platform, a"""
    )
    assert rows[-1]["anchors"] is None
    assert len(rows) == 4
    for row in rows[:-1]:
        before = [start for start in starts[1:] if start <= row["a"]][-1:]
        inside = [start for start in starts[1:] if row["a"] < start < row["b"]]
        assert [offset for offset, _ in row["anchors"]] == [*before, *inside]
