"""Every statement about long lists of documents: a page of one, and where its pages begin.

A list is in two parts, each in the order of an index: what has the key that it is sorted by, and then what has none,
whichever way the list goes.
"""

from typing import Any

from extrophi_backend.db import Connection
from extrophi_backend.documents.models import Document, Order, Position, Wanted
from extrophi_backend.documents.visits import IS_VISITED_OF_FEW

_KEYS = {"collected": "collected_at", "published": "published_at", "title": "title_key", "author": "author_key"}


async def page(
    conn: Connection, wanted: Wanted, order: Order, after: Position | None, *, limit: int, with_text: bool = False
) -> list[Document]:
    """Documents from a position on, with or without their text.

    Uses documents_newest, documents_published, documents_title or documents_author; where the wanted are few, another
    index may be better: documents_states, source_documents.
    """
    found: list[Document] = []
    if after is None or after.key is not None:
        found = await _part(conn, wanted, order, after, limit=limit, with_text=with_text)
        after = None
    if len(found) < limit and order.sort != "collected":
        left = limit - len(found)
        found += await _part(conn, wanted, order, after, limit=left, with_text=with_text, without_key=True)
    return found


async def _part(
    conn: Connection,
    wanted: Wanted,
    order: Order,
    after: Position | None,
    *,
    limit: int,
    with_text: bool,
    without_key: bool = False,
) -> list[Document]:
    key, direction, beyond = _KEYS[order.sort], *_direction(order)
    conditions, values = _conditions(wanted, without_key=without_key, key=key)
    if after is not None and without_key:
        values.append(after.id)
        conditions += f" AND d.id {beyond} ${len(values)}"
    elif after is not None:
        values += [after.key, after.id]
        conditions += f" AND (d.{key}, d.id) {beyond} (${len(values) - 1}, ${len(values)})"
    values += [limit, with_text]
    text = f"${len(values)}"
    rows = await conn.fetch(
        f"""SELECT d.id, d.version, d.platform, d.external_id, d.url, d.canonical_url, d.title, d.author,
                  d.published_at, d.collected_at, d.language, v.format, d.state, d.gone_at, d.reason,
                  d.seen_at, CASE WHEN {IS_VISITED_OF_FEW} THEN d.next_visit_at END AS next_visit_at, d.cited_at,
                  v.screenshot_key IS NOT NULL AS has_screenshot, d.title_key, d.author_key,
                  CASE WHEN {text} THEN v.text END AS text, CASE WHEN {text} THEN v.anchors ELSE '[]' END AS anchors,
                  CASE WHEN {text} THEN v.blocks ELSE '{{}}' END AS blocks,
                  ARRAY(SELECT c.name FROM collection_documents l JOIN collections c ON c.id = l.collection_id
                         WHERE l.document_id = d.id ORDER BY c.name) AS collections
             FROM (SELECT d.id FROM documents d WHERE {conditions}
                    ORDER BY d.{key} {direction}, d.id {direction} LIMIT ${len(values) - 1}) AS listed
             JOIN documents d ON d.id = listed.id
             JOIN document_versions v ON v.document_id = d.id AND v.version = d.version
            ORDER BY d.{key} {direction}, d.id {direction}""",  # noqa: S608  texts of our own
        *values,
    )
    return [Document(**row) for row in rows]


async def count(conn: Connection, wanted: Wanted, order: Order) -> tuple[int, int]:
    """How many there are, and how many of them have the key."""
    conditions, values = _conditions(wanted)
    row = await conn.fetchrow(
        f"SELECT count(*), count(d.{_KEYS[order.sort]}) FROM documents d WHERE {conditions}",  # noqa: S608  as above
        *values,
    )
    assert row is not None
    return row[0], row[1]


async def landmarks(
    conn: Connection, wanted: Wanted, order: Order, *, every: int, keyed: int, total: int
) -> list[Position]:
    """After which documents each page but the first begins. `keyed` of them, `total` in all: by `count`."""
    found = await _landmarks(conn, wanted, order, every=every, first=0, most=total)
    if total > keyed:
        found += await _landmarks(conn, wanted, order, every=every, first=keyed, most=total, without_key=True)
    return found


async def _landmarks(
    conn: Connection, wanted: Wanted, order: Order, *, every: int, first: int, most: int, without_key: bool = False
) -> list[Position]:
    """Those of one part, of which the rows are numbered from `first` on."""
    key, direction, _ = _KEYS[order.sort], *_direction(order)
    conditions, values = _conditions(wanted, without_key=without_key, key=key)
    at = len(values)
    rows = await conn.fetch(
        f"""SELECT key, id FROM (
                SELECT d.{key} AS key, d.id,
                       ${at + 1} + row_number() OVER (ORDER BY d.{key} {direction}, d.id {direction}) AS n
                  FROM documents d WHERE {conditions}) AS numbered
             WHERE n % ${at + 2} = 0 AND n < ${at + 3} ORDER BY n""",  # noqa: S608  as above
        *values,
        first,
        every,
        most,
    )
    return [Position(row["key"], row["id"]) for row in rows]


def _direction(order: Order) -> tuple[str, str]:
    return ("ASC", ">") if order.ascending else ("DESC", "<")


def _conditions(wanted: Wanted, *, key: str = "", without_key: bool = False) -> tuple[str, list[Any]]:
    """What the wanted have in common, and the values of its parameters. Only what is asked for is in the statement.

    So the planner sees a join where there is one, and begins with the fewer rows.
    """
    asked: list[tuple[str, Any]] = [
        ("d.platform = {}", wanted.platform),
        (
            """EXISTS (SELECT FROM collection_documents l JOIN collections c ON c.id = l.collection_id
                        WHERE l.document_id = d.id AND c.name = {})""",
            wanted.collection,
        ),
        ("d.state = ANY({}::text[])", wanted.states or None),
        # The key is in an index, the name is not; of a name of marks only, there is no key.
        (
            "(d.author_key = sort_key({0}) OR sort_key({0}) IS NULL) AND lower(d.author) = lower({0})",
            wanted.author,
        ),
        (
            "lower(substring(d.language FROM '^[^-_]+')) = lower(substring({}::text FROM '^[^-_]+'))",
            wanted.language,
        ),
        (
            "EXISTS (SELECT FROM source_documents s WHERE s.document_id = d.id AND s.source_id = {})",
            wanted.source_id,
        ),
        ("d.collected_at >= {}", wanted.collected_after),
        ("d.collected_at < {}", wanted.collected_before),
        ("d.published_at >= {}", wanted.published_after),
        ("d.published_at < {}", wanted.published_before),
    ]
    given = [(condition, value) for condition, value in asked if value is not None]
    conditions = [condition.format(f"${number}") for number, (condition, _) in enumerate(given, 1)]
    if wanted.highlighted is not None:
        conditions.append(
            f"{'' if wanted.highlighted else 'NOT '}EXISTS (SELECT FROM highlights h WHERE h.document_id = d.id)"
        )
    if wanted.states and "collected" not in wanted.states:
        conditions.append("d.state <> 'collected'")  # which documents_states is for
    if key:
        conditions.append(f"d.{key} IS {'NULL' if without_key else 'NOT NULL'}")
    return " AND ".join(conditions) or "true", [value for _, value in given]
