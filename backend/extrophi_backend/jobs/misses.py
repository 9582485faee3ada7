"""Every statement about misses: what could not be had of a source, and when it is tried again."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from extrophi_backend.collectors.models import MAX_ID_BYTES, Failure
from extrophi_backend.db import Connection

_PASSING = re.compile(
    r"timeout|connection_failed|name_not_resolved|broken_answer|tls_failed|rate_limited|robots_unreachable|"
    r"http_(?:408|425|429|5\d\d)|not_yet|captions_later|bot_check|unreadable_answer|monthly_cap|not_transcribed"
)
"""Codes of what may be over in an hour. All else is about the page itself, or about who may read it."""
_KEPT = timedelta(days=60)


def is_passing(code: str) -> bool:
    """Whether what failed with this code may be there in an hour."""
    return _PASSING.fullmatch(code) is not None


@dataclass(frozen=True, slots=True)
class Miss:
    target: str
    code: str
    detail: str
    tries: int
    tried_at: datetime
    next_try_at: datetime


async def of_source(conn: Connection, source_id: UUID, *, after: str | None, limit: int) -> list[Miss]:
    """What could not be had of a source, by target. Uses the primary key."""
    rows = await conn.fetch(
        """SELECT target, code, detail, tries, tried_at, next_try_at FROM misses
            WHERE source_id = $1 AND ($2::text IS NULL OR target > $2) ORDER BY target LIMIT $3""",
        source_id,
        after,
        limit,
    )
    return [Miss(**row) for row in rows]


async def note(conn: Connection, source_id: UUID, failures: Sequence[Failure]) -> None:
    """They failed once more: what may pass is tried again after an hour, four, a day, three days; all else weekly."""
    last = sorted({one.target: one for one in failures if len(one.target.encode()) <= MAX_ID_BYTES}.items())
    await conn.execute(
        """INSERT INTO misses AS m (source_id, target, code, detail, next_try_at)
           SELECT $1, n.target, n.code, n.detail, now() + CASE WHEN n.passing THEN interval '1 hour'
                                                               ELSE interval '7 days' END
             FROM unnest($2::text[], $3::text[], $4::text[], $5::boolean[]) AS n (target, code, detail, passing)
           ON CONFLICT (source_id, target) DO UPDATE
              SET code = excluded.code, detail = excluded.detail, tries = m.tries + 1, tried_at = now(),
                  next_try_at = now() + CASE WHEN excluded.next_try_at > now() + interval '1 day' THEN interval '7 days'
                                             ELSE (ARRAY['1 hour', '4 hours', '1 day', '3 days']::interval[])
                                                  [least(m.tries + 1, 4)] END""",
        source_id,
        [target for target, _ in last],
        [one.code for _, one in last],
        [one.detail for _, one in last],
        [is_passing(one.code) for _, one in last],
    )


async def forget(conn: Connection, source_id: UUID, targets: Sequence[str]) -> None:
    """They were had."""
    await conn.execute(
        "DELETE FROM misses WHERE source_id = $1 AND target = ANY($2::text[])", source_id, sorted(set(targets))
    )


async def forget_all(conn: Connection, source_id: UUID) -> None:
    """The source does not reach to them any more."""
    await conn.execute("DELETE FROM misses WHERE source_id = $1", source_id)


async def not_due(conn: Connection, source_id: UUID, targets: Sequence[str]) -> Collection[str]:
    """Those of the targets that are to be tried later than now."""
    rows = await conn.fetch(
        "SELECT target FROM misses WHERE source_id = $1 AND target = ANY($2::text[]) AND next_try_at > now()",
        source_id,
        list(targets),
    )
    return {row["target"] for row in rows}


async def prune(conn: Connection) -> None:
    """Forget what has long been due and was not tried: nothing lists it any more. Uses misses_due."""
    await conn.execute("DELETE FROM misses WHERE next_try_at < now() - $1::interval", _KEPT)
