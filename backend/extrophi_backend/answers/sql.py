"""Every statement about answers that were kept."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from extrophi_backend.answers.models import Answer
from extrophi_backend.db import Connection, containing

_FIELDS = "id, question, answer, citations, model, abstained, searched, created_at"


async def insert(conn: Connection, answer: Answer) -> bool:
    """Store it, unless there is one of its id: then nothing, and False."""
    return bool(
        await conn.fetchval(
            f"""INSERT INTO answers ({_FIELDS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                ON CONFLICT DO NOTHING RETURNING true""",  # noqa: S608  a constant of ours
            answer.id,
            answer.question,
            answer.answer,
            json.dumps(answer.citations, ensure_ascii=False),
            answer.model,
            answer.abstained,
            json.dumps(answer.searched, ensure_ascii=False),
            answer.created_at,
        )
    )


async def get(conn: Connection, answer_id: UUID) -> Answer | None:
    row = await conn.fetchrow(f"SELECT {_FIELDS} FROM answers WHERE id = $1", answer_id)  # noqa: S608
    return _answer(row) if row else None


async def newest(
    conn: Connection, *, query: str | None, before: tuple[datetime, UUID] | None, limit: int
) -> list[Answer]:
    """`query` is found in question and answer, whatever the case. Uses answers_newest."""
    created_at, answer_id = before or (None, None)
    rows = await conn.fetch(
        f"""SELECT {_FIELDS} FROM answers
             WHERE ($1::timestamptz IS NULL OR (created_at, id) < ($1, $2::uuid))
               AND ($3::text IS NULL OR question ILIKE $3 OR answer ILIKE $3)
             ORDER BY created_at DESC, id DESC LIMIT $4""",  # noqa: S608  a constant of ours
        created_at,
        answer_id,
        None if query is None else containing(query),
        limit,
    )
    return [_answer(row) for row in rows]


async def delete(conn: Connection, answer_id: UUID) -> bool:
    return bool(await conn.fetchval("DELETE FROM answers WHERE id = $1 RETURNING true", answer_id))


def _answer(row: asyncpg.Record) -> Answer:
    found: dict[str, Any] = dict(row)
    return Answer(**found | {name: json.loads(found[name]) for name in ("citations", "searched")})
