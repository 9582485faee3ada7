"""Writing documents: prepared without a transaction, written in the caller's."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from extrophi_backend.captures import loose
from extrophi_backend.captures.store import Captures, Place, capture_key, pack
from extrophi_backend.collections import sql as collections_sql
from extrophi_backend.collectors.models import Anchor, Collected, Validators
from extrophi_backend.db import Connection, Pool
from extrophi_backend.documents import notes, sql
from extrophi_backend.documents.models import AnchorJSON, Document, Links, Others, Prepared, Pushed, Saved
from extrophi_backend.errors import Gone, NotFound, Overtaken, Unavailable
from extrophi_backend.events import sql as events_sql
from extrophi_backend.events.models import Happened
from extrophi_backend.index import service as index
from extrophi_backend.index.chunking import blocks_of, chunk_spans

_NO_OTHERS = Others()
LOOSE = timedelta(minutes=15)
"""For so long after it was put, a capture may wait for its version to be written: seconds are usual."""
_MOST_REFUSED = 3
"""So many objects in turn that a store does not let go of, and no more are tried for now."""


async def prepare(pool: Pool, captures: Captures | None, documents: Sequence[Collected]) -> list[Prepared]:
    """Hash the documents; cut those that changed and keep their captures. Nothing is written to the database.

    The same document twice counts as its last appearance.
    """
    last = {(one.platform, one.external_id): one for one in documents}
    prepared, known = await asyncio.gather(asyncio.to_thread(_hash, sorted(last.items())), _known(pool, list(last)))
    changed = [one for one in prepared if known.get(_key(one)) != one.content_hash]
    keeping = asyncio.create_task(_keep(pool, captures, changed))
    try:
        cut = await asyncio.to_thread(_cut_all, changed)
    except BaseException:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        raise
    places = await keeping
    ready = {_key(one): _placed(one, places) if captures else one for one in cut}
    return [ready.get(_key(one), one) for one in prepared]


async def _known(pool: Pool, keys: Sequence[sql.Key]) -> dict[sql.Key, bytes]:
    """The content hashes of those that are there."""
    of_platform: dict[str, list[str]] = {}
    for platform, external_id in keys:
        of_platform.setdefault(platform, []).append(external_id)
    known: dict[sql.Key, bytes] = {}
    async with pool.acquire() as conn:
        for platform, external_ids in of_platform.items():
            known |= await sql.content_hashes(conn, platform, external_ids)
    return known


async def _keep(pool: Pool, captures: Captures | None, changed: Sequence[Prepared]) -> Mapping[bytes, Place]:
    """Put their captures and screenshots into the store. Returns where each capture lies, by its bytes."""
    if captures is None:
        return {}
    objects, places = pack(one.collected.capture.body for one in changed if one.collected.capture)
    screenshots = [one.collected.screenshot.body for one in changed if one.collected.screenshot]
    objects |= {capture_key(body): body for body in screenshots}
    if objects:
        await _announce(pool, list(objects))
        await asyncio.gather(*(captures.put(key, body) for key, body in objects.items()))
    return places


def _placed(prepared: Prepared, places: Mapping[bytes, Place]) -> Prepared:
    capture, screenshot = prepared.collected.capture, prepared.collected.screenshot
    return replace(
        prepared,
        capture=places[capture.body] if capture else None,
        screenshot_key=capture_key(screenshot.body) if screenshot else None,
    )


async def _announce(pool: Pool, keys: Sequence[str]) -> None:
    """Say that captures are about to be kept: for LOOSE, nobody deletes them, and after that only if no version came.

    Waits for who is deleting one of them at this moment, so that it is put after that and not before.
    """
    async with pool.acquire() as conn:
        await loose.add(conn, sorted(keys))


async def write(
    conn: Connection, prepared: Sequence[Prepared], links: Links, others: Others = _NO_OTHERS
) -> list[Saved]:
    """Write documents in the caller's transaction, in a number of statements that does not depend on theirs.

    Args:
        conn: In a transaction.
        prepared: From `prepare`, sorted by (platform, external_id) and without doubles.
        links: What all of them belong to.
        others: Documents that were looked at, too. Those gone are kept, and marked.

    Returns:
        What became of `prepared`, in its order.

    Raises:
        Overtaken: one was made from another version than is there now.
    """
    await index.share_vectors(conn)
    created = await sql.insert_new(conn, prepared)
    # All at once and in one order, so that two writers cannot wait for each other.
    unchanged, vanished = ([(others.platform, one) for one in ids] for ids in (others.unchanged, others.gone))
    new = [_key(one) for one in prepared if _key(one) not in created]
    existing = await sql.lock_existing(conn, [*new, *unchanged, *vanished])
    saved: list[Saved] = []
    written: list[tuple[UUID, int, Prepared]] = []
    seen: list[tuple[UUID, Validators | None]] = [
        (existing[key].id, others.noted.get(key[1])) for key in unchanged if key in existing
    ]
    gone: list[tuple[UUID, datetime]] = []
    for one in prepared:
        key = _key(one)
        if key in created:
            saved.append(Saved(created[key].id, key[1], "created"))
            written.append((created[key].id, 1, _cut(one)))
            continue
        here = existing[key]
        if one.collected.based_on not in {None, here.version}:
            raise Overtaken(f"{key[1]} has changed since it was read.")
        # What comes from another library never undoes what was collected since.
        is_older = one.kept is not None and one.kept.collected_at <= here.collected_at
        if is_older or here.content_hash == one.content_hash:
            saved.append(Saved(here.id, key[1], "unchanged"))
            if one.kept is None:
                seen.append((here.id, one.collected.validators or None))
            elif one.kept.gone_at is not None:
                gone.append((here.id, one.kept.gone_at))
        else:
            saved.append(Saved(here.id, key[1], "updated"))
            written.append((here.id, here.version + 1, _cut(one)))
    collected_at = {one.id: one.collected_at for one in created.values()}
    changed = [(document_id, one) for document_id, version, one in written if version > 1]
    if changed:
        ids = [document_id for document_id, _ in changed]
        collected_at |= await sql.update_changed(conn, ids, [one for _, one in changed])
    if written:
        await sql.insert_versions(conn, written, collected_at)
        hashes = await sql.replace_chunks(conn, written)
        await index.queue(conn, sorted(hashes))
    if seen:
        await sql.mark_seen(conn, [one for one, _ in seen], [validators for _, validators in seen])
    looked_at = {one.id: None for one in saved} | {one: None for one, _ in seen}
    were_gone = {one.id for one in existing.values() if one.is_gone}
    returned = [one for one in dict(seen) if one in were_gone]
    moved = await sql.link(conn, list(looked_at), links)
    moved += await notes.join_collections(conn, moved)
    vanishing = await sql.mark_gone(conn, [existing[key].id for key in vanished if key in existing])
    vanishing += await sql.mark_gone_since(conn, [one for one, _ in gone], [moment for _, moment in gone])
    moved += [*vanishing, *returned]
    versions = {one.id: one.version for one in existing.values()}
    await events_sql.log(conn, _happened(written, vanishing, returned, versions))
    await sql.log_changes(conn, sorted({*moved, *(document_id for document_id, _, _ in written)}))
    return saved


async def push(pool: Pool, documents: Sequence[Pushed]) -> list[Saved]:
    """Write documents pushed in, all or none; gives what became of each, in order.

    Versions of one document that come from another library are written one after the other, as they were collected.
    Of others, the same document twice counts as its last appearance.
    """
    rounds = [await _prepare_round(pool, [documents[at] for at in places]) for places in _rounds(documents)]
    saved: dict[tuple[sql.Key, datetime | None], Saved] = {}
    async with pool.acquire() as conn, conn.transaction():
        for prepared in rounds:
            for one, item in zip(prepared, await write(conn, prepared, Links(collection_id=None)), strict=True):
                saved[_key(one), one.kept.collected_at if one.kept else None] = item
        items = [saved[_key(one), one.kept.collected_at if one.kept else None] for one in documents]
        collections = await collections_sql.ensure_all(conn, {name for one in documents for name in one.collections})
        pairs = [
            (item.id, collections[name]) for one, item in zip(documents, items, strict=True) for name in one.collections
        ]
        moved = await sql.put_into(conn, [item for item, _ in pairs], [collection for _, collection in pairs])
        moved += await notes.join_collections(conn, moved)
        told = {item.id for item in items if item.status != "unchanged"}  # by `write`
        await sql.log_changes(conn, sorted({*moved} - told))
    return items


async def read(conn: Connection, document_id: UUID, version: int | None = None) -> Document:
    """A document in its newest or another version, with its text. Raises Gone, NotFound."""
    found = await sql.get(conn, document_id, version)
    if found is None:
        await missing(conn, document_id)
        raise AssertionError
    return found


async def hold_for_note(conn: Connection, document_id: UUID, *, to_delete: bool) -> None:
    """Before a note beside it is written, or deleted: until the end of the transaction, the document stays as it is.

    In the order in which all take these locks: vectors first, then the document, then its notes. Raises Gone, NotFound.
    """
    await (index.own_vectors(conn) if to_delete else index.share_vectors(conn))
    if not await notes.hold(conn, document_id):
        await missing(conn, document_id)


async def write_note(conn: Connection, prepared: Sequence[Prepared]) -> UUID:
    """Write a note that was prepared. Returns its id; once it is known what it is on, `place_notes`."""
    saved = await write(conn, prepared, Links(collection_id=None))
    return saved[0].id


async def place_notes(conn: Connection, document_id: UUID) -> None:
    """Put the notes on a document, one of which is new, into the collections that it is in."""
    await sql.log_changes(conn, await notes.join_collections(conn, [document_id]))


async def with_notes(conn: Connection, document_id: UUID) -> list[UUID]:
    """The document, and the notes on it: all that goes with it."""
    return [document_id, *await notes.beside(conn, document_id)]


async def remove(conn: Connection, document_ids: Sequence[UUID]) -> None:
    """Remove documents for good, in a transaction that owns the vectors. Of notes, nothing is left where they stood.

    Raises Gone or NotFound: there is none of the first of them.
    """
    await events_sql.log_deleted(conn, document_ids)
    await notes.blank(conn, document_ids)
    if document_ids[0] not in await sql.delete(conn, document_ids):
        await missing(conn, document_ids[0])
    await sql.log_changes(conn, document_ids, deleted=True)


async def delete(pool: Pool, captures: Captures, document_id: UUID) -> None:
    """Remove a document for good, with its captures, its highlights and the notes on it.

    Its citations answer 410 from then on. Raises Gone, NotFound.
    """
    async with pool.acquire() as conn, conn.transaction():
        # First of all: it waits for who is letting go of such a capture, and nobody who writes is to wait for that.
        keys = sorted(await sql.capture_keys(conn, document_id))
        await loose.loosen(conn, keys)
        await index.own_vectors(conn)
        await remove(conn, await with_notes(conn, document_id))
    if keys:
        with suppress(Unavailable):  # a worker tries again
            await delete_loose_captures(pool, captures, among=keys)


async def delete_loose_captures(pool: Pool, captures: Captures, *, among: Sequence[str] | None = None) -> int:
    """Delete captures that no version refers to, some at a time. Returns how many were looked at.

    It is called again later for those that were put a moment ago, and for those that the store did not let go of: these
    stand behind all others then. Raises Unavailable: it let go of none.
    """
    async with pool.acquire() as conn, conn.transaction():
        # The rows stay locked while the bytes go: whoever is about to put the same bytes waits in `_announce`.
        keys = await loose.lock(conn, LOOSE, among)
        done, refused = await _let_go_of_some(captures, keys, await loose.used(conn, keys))
        await loose.forget(conn, done)
        await loose.add(conn, sorted(refused))
    if refused and not done:
        raise next(iter(refused.values()))
    return len(keys)


async def _let_go_of_some(
    captures: Captures, keys: Sequence[str], used: Mapping[str, Sequence[tuple[int, int]] | None]
) -> tuple[list[str], dict[str, Unavailable]]:
    """Those that the store let go of, and those that it did not: after _MOST_REFUSED in turn, no more are tried."""
    done: list[str] = []
    refused: dict[str, Unavailable] = {}
    in_turn = 0
    for key in keys:
        try:
            await _let_go(captures, key, used.get(key, []))
        except Unavailable as error:
            refused[key] = error
            in_turn += 1
            if in_turn == _MOST_REFUSED:
                break
        else:
            done.append(key)
            in_turn = 0
    return done, refused


async def _let_go(captures: Captures, key: str, used: Sequence[tuple[int, int]] | None) -> None:
    """Of what is not used of an object; None: all of it is."""
    if used:
        await captures.keep_only(key, used)
    elif used is not None:
        await captures.delete([key])


async def missing(conn: Connection, document_id: UUID) -> None:
    """Say why there is no such document. Raises Gone or NotFound."""
    if await sql.was_deleted(conn, document_id):
        raise Gone(f"Document {document_id} was deleted.", hint="What cited it can no longer be checked here.")
    raise NotFound(f"There is no document {document_id} in that version.", hint="GET /documents lists them.")


def _rounds(documents: Sequence[Pushed]) -> list[list[int]]:
    """Places in `documents`, so that a document is in each round once at most, and its versions in their order."""
    places: dict[sql.Key, dict[datetime | None, int]] = {}
    for place, one in enumerate(documents):
        places.setdefault(_key(one), {})[one.kept.collected_at if one.kept else None] = place
    rounds: list[list[int]] = []
    for versions in places.values():
        dated = sorted((moment, place) for moment, place in versions.items() if moment is not None)
        newest = [versions[None]] if None in versions else []
        for number, place in enumerate([*(place for _, place in dated), *newest]):
            if number == len(rounds):
                rounds.append([])
            rounds[number].append(place)
    return rounds


async def _prepare_round(pool: Pool, documents: Sequence[Pushed]) -> list[Prepared]:
    kept = {_key(one): one.kept for one in documents}
    prepared = await prepare(pool, None, [one.collected for one in documents])
    return [replace(one, kept=kept[_key(one)]) for one in prepared]


def _happened(
    written: Sequence[tuple[UUID, int, Prepared]],
    vanished: Sequence[UUID],
    returned: Sequence[UUID],
    versions: Mapping[UUID, int],
) -> list[Happened]:
    made = [
        Happened("document.created" if version == 1 else "document.updated", document_id, version)
        for document_id, version, _ in written
    ]
    made += [Happened("document.updated", document_id, versions[document_id]) for document_id in returned]
    return made + [Happened("document.gone", document_id, versions[document_id]) for document_id in vanished]


def _hash(documents: Sequence[tuple[sql.Key, Collected]]) -> list[Prepared]:
    return [Prepared(collected, _content_hash(collected), ()) for _, collected in documents]


def _cut_all(prepared: Sequence[Prepared]) -> list[Prepared]:
    return [_cut(one) for one in prepared]


def _cut(prepared: Prepared) -> Prepared:
    """With its chunks, unless it has them: a document may be deleted between preparing and writing."""
    if prepared.chunks:
        return prepared
    collected = prepared.collected
    blocks = collected.blocks or list(blocks_of(collected.text, markdown=collected.format == "markdown"))
    chunks = tuple(chunk_spans(collected.text, blocks))
    return replace(prepared, chunks=chunks, anchors=[_anchor(anchor) for anchor in collected.anchors])


def _anchor(anchor: Anchor) -> AnchorJSON:
    places = {
        "page": anchor.page,
        "seconds": anchor.seconds,
        "url": anchor.url,
        "author": anchor.author,
        "published_at": _utc(anchor.published_at) if anchor.published_at else None,
        "depth": anchor.depth,
        "score": anchor.score,
        "state": anchor.state,
    }
    return anchor.offset, {name: place for name, place in places.items() if place is not None}


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _content_hash(collected: Collected) -> bytes:
    published = collected.published_at.isoformat() if collected.published_at else None
    head = [collected.title, collected.author, published, collected.url, collected.language, collected.format]
    # Whose words they are and where they stand is what citations say; of pages, the text tells as much.
    places = [
        (anchor.offset, anchor.seconds, anchor.url, anchor.author, anchor.state)
        for anchor in collected.anchors
        if anchor.page is None
    ]
    return sha256(json.dumps([*head, collected.text, *places], ensure_ascii=False).encode()).digest()


def _key(one: Prepared | Pushed) -> sql.Key:
    return one.collected.platform, one.collected.external_id
