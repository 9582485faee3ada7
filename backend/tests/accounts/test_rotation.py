import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from backend.tests.accounts.conftest import KEY, Serve
from extrophi_backend.accounts import rotation, sql
from extrophi_backend.accounts.rotation import SEALED, rotate
from extrophi_backend.accounts.service import Accounts
from extrophi_backend.db import Pool
from extrophi_backend.errors import Conflict
from extrophi_backend.sealing import KeyRing, is_sealed_by, read_keys
from extrophi_backend.settings import Settings

NEW = "22" * 32
BEARER = "A" * 60
COOKIES = "\n".join(f"h{n}.example\tFALSE\t/\tFALSE\t0\tn\tv{n}" for n in range(20))


async def fill(api: httpx.AsyncClient) -> None:
    for platform, values in (("twitter", {"bearer_token": BEARER}), ("web", {"cookies": COOKIES})):
        assert (await api.put(f"/accounts/{platform}", json={"values": values})).status_code == 200


async def readable(pool: Pool, settings: Settings, *keys: str) -> bool:
    """Whether all of it is there under these keys."""
    accounts = Accounts(pool, settings.model_copy(update={"secret_key": SecretStr(",".join(keys))}))
    twitter, web = await accounts.credentials("twitter"), await accounts.credentials("web")
    return twitter.values == {"bearer_token": BEARER} and {one.value for one in web.cookies} == {
        f"v{n}" for n in range(20)
    }


async def test_all_is_sealed_anew_and_the_old_key_opens_nothing(serve: Serve, pool: Pool, settings: Settings) -> None:
    async with serve() as api:
        await fill(api)
    async with serve(secret_key=SecretStr(f"{NEW},{KEY}")) as api:
        told = await api.post("/accounts/rotate")
        assert told.json() == {"resealed": 21, "kept": 0, "unreadable": 0, "key": read_keys(NEW)[0].id}
        again = await api.post("/accounts/rotate")
        assert again.json() == {"resealed": 0, "kept": 21, "unreadable": 0, "key": read_keys(NEW)[0].id}
    assert await readable(pool, settings, NEW)
    assert not await readable(pool, settings, KEY)


async def test_what_no_key_opens_is_counted_and_left_as_it_is(serve: Serve, pool: Pool, settings: Settings) -> None:
    async with serve() as api:
        await fill(api)
    async with serve(secret_key=SecretStr(NEW)) as api:
        assert (await api.post("/accounts/rotate")).json()["unreadable"] == 21
    assert await readable(pool, settings, KEY)


async def test_a_ring_that_changes_is_heeded_at_once(
    serve: Serve, pool: Pool, settings: Settings, tmp_path: Path
) -> None:
    ring = tmp_path / "ring"
    ring.write_text(KEY)
    async with serve(secret_key=None, key_ring=ring) as api:
        await fill(api)
        ring.write_text(f"{NEW},{KEY}")
        assert (await api.post("/accounts/rotate")).json()["resealed"] == 21
        ring.write_text(NEW)
        assert (await api.get("/accounts")).json()["items"][0]["state"] == "set"
        await fill(api)
    assert await readable(pool, settings, NEW)


async def test_nothing_is_sealed_under_the_old_key_once_it_has_ended(
    pool: Pool, tmp_path: Path, settings: Settings
) -> None:
    """Somebody stores a credential all the while; each looks at the ring under the lock."""
    ring = tmp_path / "ring"
    ring.write_text(KEY)
    accounts = Accounts(pool, settings.model_copy(update={"secret_key": None, "key_ring": ring}))
    stop = asyncio.Event()

    async def keep_storing(number: int) -> int:
        stored = 0
        while not stop.is_set():
            await accounts.store("web", {"cookies": f"s{number}-{stored}.example\tFALSE\t/\tFALSE\t0\tn\tv"})
            stored += 1
        return stored

    storing = [asyncio.create_task(keep_storing(number)) for number in range(3)]
    while await pool.fetchval("SELECT count(*) FROM credentials") < 20:
        await asyncio.sleep(0.01)
    _write(ring, f"{NEW},{KEY}")
    await rotate(pool, accounts.ring)
    (first,) = read_keys(NEW)
    assert all(is_sealed_by(first, row["sealed"]) for row in await pool.fetch("SELECT sealed FROM credentials"))
    _write(ring, NEW)
    stop.set()
    total = sum(await asyncio.gather(*storing))
    held = (await accounts.held("web"))["web"]
    assert len(held) == total
    assert all(one.value for one in held)


def _write(ring: Path, text: str) -> None:
    aside = ring.with_name("aside")
    aside.write_text(text)
    aside.replace(ring)


ROTATING = """
import asyncio, sys
from extrophi_backend.accounts.rotation import rotate
from extrophi_backend.db import make_pool
from extrophi_backend.sealing import KeyRing
from pydantic import SecretStr

async def main():
    pool = await make_pool(sys.argv[1], name="killed")
    await rotate(pool, KeyRing(SecretStr(sys.argv[2]), None))

asyncio.run(main())
"""


@pytest.mark.parametrize(
    "held", ["SELECT pg_advisory_xact_lock_shared(4010001)", "LOCK TABLE held IN ROW EXCLUSIVE MODE"]
)
async def test_one_that_is_killed_has_changed_nothing(
    serve: Serve, pool: Pool, settings: Settings, database: str, held: str
) -> None:
    """Killed while it waits for what somebody holds: before all, or with rows written."""
    async with serve() as api:
        await fill(api)
    holder = await asyncpg.connect(database)
    await holder.execute(
        """CREATE TABLE held ();
           CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN LOCK TABLE held; RETURN NEW; END';
           CREATE TRIGGER wait AFTER UPDATE ON credentials FOR EACH ROW EXECUTE FUNCTION wait()"""
    )
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute(held)
    rotating = subprocess.Popen([sys.executable, "-c", ROTATING, database, f"{NEW},{KEY}"], env=os.environ)
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    deadline = asyncio.get_running_loop().time() + 30
    while not await holder.fetchval(waiting):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.02)
    rotating.send_signal(signal.SIGKILL)
    rotating.wait()
    await transaction.rollback()
    while await holder.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'extrophi-killed'"):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.02)
    assert await readable(pool, settings, KEY)
    assert await readable(pool, settings, NEW, KEY)
    await holder.close()
    assert (await rotate(pool, KeyRing(SecretStr(f"{NEW},{KEY}"), None))).resealed == 21
    assert await readable(pool, settings, NEW)


async def test_without_a_key_there_is_nothing_to_rotate_to(pool: Pool) -> None:
    with pytest.raises(Conflict):
        await rotate(pool, KeyRing(None, None))


async def test_every_sealed_column_is_known_to_the_rotation(pool: Pool) -> None:
    rows = await pool.fetch(
        """SELECT table_name, column_name FROM information_schema.columns
            WHERE table_schema = 'public' AND column_name ~ '(^|_)sealed$' AND data_type = 'bytea'"""
    )
    assert {(row["table_name"], row["column_name"]) for row in rows} == {(one.table, one.column) for one in SEALED}


async def test_the_context_in_sql_is_the_one_that_was_sealed_under(serve: Serve, pool: Pool) -> None:
    async with serve() as api:
        await fill(api)
    async with pool.acquire() as conn, conn.transaction():
        contexts = {context for _, context in await sql.sealed(conn, rotation.SEALED[0])}
    assert {"credential/twitter/bearer_token/", "credential/web/cookies/h0.example"} <= contexts
