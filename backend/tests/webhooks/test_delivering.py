"""Messages to real receivers on loopback, delivered by what the worker runs."""

import asyncio
import base64
import hmac
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from ipaddress import ip_network
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr
from uuid_utils.compat import uuid7

from backend.tests.webhooks.receiver import Got, Receiver, receiving
from extrophi_backend.captures.store import Captures
from extrophi_backend.collectors.models import Collected
from extrophi_backend.db import Connection, Pool
from extrophi_backend.documents import service as documents
from extrophi_backend.documents.models import Links, Others
from extrophi_backend.sealing import KeyRing
from extrophi_backend.webhooks import delivering, service, sql
from extrophi_backend.webhooks.models import DELAYS, LEASE_TIME, TIMEOUT
from extrophi_backend.webhooks.posting import Poster

LOOPBACK = ip_network("127.0.0.0/8")
RING = KeyRing(SecretStr("5" * 64), None)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


async def make_source(pool: Pool, url: str, secret: str | None = None) -> UUID:
    """A source whose events go to `url`."""
    source_id = uuid7()
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute(
            """INSERT INTO sources (id, platform, target, typed, collection_id)
               SELECT $1::uuid, 'web', $1::uuid::text, $1::uuid::text, id FROM collections WHERE name = 'default'""",
            source_id,
        )
        await service.put(conn, RING, source_id, url, secret)
    return source_id


async def collect(pool: Pool, source_id: UUID, *names: str, text: str = "Herons.") -> None:
    """What one page of a job of the source saves."""
    found = [Collected("web", f"{source_id}/{name}", f"{name} {text}", title=name) for name in names]
    prepared = await documents.prepare(pool, None, found)
    async with pool.acquire() as conn, conn.transaction():
        await documents.write(conn, prepared, Links(source_id=source_id))


@asynccontextmanager
async def worker(pool: Pool, *, allow: bool = True, timeout: timedelta = TIMEOUT) -> AsyncGenerator[None]:
    """What one worker runs, while the context lasts."""
    poster = Poster([LOOPBACK] if allow else [], timeout=timeout)
    task = asyncio.create_task(delivering.keep_delivering(pool, poster, RING))
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait({task})
        await poster.close()


