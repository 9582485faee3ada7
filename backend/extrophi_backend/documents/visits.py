"""Every statement about visits: which documents are looked at again, whether they changed or vanished, and when."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from extrophi_backend.collectors.models import Failure
from extrophi_backend.db import Connection
from extrophi_backend.documents.models import DEFAULT_COLLECTION, Outcome, Visit
from extrophi_backend.jobs.misses import is_passing
from extrophi_backend.sources.states import reason_of, state_of

_DAY = "interval '1 day' * (0.9 + 0.2 * random())"
_LATER = "least(visit_days * 2, CASE WHEN cited_at IS NULL THEN 64 ELSE 8 END)"

# Whether a document is visited by the clock. Who pauses a source wants quiet; who removes it wants it no more.
_VISITED = """(
    EXISTS (SELECT FROM source_documents l JOIN sources s ON s.id = l.source_id
             WHERE l.document_id = d.id AND s.state = 'active' {end})
    OR NOT EXISTS (SELECT FROM source_documents l WHERE l.document_id = d.id {end})
       AND EXISTS (SELECT FROM asked_documents a WHERE a.document_id = d.id AND a.singly {end}))"""
IS_VISITED = _VISITED.format(end="")
# For the rows of a page; otherwise all of source_documents would be read for them, and hashed.
IS_VISITED_OF_FEW = _VISITED.format(end="OFFSET 0")


async def note_asked(conn: Connection, platform: str, *, typed: Sequence[str], singly: Sequence[str]) -> None:
    """Note which documents a person asked for: by their own address, or by a job of no source.

    Of the external ids, those that are documents. They are locked already, by who writes them.
    """
    if typed or singly:
        await conn.execute(
            """INSERT INTO asked_documents AS a (document_id, typed, singly)
               SELECT id, external_id = ANY($2), external_id = ANY($3) FROM documents
                WHERE platform = $1 AND (external_id = ANY($2::text[]) OR external_id = ANY($3::text[]))
               ON CONFLICT (document_id) DO UPDATE
                  SET typed = a.typed OR excluded.typed, singly = a.singly OR excluded.singly
                WHERE (excluded.typed AND NOT a.typed) OR (excluded.singly AND NOT a.singly)""",
            platform,
            typed,
            singly,
        )


async def typed(conn: Connection, platform: str, external_ids: Sequence[str]) -> set[str]:
    """Those of the documents whose address a person typed."""
    rows = await conn.fetch(
        """SELECT d.external_id FROM documents d JOIN asked_documents a ON a.document_id = d.id AND a.typed
            WHERE d.platform = $1 AND d.external_id = ANY($2::text[])""",
        platform,
        external_ids,
    )
    return {row["external_id"] for row in rows}


async def plan(conn: Connection, platform: str, outcomes: Mapping[str, Outcome], failures: Sequence[Failure]) -> None:
    """When to look at documents again: sooner at those that changed, ever later at those that did not.

    One that cannot be had any more says why, and keeps what was collected.
    """
    if outcomes:
        await conn.execute(
            f"""UPDATE documents d
                  SET visit_days = v.days, next_visit_at = now() + v.days * {_DAY}
                 FROM (SELECT external_id,
                              CASE n.outcome WHEN 'created' THEN visit_days
                                             WHEN 'updated' THEN greatest(visit_days / 2, 1)
                                             ELSE {_LATER} END AS days
                         FROM unnest($2::text[], $3::text[]) AS n (external_id, outcome)
                         JOIN documents d USING (external_id) WHERE d.platform = $1) AS v
                WHERE d.platform = $1 AND d.external_id = v.external_id""",  # noqa: S608  constants of ours
            platform,
            list(outcomes),
            list(outcomes.values()),
        )
    if failures:
        await conn.execute(
            f"""UPDATE documents d
                  SET state = CASE WHEN d.state = 'gone' THEN 'gone' ELSE f.state END, reason = f.reason,
                      visit_days = CASE WHEN f.passing THEN visit_days ELSE {_LATER} END,
                      next_visit_at = now() + CASE WHEN f.passing THEN 1 ELSE {_LATER} END * {_DAY}
                 FROM (SELECT DISTINCT ON (external_id) *
                         FROM unnest($2::text[], $3::text[], $4::jsonb[], $5::boolean[])
                              AS n (external_id, state, reason, passing)) AS f
                WHERE d.platform = $1 AND d.external_id = f.external_id""",  # noqa: S608  constants of ours
            platform,
            [one.target for one in failures],
            ["failed" if (state := state_of(one.code)) == "gone" else state for one in failures],
            [reason_of(one.code, one.detail).json for one in failures],
            [is_passing(one.code) for one in failures],
        )


async def are_due(conn: Connection, now: datetime) -> bool:
    """Whether a document is to be looked at again by now. Uses documents_visits."""
    return await conn.fetchval("SELECT EXISTS (SELECT FROM documents WHERE next_visit_at <= $1)", now)


async def take(conn: Connection, now: datetime, most: int) -> list[Visit]:
    """Documents to be looked at again by now: those that an answer cited first, then the longest due.

    Each is due again as if it had not changed, should nobody tell what its visit came to: it may have moved to another
    address. Uses documents_visits.
    """
    rows = await conn.fetch(
        f"""WITH due AS (SELECT id FROM documents d WHERE next_visit_at <= $1 AND {IS_VISITED}
                         ORDER BY cited_at IS NULL, next_visit_at LIMIT $2 FOR UPDATE SKIP LOCKED)
           UPDATE documents d SET next_visit_at = $1 + visit_days * interval '1 day'
             FROM due WHERE d.id = due.id
        RETURNING d.external_id, d.platform,
                  coalesce((SELECT collection_id FROM collection_documents c WHERE c.document_id = d.id
                             ORDER BY collection_id LIMIT 1), $3) AS collection_id""",  # noqa: S608  a text of ours
        now,
        most,
        DEFAULT_COLLECTION,
    )
    return [Visit(**row) for row in rows]


async def wanted(conn: Connection, platform: str, external_ids: Sequence[str]) -> list[str]:
    """Those of the documents that are there, and are visited by the clock, in their order."""
    rows = await conn.fetch(
        f"""SELECT d.external_id FROM unnest($2::text[]) WITH ORDINALITY AS asked (external_id, n)
             JOIN documents d ON d.platform = $1 AND d.external_id = asked.external_id
            WHERE {IS_VISITED} ORDER BY asked.n""",  # noqa: S608  a text of ours
        platform,
        external_ids,
    )
    return [row["external_id"] for row in rows]


async def put_off(conn: Connection, now: datetime, most: int) -> None:
    """Some of the documents that are due, and that the clock does not visit, are asked about again later.

    Their sources may be resumed, or another may come to have them: then nothing has to be done for that. Uses
    documents_visits.
    """
    await conn.execute(
        f"""WITH due AS (SELECT id FROM documents d WHERE next_visit_at <= $1 AND NOT {IS_VISITED}
                         LIMIT $2 FOR UPDATE SKIP LOCKED)
           UPDATE documents d SET next_visit_at = $1 + visit_days * {_DAY} FROM due WHERE d.id = due.id""",  # noqa: S608
        now,
        most,
    )


async def note_cited(conn: Connection, ids: Sequence[UUID]) -> None:
    """An answer cites these: whether they change is looked at first, and from tomorrow on."""
    await conn.execute("SELECT read_v1.note_cited($1)", ids)
