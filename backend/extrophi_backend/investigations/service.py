"""The story of an investigation as it is kept here: made whole with its jobs, told on under its driver's fence."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from extrophi_backend.collectors.models import Target
from extrophi_backend.collectors.registry import Registry
from extrophi_backend.db import Connection
from extrophi_backend.documents import visits
from extrophi_backend.errors import AmbiguousTarget, BackendError, LeaseLost, NotFound
from extrophi_backend.investigations import sql
from extrophi_backend.investigations.models import Change, Held, Investigation, NewInvestigation
from extrophi_backend.jobs import service as jobs

_NO_TARGET = {
    "code": "no_target",
    "title": "The investigation failed",
    "detail": "None of the targets can be collected.",
    "hint": "Each target's own error says why.",
}


async def find(registry: Registry, targets: Sequence[str]) -> list[Target | BackendError]:
    """Each target, or why it cannot be collected.

    Raises:
        AmbiguousTarget: whoever asks has to choose first.
    """
    found: list[Target | BackendError] = []
    for number, typed in enumerate(targets):
        try:
            found.append(await registry.find(typed))
        except AmbiguousTarget as ambiguous:
            ambiguous.field = f"targets.{number}"
            raise
        except BackendError as refused:
            found.append(refused)
    return found


async def create(conn: Connection, new: NewInvestigation, found: Sequence[Target | BackendError]) -> Held:
    """An investigation with a job for each target found, its lease with whoever asked. In the caller's transaction.

    All at once or nothing: whoever drives it finds every job, and none is ever made twice. A target that cannot be
    collected is told of among the events; where there is no other, the investigation has failed.
    """
    job_ids: list[UUID] = []
    refusals: list[tuple[str, dict[str, Any]]] = []
    for typed, target in zip(new.targets, found, strict=True):
        if isinstance(target, BackendError):
            error = {"code": target.code, "title": target.title, "detail": target.detail, "hint": target.hint}
            refusals.append(("job", {"target": typed, "status": "failed", "error": error}))
        else:
            job_ids.append((await jobs.create(conn, target, collection="default", limit=new.limit)).id)
    failed = None if job_ids else _NO_TARGET
    investigation_id = uuid7()
    await sql.insert(conn, investigation_id, new, job_ids, failed)
    status = "failed" if failed else "running"
    head = {"id": str(investigation_id), "question": new.question, "targets": list(new.targets), "status": status}
    events = [("investigation", head), *refusals, *([("error", failed)] if failed else [])]
    await sql.append(conn, investigation_id, 1, events)
    return Held(await get(conn, investigation_id), len(events))


async def claim(conn: Connection) -> Held | None:
    """Take one whose driver is gone. In the caller's transaction."""
    found = await sql.claim(conn)
    return None if found is None else Held(found, await sql.count_events(conn, found.id))


async def get(conn: Connection, investigation_id: UUID) -> Investigation:
    """Raises NotFound."""
    found = await sql.get(conn, investigation_id)
    if found is None:
        raise NotFound(f"There is no investigation {investigation_id}.")
    return found


async def tell(
    conn: Connection,
    investigation_id: UUID,
    fence: int,
    seq: int,
    events: Sequence[tuple[str, Mapping[str, Any] | Sequence[Any]]],
    change: Change,
) -> bool:
    """Store events, the first of which has the number `seq`, and the change. In the caller's transaction.

    The same again changes nothing, so that a driver that heard no reply may tell it again.

    Returns:
        Whether cancelling was asked for.

    Raises:
        LeaseLost: Under an old fence, and once it has ended.
    """
    cancel_requested = await sql.progress(conn, investigation_id, fence, change)
    if cancel_requested is None:
        raise LeaseLost(f"Investigation {investigation_id} has ended, is unknown, or has another driver.")
    if events:
        await sql.append(conn, investigation_id, seq, events)
    if change.answer is not None:
        await visits.note_cited(conn, sorted(_cited(change.answer)))
    return cancel_requested


def _cited(answer: Mapping[str, Any]) -> set[UUID]:
    cited: set[UUID] = set()
    for citation in answer.get("citations") or ():
        with suppress(KeyError, TypeError, ValueError):  # whoever drives it wrote this
            cited.add(UUID(citation["document_id"]))
    return cited