async def until(look: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not look():
            await asyncio.sleep(0.02)


async def becomes(conn: Connection, source_id: UUID, condition: str) -> None:
    async with asyncio.timeout(30):
        while not await conn.fetchval(f"SELECT {condition} FROM webhooks WHERE source_id = $1", source_id):
            await asyncio.sleep(0.02)


async def hurry(conn: Connection) -> None:
    """The wait for the next attempt is over."""
    await conn.execute("UPDATE webhooks SET run_after = now() WHERE run_after > now()")


async def test_what_a_source_finds_is_posted_in_order_and_signed(pool: Pool, receiver: Receiver) -> None:
    secret = "whsec_" + base64.b64encode(b"k" * 24).decode()
    source_id = await make_source(pool, receiver.url("/hook"), secret)
    other = await make_source(pool, receiver.url("/other"))
    await collect(pool, source_id, "a", "b")
    await collect(pool, source_id, "a", text="Herons fly.")
    async with pool.acquire() as conn, conn.transaction():
        await documents.write(conn, [], Links(), Others("web", gone=(f"{source_id}/b",)))
    await collect(pool, other, "elsewhere")
    async with worker(pool):
        await until(lambda: receiver.at("/hook") and receiver.at("/other"))
    (message,) = receiver.at("/hook")
    assert message.body["type"] == "documents"
    assert message.body["data"]["source_id"] == str(source_id)
    events = message.body["data"]["events"]
    assert [(one["kind"], one["title"], one["version"]) for one in events] == [
        ("document.created", "a", 1), ("document.created", "b", 1), ("document.updated", "a", 2),
        ("document.gone", "b", 1),
    ]  # fmt: skip
    assert events[0]["source_ids"] == [str(source_id)]
    headers = message.headers
    assert headers["content-type"] == "application/json"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + message.raw
    expected = base64.b64encode(hmac.new(b"k" * 24, signed, sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert [one.titles for one in receiver.at("/other")] == [["elsewhere"]]


def signature(key: bytes, message: Got) -> str:
    signed = f"{message.headers['webhook-id']}.{message.headers['webhook-timestamp']}.".encode() + message.raw
    return "v1," + base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()


async def test_for_a_day_after_a_rotation_messages_are_signed_with_both_secrets(
    pool: Pool, conn: Connection, receiver: Receiver
) -> None:
    first, second, third = (key * 24 for key in (b"a", b"b", b"c"))
    secret = {key: "whsec_" + base64.b64encode(key).decode() for key in (first, second, third)}
    source_id = await make_source(pool, receiver.url("/hook"), secret[first])

    async def rotate(key: bytes) -> None:
        async with pool.acquire() as other, other.transaction():
            assert await service.rotate(other, RING, source_id, secret[key]) is None

    async def posted(name: str) -> list[str]:
        await collect(pool, source_id, name)
        await until(lambda: receiver.got and f'"title": "{name}"'.encode() in receiver.got[-1].raw)
        return receiver.got[-1].headers["webhook-signature"].split(" ")

    async with worker(pool):
        await rotate(second)
        signed = await posted("a")
        assert signed == [signature(second, receiver.got[-1]), signature(first, receiver.got[-1])]
        await rotate(second)  # said twice: nothing is lost
        assert len(await posted("b")) == 2
        await rotate(third)
        signed = await posted("c")
        assert signed == [signature(third, receiver.got[-1]), signature(second, receiver.got[-1])]
        poster = Poster([LOOPBACK])
        await service.test(pool, RING, poster, source_id)
        await poster.close()
        assert len(receiver.got[-1].headers["webhook-signature"].split(" ")) == 2
        left = await conn.fetchval("SELECT former_until - now() FROM webhooks")
        assert timedelta(hours=23) < left <= timedelta(hours=24)
        await conn.execute("UPDATE webhooks SET former_until = now()")
        assert await posted("d") == [signature(third, receiver.got[-1])]
    await service.prune(pool)
    assert await conn.fetchval("SELECT former_sealed FROM webhooks") is None


async def test_the_same_rotation_twice_at_once_keeps_the_secret_from_before(pool: Pool, receiver: Receiver) -> None:
    before, after = ("whsec_" + base64.b64encode(key * 24).decode() for key in (b"a", b"b"))
    source_id = await make_source(pool, receiver.url("/hook"), before)

    async def rotate(conn: Connection) -> None:
        await service.rotate(conn, RING, source_id, after)

    async def again() -> None:
        async with pool.acquire() as other, other.transaction():
            await rotate(other)

    async with pool.acquire() as conn, asyncio.TaskGroup() as group, conn.transaction():
        await rotate(conn)
        group.create_task(again())
        async with pool.acquire() as looking:
            waits = "SELECT true FROM pg_locks WHERE NOT granted LIMIT 1"
            async with asyncio.timeout(20):
                while not await looking.fetchval(waits):
                    await asyncio.sleep(0.02)
    async with pool.acquire() as conn:
        assert service.open_secrets(RING, await service.get(conn, source_id)) == [after, before]


@pytest.mark.parametrize("state", ["active", "failed", "disabled"])
async def test_a_rotation_leaves_the_webhook_as_it_is(
    pool: Pool, conn: Connection, receiver: Receiver, state: str
) -> None:
    source_id = await make_source(pool, receiver.url("/hook"))
    await conn.execute(
        """UPDATE webhooks SET state = $1, attempts = 3, error = '{"code": "http_500", "detail": "So it is."}',
                               run_after = now() + interval '1 hour'""",
        state,
    )
    before = await conn.fetchrow("SELECT state, attempts, error, run_after, url, fence FROM webhooks")
    async with conn.transaction():
        assert (await service.rotate(conn, RING, source_id, None) or "").startswith("whsec_")
    assert await conn.fetchrow("SELECT state, attempts, error, run_after, url, fence FROM webhooks") == before


async def test_a_deleted_document_is_told_to_those_who_had_it(
    pool: Pool, conn: Connection, receiver: Receiver, tmp_path: Path
) -> None:
    source_id = await make_source(pool, receiver.url("/hook"))
    await collect(pool, source_id, "a")
    async with worker(pool):
        await until(lambda: receiver.at("/hook"))
        document_id = await conn.fetchval("SELECT document_id FROM source_documents")
        await documents.delete(pool, Captures(None, tmp_path), document_id)
        await until(lambda: len(receiver.at("/hook")) == 2)
    (told,) = receiver.at("/hook")[1].body["data"]["events"]
    assert (told["kind"], told["title"], told["document_id"]) == ("document.deleted", None, str(document_id))


async def test_two_workers_deliver_each_message_once_and_in_order(pool: Pool, receiver: Receiver) -> None:
    sources = [await make_source(pool, receiver.url(f"/{n}")) for n in range(4)]
    async with worker(pool), worker(pool), worker(pool):
        for turn in range(8):
            await asyncio.gather(*(collect(pool, one, f"d{turn}a", f"d{turn}b") for one in sources))
        names = [f"d{turn}{part}" for turn in range(8) for part in "ab"]
        await until(lambda: all(sum(len(one.titles) for one in receiver.at(f"/{n}")) >= len(names) for n in range(4)))
    for n in range(4):
        messages = receiver.at(f"/{n}")
        assert [title for one in messages for title in one.titles] == names
        assert len({one.headers["webhook-id"] for one in messages}) == len(messages)


async def test_a_receiver_that_fails_is_tried_again_with_the_same_message(
    pool: Pool, conn: Connection, receiver: Receiver
) -> None:
    receiver.answers["/hook"] = (500, {})
    source_id = await make_source(pool, receiver.url("/hook"))
    await collect(pool, source_id, "a")
    async with worker(pool):
        await becomes(conn, source_id, "attempts = 1 AND lease_until IS NULL")
        await collect(pool, source_id, "b")  # later than the message: it goes out with the next
        found = await service.get(conn, source_id)
        assert found.error == {"code": "http_500", "detail": "The receiver answered 500."}
        assert found.state == "active"
        await hurry(conn)
        await becomes(conn, source_id, "attempts = 2 AND lease_until IS NULL")
        receiver.answers["/hook"] = (204, {})
        await hurry(conn)
        await until(lambda: len(receiver.got) == 4)
        await becomes(conn, source_id, "attempts = 0 AND error IS NULL AND delivered_at IS NOT NULL")
    first, second, third, fourth = receiver.got
    assert first.titles == second.titles == third.titles == ["a"]
    assert fourth.titles == ["b"]
    ids = [one.headers["webhook-id"] for one in receiver.got]
    assert len(set(ids[:3])) == 1
    assert ids[3] != ids[0]


async def test_after_a_day_it_has_failed_and_what_it_missed_goes_out_when_it_is_mended(
    pool: Pool, conn: Connection, receiver: Receiver
) -> None:
    receiver.answers["/hook"] = (500, {})
    source_id = await make_source(pool, receiver.url("/hook"))
    await collect(pool, source_id, "a")
    await conn.execute("UPDATE webhooks SET attempts = $1", len(DELAYS))
    poster = Poster([LOOPBACK])
    async with worker(pool):
        await becomes(conn, source_id, "state = 'failed'")
        await collect(pool, source_id, "b")
        assert (await service.test(pool, RING, poster, source_id)).error is not None
        assert await conn.fetchval("SELECT state FROM webhooks") == "failed"
        receiver.answers["/hook"] = (204, {})
        assert (await service.test(pool, RING, poster, source_id)).error is None
        await until(lambda: [one.titles for one in receiver.got[3:]] == [["a"], ["b"]])
    await poster.close()
    assert [one.body["type"] for one in receiver.got[1:3]] == ["test", "test"]
    assert sum(DELAYS, start=DELAYS[0] * 0).total_seconds() > 23 * 3600


async def test_a_receiver_that_says_when_is_asked_then(pool: Pool, conn: Connection, receiver: Receiver) -> None:
    receiver.answers["/hook"] = (429, {"Retry-After": "1800"})
    source_id = await make_source(pool, receiver.url("/hook"))
    await collect(pool, source_id, "a")
    async with worker(pool):
        await becomes(conn, source_id, "attempts = 1 AND run_after > now() + interval '25 minutes'")
    assert len(receiver.at("/hook")) == 1


async def test_a_receiver_that_is_gone_is_told_no_more(pool: Pool, conn: Connection, receiver: Receiver) -> None:
    receiver.answers["/hook"] = (410, {})
    source_id = await make_source(pool, receiver.url("/hook"))
    await collect(pool, source_id, "a")
    async with worker(pool):
        await becomes(conn, source_id, "state = 'disabled' AND error ->> 'code' = 'http_410'")
        await collect(pool, source_id, "b")
        other = await make_source(pool, receiver.url("/other"))
        await collect(pool, other, "c")
        await until(lambda: receiver.at("/other"))  # so that it was looked at meanwhile
    assert len(receiver.at("/hook")) == 1
    assert (await service.get(conn, source_id)).waiting == 0


async def test_no_redirect_is_followed(pool: Pool, conn: Connection, receiver: Receiver) -> None:
    receiver.answers["/hook"] = (307, {"Location": receiver.url("/secret")})
    source_id = await make_source(pool, receiver.url("/hook"))
    await collect(pool, source_id, "a")
    async with worker(pool):
        await becomes(conn, source_id, "error ->> 'code' = 'http_307'")
    assert not receiver.at("/secret")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "169.254.169.254"]
)
async def test_a_private_address_is_not_reached(pool: Pool, conn: Connection, receiver: Receiver, host: str) -> None:
    source_id = await make_source(pool, f"http://{host}:{receiver.port}/hook")
    await collect(pool, source_id, "a")
    async with worker(pool, allow=False):
        await becomes(conn, source_id, "error ->> 'code' IN ('forbidden_address', 'name_not_resolved')")
    assert not receiver.got


async def test_a_receiver_that_drips_holds_up_nobody_and_is_given_up(
    pool: Pool, conn: Connection, receiver: Receiver
) -> None:
    slow = await make_source(pool, receiver.url("/drip"))
    dead = await make_source(pool, "http://127.0.0.1:1/")
    quick = await make_source(pool, receiver.url("/hook"))
    async with worker(pool, timeout=timedelta(seconds=5)):
        for one in (slow, dead, quick):
            await collect(pool, one, "a")
        await until(lambda: receiver.at("/drip") and receiver.at("/hook"))
        await becomes(conn, dead, "error ->> 'code' = 'connection_failed'")
        await collect(pool, quick, "b")
        await until(lambda: [one.titles for one in receiver.at("/hook")] == [["a"], ["b"]])
        assert not receiver.drip.is_set()
        await becomes(conn, slow, "error ->> 'code' = 'timeout'")


async def test_whatever_body_comes_with_it_a_200_takes_the_message(
    pool: Pool, conn: Connection, receiver: Receiver
) -> None:
    source_id = await make_source(pool, receiver.url("/drip-body"))
    async with worker(pool):
        for name in ("a", "b"):
            await collect(pool, source_id, name)
            await until(lambda name=name: [name] in [one.titles for one in receiver.at("/drip-body")])
        await becomes(conn, source_id, "error IS NULL AND lease_until IS NULL")
    assert [one.titles for one in receiver.at("/drip-body")] == [["a"], ["b"]]


async def test_who_was_killed_leaves_the_message_to_another_with_the_same_id(
    pool: Pool, conn: Connection, receiver: Receiver
) -> None:
    source_id = await make_source(pool, receiver.url("/hook"))
    await collect(pool, source_id, "a")
    async with conn.transaction():
        await sql.route(conn)
    (dead,) = await sql.claim(conn, 10, LEASE_TIME)  # and then it was killed
    assert await sql.claim(conn, 10, LEASE_TIME) == []
    await conn.execute("UPDATE webhooks SET lease_until = now() - interval '1 second'")
    async with worker(pool):
        await becomes(conn, source_id, "delivered_at IS NOT NULL")
        (message,) = receiver.got
        assert message.headers["webhook-id"] == str(dead.message_id)
        await collect(pool, source_id, "b")
        await until(lambda: len(receiver.got) == 2)
        await becomes(conn, source_id, "message_id IS NULL")
    # It was only slow: what it has to say counts no more.
    await sql.failed(conn, dead, {"code": "x", "detail": "x"}, None)
    await sql.delivered(conn, dead)
    assert (await service.get(conn, source_id)).state == "active"


async def test_an_event_that_is_committed_late_is_routed(pool: Pool, receiver: Receiver) -> None:
    source_id = await make_source(pool, receiver.url("/hook"))
    prepared = await documents.prepare(pool, None, [Collected("web", "late", "It took long.", title="late")])
    async with worker(pool), pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        await documents.write(slow, prepared, Links(source_id=source_id))
        await collect(pool, source_id, "early")
        await until(lambda: [one.titles for one in receiver.got] == [["early"]])
        await transaction.commit()
        await until(lambda: len(receiver.got) > 1)
    assert [one.titles for one in receiver.got] == [["early"], ["late"]]


async def test_what_happened_before_there_was_a_webhook_is_not_posted(pool: Pool, receiver: Receiver) -> None:
    source_id = await make_source(pool, receiver.url("/hook"))
    async with pool.acquire() as conn:
        await service.remove(conn, source_id)
    await collect(pool, source_id, "before")
    async with pool.acquire() as conn, conn.transaction():
        await service.put(conn, RING, source_id, receiver.url("/hook"), None)
    await collect(pool, source_id, "after")
    async with worker(pool):
        await until(lambda: receiver.got)
    assert [one.titles for one in receiver.got] == [["after"]]


async def test_many_events_go_out_in_several_messages(pool: Pool, receiver: Receiver) -> None:
    source_id = await make_source(pool, receiver.url("/hook"))
    names = [f"{n:03}" for n in range(230)]
    await collect(pool, source_id, *names)
    async with worker(pool):
        await until(lambda: sum(len(one.titles) for one in receiver.got) == 230)
    assert [len(one.titles) for one in receiver.got] == [100, 100, 30]
    assert [title for one in receiver.got for title in one.titles] == names
