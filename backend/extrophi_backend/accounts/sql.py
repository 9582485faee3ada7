"""Every statement about credentials."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from extrophi_backend.accounts.models import Test
from extrophi_backend.db import Connection

_SEALING = 4_010_001
"""Of PostgreSQL's advisory locks, the one of sealed values."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of `credentials`."""

    platform: str
    name: str
    host: str
    sealed: bytes = field(repr=False)
    expires_at: datetime | None
    set_at: datetime


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """Where sealed values are. `context`: in SQL, what each row's value is bound to. All of it is ours, not input."""

    table: str
    column: str
    context: str


async def stored(conn: Connection, platform: str | None) -> list[Stored]:
    """Of one platform or all, by name and host."""
    rows = await conn.fetch(
        """SELECT platform, name, host, sealed, expires_at, set_at FROM credentials
            WHERE $1::text IS NULL OR platform = $1 ORDER BY platform, name, host""",
        platform,
    )
    return [Stored(**row) for row in rows]


async def put(conn: Connection, platform: str, rows: Sequence[tuple[str, str, bytes, datetime | None]]) -> None:
    """Store credentials (name, host, sealed, expires_at) in the place of what was there."""
    names, hosts, sealed, expiries = zip(*sorted(rows, key=lambda row: row[:2]), strict=True)
    await conn.execute(
        """INSERT INTO credentials (platform, name, host, sealed, expires_at)
           SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bytea[], $5::timestamptz[])
           ON CONFLICT (platform, name, host) DO UPDATE
              SET sealed = excluded.sealed, expires_at = excluded.expires_at, set_at = now()""",
        platform,
        names,
        hosts,
        sealed,
        expiries,
    )


async def delete(conn: Connection, platform: str, name: str | None, host: str | None) -> int:
    """Forget what is stored, and what was said of it. How many there were."""
    await conn.execute(
        """DELETE FROM credential_tests
            WHERE platform = $1 AND ($2::text IS NULL OR name = $2) AND ($3::text IS NULL OR host = $3)""",
        platform,
        name,
        host,
    )
    done = await conn.execute(
        """DELETE FROM credentials
            WHERE platform = $1 AND ($2::text IS NULL OR name = $2) AND ($3::text IS NULL OR host = $3)""",
        platform,
        name,
        host,
    )
    return int(done.rpartition(" ")[2])


async def tests(conn: Connection, platform: str | None) -> dict[tuple[str, str, str], Test]:
    """What the platforms last said, by platform, name and host."""
    rows = await conn.fetch(
        """SELECT platform, name, host, digest, state, detail, tested_at FROM credential_tests
            WHERE $1::text IS NULL OR platform = $1""",
        platform,
    )
    return {
        (row["platform"], row["name"], row["host"]): Test(row["digest"], row["state"], row["detail"], row["tested_at"])
        for row in rows
    }


async def note_tests(
    conn: Connection, platform: str, rows: Sequence[tuple[str, str, bytes]], state: str, detail: str
) -> None:
    """Keep what the platform said of credentials (name, host, digest)."""
    names, hosts, digests = zip(*sorted(rows), strict=True)
    await conn.execute(
        """INSERT INTO credential_tests (platform, name, host, digest, state, detail)
           SELECT $1, name, host, digest, $5, $6 FROM unnest($2::text[], $3::text[], $4::bytea[]) t(name, host, digest)
           ON CONFLICT (platform, name, host) DO UPDATE
              SET digest = excluded.digest, state = excluded.state, detail = excluded.detail, tested_at = now()""",
        platform,
        names,
        hosts,
        digests,
        state,
        detail,
    )


async def claim_warning(conn: Connection, platform: str) -> bool:
    """Whether the log is to warn of it: once a day, whichever worker asks first."""
    return bool(
        await conn.fetchval(
            """INSERT INTO credential_warnings (platform) VALUES ($1)
               ON CONFLICT (platform) DO UPDATE SET warned_at = now()
                WHERE credential_warnings.warned_at < now() - interval '1 day' RETURNING true""",
            platform,
        )
    )


async def share_sealing(conn: Connection) -> None:
    """Nobody rotates until the end of the transaction."""
    await conn.execute("SELECT pg_advisory_xact_lock_shared($1)", _SEALING)


async def own_sealing(conn: Connection) -> None:
    """Nobody seals until the end of the transaction."""
    await conn.execute("SELECT pg_advisory_xact_lock($1)", _SEALING)


async def sealed(conn: Connection, where: SealedColumn) -> list[tuple[bytes, str]]:
    """Sealed values, and what each is bound to; nobody changes them until the end of the transaction."""
    rows = await conn.fetch(
        f"""SELECT {where.column} AS sealed, {where.context} AS context FROM {where.table}
             WHERE {where.column} IS NOT NULL FOR UPDATE"""  # noqa: S608
    )
    return [(row["sealed"], row["context"]) for row in rows]


async def reseal(conn: Connection, where: SealedColumn, was: Sequence[bytes], fresh: Sequence[bytes]) -> None:
    """Put each fresh value in the place of the one that was."""
    await conn.execute(
        f"""UPDATE {where.table} SET {where.column} = anew.fresh
              FROM unnest($1::bytea[], $2::bytea[]) AS anew(was, fresh)
             WHERE {where.column} = anew.was""",  # noqa: S608
        was,
        fresh,
    )
