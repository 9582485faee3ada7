"""What drafts, their revisions and images take as time goes by. The time is told, not waited for."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from extrophi_backend.answers import sql as answers_sql
from extrophi_backend.db import Connection, Pool
from extrophi_backend.drafts import images_sql, service, sql
from extrophi_backend.drafts.models import Content
from extrophi_backend.drafts.thinning import Saved, thin
from extrophi_backend.errors import NotFound

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n"
PARAGRAPHS = [f"Paragraph {n} of a longer text, which goes on for a while. " * 8 + "\n\n" for n in range(260)]


async def revisions(conn: Connection) -> list[int]:
    return [row[0] for row in await conn.fetch("SELECT revision FROM draft_revisions ORDER BY revision")]


async def test_an_hour_of_typing_takes_some_megabytes(pool: Pool, conn: Connection) -> None:
    """A save every six seconds, each with a few more words, in a draft of 120 KB with a bibliography."""
    items = [{"id": f"item-{n}", "title": f"Title {n}", "abstract": "It is about herons. " * 10} for n in range(300)]
    text, bibliography = [*PARAGRAPHS], items
    draft, _ = await service.create(pool, None, Content("".join(text), bibliography, {}), NOW)
    began = await conn.fetchval(
        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname LIKE 'draft%' AND relkind = 'r'"
    )
    times: dict[int, datetime] = {1: NOW}
    for number in range(600):
        at = NOW + timedelta(seconds=6 * (number + 1))
        text[number // 20 * 7] = f"{text[number // 20 * 7].rstrip()} and more.\n\n"
        saved = await service.save(
            pool, draft.id, number + 1, Content("".join(text), bibliography, {}), mark=None, now=at
        )
        times[saved.revision] = at
    grown = await conn.fetchval(
        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname LIKE 'draft%' AND relkind = 'r'"
    )
    assert grown - began < 5_000_000, grown - began  # with what a vacuum would give back
    end = NOW + timedelta(hours=1)
    found = await revisions(conn)
    assert thin([Saved(number, times[number], is_marked=False) for number in found], end - timedelta(minutes=1)) == []
    assert {number for number, at in times.items() if end - at <= timedelta(minutes=10)} <= set(found)
    assert len(found) < 160
    for number in found:  # no piece of what stays has gone
        await service.revision(pool, draft.id, number)
    read, written = await service.read(pool, draft.id)
    assert (written.text, read.revision) == ("".join(text), 601)


async def test_revisions_of_an_idle_draft_are_thinned_too(pool: Pool, conn: Connection) -> None:
    draft, _ = await service.create(pool, None, Content("0", [], {}), NOW)
    for number in range(1, 10):
        mark = "merged" if number == 4 else None
        at = NOW + timedelta(seconds=number)
        await service.save(pool, draft.id, number, Content(f"{number}", [], {}), mark=mark, now=at)
    await service.tidy(pool, NOW + timedelta(hours=1))
    assert len(await revisions(conn)) == 10
    await service.tidy(pool, NOW + timedelta(days=2))
    assert await revisions(conn) == [1, 4, 5, 10]
    assert await conn.fetchval("SELECT array_agg(body ORDER BY body) FROM draft_pieces") == ["0", "3", "4", "9"]
    await service.tidy(pool, NOW + timedelta(days=4))
    assert await revisions(conn) == [1, 4, 5, 10]


async def test_the_trash_is_emptied_after_a_month(pool: Pool, conn: Connection) -> None:
    content = Content("# Herons", [], {})
    thrown, _ = await service.create(pool, None, content, NOW)
    kept, _ = await service.create(pool, None, content, NOW)
    await service.trash(pool, thrown.id, NOW)
    await service.tidy(pool, NOW + timedelta(days=29))
    assert (await service.recover(pool, thrown.id)).revision == 1
    await service.trash(pool, thrown.id, NOW + timedelta(days=1))
    await service.tidy(pool, NOW + timedelta(days=30, hours=23))
    await service.get(pool, thrown.id)
    await service.tidy(pool, NOW + timedelta(days=31, hours=1))
    with pytest.raises(NotFound):
        await service.get(pool, thrown.id)
    await service.get(pool, kept.id)


async def test_an_image_goes_when_no_revision_mentions_it_any_more(pool: Pool, conn: Connection) -> None:
    draft, _ = await service.create(pool, uuid4(), Content("", [], {}), NOW)
    first, _ = await service.keep_image(pool, draft.id, PNG + b"1", NOW)
    second, _ = await service.keep_image(pool, draft.id, PNG + b"2", NOW)
    third, _ = await service.keep_image(pool, draft.id, PNG + b"3", NOW)
    await service.save(pool, draft.id, 1, Content(f"![](images/{first.name})", [], {}), mark=None, now=NOW)
    await service.save(pool, draft.id, 2, Content("none", [], {}), mark="restored", now=NOW + timedelta(minutes=1))
    assert (await service.keep_image(pool, draft.id, third.body, NOW + timedelta(days=10)))[1] is False

    async def names() -> set[str]:
        return {row[0] for row in await conn.fetch("SELECT name FROM draft_images")}

    await service.tidy(pool, NOW + timedelta(days=29))
    assert await names() == {first.name, second.name, third.name}
    await service.tidy(pool, NOW + timedelta(days=31))
    assert await names() == {first.name, third.name}  # the one is in a kept revision, the other came anew
    await service.tidy(pool, NOW + timedelta(days=41))
    assert await names() == {first.name}


async def test_lists_and_upkeep_read_indexes(
    conn: Connection, plan: Callable[[Awaitable[Any]], Awaitable[str]]
) -> None:
    for index, call in (
        ("drafts_newest", sql.newest(conn, trashed=False, query="x", before=(NOW, uuid4()), limit=10)),
        ("drafts_thinned", sql.unthinned(conn, NOW, 10)),
        ("drafts_trashed", sql.empty_trash(conn, NOW, timedelta(days=30))),
        ("draft_images_came", images_sql.delete_unmentioned(conn, NOW, timedelta(days=30))),
        ("answers_newest", answers_sql.newest(conn, query="x", before=(NOW, uuid4()), limit=10)),
    ):
        assert index in await plan(call)
