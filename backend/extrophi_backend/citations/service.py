"""Whether what a draft cites still stands where it stood."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from extrophi_backend.citations import sql
from extrophi_backend.citations.comparing import Pair
from extrophi_backend.citations.models import Checked, Cited, Head
from extrophi_backend.db import Pool
from extrophi_backend.diffing.texts import Budget
from extrophi_backend.errors import TooLarge

MOST_READ = 100_000_000
_AT_ONCE = 8_000_000
"""Bytes of texts: of one request, and at a time."""

_Version = tuple[UUID, int]


async def check(pool: Pool, cited: Sequence[Cited]) -> list[Checked]:
    """What became of each, in order. Each text is read once, and two versions are compared once.

    Raises:
        TooLarge: The texts of all of them are more than can be looked through at once.
    """
    versions = sorted({(one.document_id, one.version) for one in cited})
    async with pool.acquire() as conn:
        heads = await sql.heads(conn, [one for one, _ in versions], [version for _, version in versions])
        deleted = await sql.deleted(conn, {one for one, _ in versions} - heads.keys())
    known = [(one, version) for one, version in versions if one in heads and version in heads[one].bytes]
    if sum(_bytes(heads[one], version) for one, version in known) > MOST_READ:
        raise TooLarge(
            f"The texts cited are larger than {MOST_READ // 1_000_000} MB together.", hint="Check fewer at once."
        )
    budget = Budget.of_many()
    found: dict[Cited, Checked] = {}
    for batch in _batches(known, heads):
        wanted = {*batch, *((one, heads[one].version) for one, _ in batch)}
        async with pool.acquire() as conn:
            texts = await sql.texts(conn, sorted(wanted))
        of_batch = [one for one in dict.fromkeys(cited) if (one.document_id, one.version) in set(batch)]
        found |= await asyncio.to_thread(_check, of_batch, heads, texts, budget)
    nothing = {True: Checked("deleted"), False: Checked("unknown")}
    return [
        replace(found.get(one) or nothing[one.document_id in deleted], head=heads.get(one.document_id)) for one in cited
    ]


def _batches(versions: Sequence[_Version], heads: Mapping[UUID, Head]) -> Iterator[list[_Version]]:
    batch: list[_Version] = []
    size = 0
    for document_id, version in versions:
        its = _bytes(heads[document_id], version)
        if batch and size + its > _AT_ONCE:
            yield batch
            batch, size = [], 0
        batch.append((document_id, version))
        size += its
    if batch:
        yield batch


def _bytes(head: Head, version: int) -> int:
    """Of what is read to compare a version with the newest."""
    return sum(head.bytes.get(one, 0) for one in {version, head.version})


def _check(
    cited: Sequence[Cited], heads: Mapping[UUID, Head], texts: Mapping[_Version, str], budget: Budget
) -> dict[Cited, Checked]:
    pairs: dict[_Version, Pair] = {}
    found: dict[Cited, Checked] = {}
    for one in cited:
        version = (one.document_id, one.version)
        newest = (one.document_id, heads[one.document_id].version)
        if version not in texts or newest not in texts:
            continue
        if version not in pairs:
            pairs[version] = Pair(texts[version], texts[newest], budget)
        found[one] = pairs[version].check(one.start, one.end)
    return found
