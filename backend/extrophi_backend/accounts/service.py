"""The story of credentials: given, sealed, handed to who collects, refused one day, warned of before."""

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from extrophi_backend.accounts import cookies, rotation, sql
from extrophi_backend.accounts.cookies import Cookie
from extrophi_backend.accounts.known import ACCOUNTS
from extrophi_backend.accounts.models import (
    WARNED_OF,
    Account,
    Condition,
    Credentials,
    Held,
    Outcome,
    State,
    Test,
    Value,
)
from extrophi_backend.accounts.reading import Malformed, read_value
from extrophi_backend.accounts.sql import Stored
from extrophi_backend.collectors.models import Platform
from extrophi_backend.db import Pool
from extrophi_backend.errors import Conflict, InvalidInput, NotFound, Unavailable
from extrophi_backend.fetch import addresses
from extrophi_backend.fetch.errors import FetchFailed
from extrophi_backend.log import event
from extrophi_backend.sealing import Key, KeyRing, Unreadable, seal, unseal
from extrophi_backend.settings import Settings

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 3.0
"""How old may be what is known of the web's cookies."""
_ENDS_LOGIN = re.compile(rb"(log|sign)[-_]?(out|off)", re.IGNORECASE)
"""In an address that ends a login. Whoever follows links comes to it, and is to find it without the cookies."""
_WORST_FIRST: Sequence[Condition] = ("unreadable", "refused", "expired", "expiring")


class Accounts:
    """The credentials of all platforms: from the environment, or else stored.

    One per process. What is stored is read whenever it is asked for, so that nobody restarts for a new cookie.
    """

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self.ring = KeyRing(settings.secret_key, settings.key_ring)
        self._pool = pool
        self._given = _from_environment(settings)
        self._cookies: tuple[Cookie, ...] = ()
        self._looked = float("-inf")
        self._looking = asyncio.Lock()

    async def held(self, platform: Platform | None = None) -> dict[Platform, list[Held]]:
        """What there is of one platform or all, by name and host."""
        before = self._keys()
        async with self._pool.acquire() as conn:
            rows, tests = await sql.stored(conn, platform), await sql.tests(conn, platform)
        # A rotation may have gone on meanwhile. What was read before its end is opened by a key that was there before,
        # what was read after it by one that is there now.
        keys = (*before, *self._keys())
        values = {(row.platform, row.name, row.host): _opened(keys, row) for row in rows}
        wanted: list[Platform] = [platform] if platform else list(ACCOUNTS)
        return {one: self._held(one, [row for row in rows if row.platform == one], values, tests) for one in wanted}

    def given(self) -> dict[Platform, list[Held]]:
        """What the environment gives, for as long as the database is away."""
        return {platform: self._held(platform, [], {}, {}) for platform in ACCOUNTS}

    async def credentials(self, platform: Platform) -> Credentials:
        """What a collector may use: all that can be read and has not expired. Never put it into a log or an error.

        Of cookies each has an end of its own; when the login ends that they carry is guesswork.
        """
        now = datetime.now(UTC)
        usable = [
            one
            for one in (await self.held(platform))[platform]
            if one.name == "cookies" or one.state(now) not in {"unreadable", "expired"}
        ]
        values = [one.value for one in usable if one.value]
        return Credentials(
            platform,
            values={one.name: one.text for one in values if one.name != "cookies"},
            cookies=tuple(cookie for one in values if one.name == "cookies" for cookie in cookies.load(one.text)),
            digests={(one.name, one.host): one.digest for one in values},
        )

    async def note_refused(self, used: Credentials, names: Sequence[str], detail: str, *, host: str = "") -> None:
        """A platform answered 401 or 403 to these. One that was set anew in between is not blamed.

        Args:
            used: As `credentials` gave them.
            names: Which of them.
            detail: A sentence in our words: what a platform says may repeat what it was sent.
            host: Of cookies of the web.
        """
        await self.note(used, Outcome(tuple(names), "refused", detail), host=host)

    async def note(self, used: Credentials, outcome: Outcome, *, host: str = "") -> None:
        """Keep what a platform said; that it said nothing is not kept."""
        rows = [(name, host, used.digests[name, host]) for name in outcome.names if (name, host) in used.digests]
        if rows and outcome.state != "unknown":
            async with self._pool.acquire() as conn, conn.transaction():
                await sql.note_tests(conn, used.platform, rows, outcome.state, outcome.detail)

    async def store(self, platform: Platform, given: Mapping[str, str]) -> None:
        """Store credentials, each in the place of what was there under its name.

        Raises:
            InvalidInput: one is unknown, or cannot be what it is said to be. Then none is stored.
            Conflict: the environment gives it.
            NoSecretKey, Unavailable: nothing can be sealed.
        """
        values = [value for name, text in given.items() for value in _read(platform, name, text)]
        for value in values:
            self._may_change(platform, value.name, value.host)
        unique = {(value.name, value.host): value for value in values}
        async with self._pool.acquire() as conn, conn.transaction():
            key = await rotation.key_for_sealing(conn, self.ring)
            rows = [
                (one.name, one.host, seal(key, one.text, _context(platform, one.name, one.host)), one.expires_at)
                for one in unique.values()
            ]
            await sql.put(conn, platform, rows)
        self._looked = float("-inf")
        _log.info(event("accounts.stored", platform=platform, names=",".join(sorted({one.name for one in values}))))

    async def remove(self, platform: Platform, name: str | None, host: str | None) -> None:
        """Forget what is stored. Raises NotFound: nothing of the kind is; Conflict: the environment gives it."""
        async with self._pool.acquire() as conn, conn.transaction():
            gone = await sql.delete(conn, platform, name, host)
        self._looked = float("-inf")
        _log.info(event("accounts.removed", platform=platform, count=gone))
        if not gone:
            for one in self._given.get(platform, ()):
                if name in {None, one.name} and host in {None, one.host}:
                    self._may_change(platform, one.name, one.host)
            raise NotFound(
                f"Nothing like that is stored for {ACCOUNTS[platform].title}.",
                hint="`extrophi accounts` lists what is.",
            )

    async def rotate(self) -> rotation.Rotation:
        """Seal everything under the first key. Raises NoSecretKey, Unavailable."""
        done = await rotation.rotate(self._pool, self.ring)
        _log.info(event("accounts.rotated", resealed=done.resealed, unreadable=done.unreadable, key=done.key))
        return done

    async def cookies_of_host(self, url: str) -> tuple[Cookie, ...]:
        """The cookies of the web that belong to an address's host, whatever their path; none to one that ends a login.

        What is stored now is known within seconds.
        """
        await self._look()
        try:
            parsed = addresses.parse(url)
        except FetchFailed:  # nothing of the web
            return ()
        if _ENDS_LOGIN.search(parsed.raw_path):
            return ()
        now = datetime.now(UTC)
        return tuple(one for one in self._cookies if one.belongs_to_host(parsed, now))

    async def cookie_header(self, url: str) -> str:
        """The header that goes with a request to an address of the web; empty where none does."""
        found, now = await self.cookies_of_host(url), datetime.now(UTC)
        return cookies.header(one for one in found if one.belongs_to(addresses.parse(url), now))

    async def warn(self) -> None:
        """A line in the log for each platform whose credentials need looking after, once a day."""
        now = datetime.now(UTC)
        for platform, held in (await self.held()).items():
            state = state_of(ACCOUNTS[platform], held, now)
            if state in WARNED_OF:
                async with self._pool.acquire() as conn:
                    due = await sql.claim_warning(conn, platform)
                if due:
                    until = earliest_expiry(held) or ""
                    hint = "extrophi accounts tells what to do"
                    _log.warning(event("accounts.warning", platform=platform, state=state, expires_at=until, hint=hint))

    def _keys(self) -> tuple[Key, ...]:
        try:
            return self.ring.keys()
        except Unavailable:  # what is stored is shown as unreadable
            return ()

    def _held(
        self,
        platform: Platform,
        rows: Sequence[Stored],
        values: Mapping[tuple[str, str, str], Value | None],
        tests: Mapping[tuple[str, str, str], Test],
    ) -> list[Held]:
        def said_of(value: Value | None, name: str, host: str) -> Test | None:
            test = tests.get((platform, name, host))
            return test if test and value and test.digest == value.digest else None

        found = {
            (row.name, row.host): Held(
                row.name,
                row.host,
                "stored",
                value,
                row.expires_at,
                row.set_at,
                said_of(value, row.name, row.host),
            )
            for row in rows
            for value in [values[platform, row.name, row.host]]
        } | {
            (one.name, one.host): Held(
                one.name, one.host, "environment", one, one.expires_at, None, said_of(one, one.name, one.host)
            )
            for one in self._given.get(platform, ())
        }
        order = {kind.name: number for number, kind in enumerate(ACCOUNTS[platform].kinds)}
        return sorted(found.values(), key=lambda one: (order.get(one.name, 99), one.host))

    def _may_change(self, platform: Platform, name: str, host: str) -> None:
        if any((one.name, one.host) == (name, host) for one in self._given.get(platform, ())):
            kind = ACCOUNTS[platform].kind(name)
            setting = kind.setting if kind else name
            raise Conflict(
                f"{setting} is set in the environment, which goes before what is stored.",
                hint=f"Unset {setting} and start Extrophi anew, or change it there.",
            )

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        async with self._looking:
            if loop.time() - self._looked > _LOOK_SECONDS:
                began = loop.time()
                self._cookies = (await self.credentials("web")).cookies
                self._looked = began


def _opened(keys: Sequence[Key], row: Stored) -> Value | None:
    try:
        text = unseal(keys, row.sealed, _context(row.platform, row.name, row.host))
    except Unreadable:
        return None
    return Value(row.name, text, row.host, row.expires_at)


def state_of(account: Account, held: Sequence[Held], now: datetime) -> State:
    """How a platform's credentials are, in a word: the worst of them."""
    if not held:
        return "missing" if account.needed else "none_needed"
    states = {one.state(now) for one in held}
    for worst in _WORST_FIRST:
        if worst in states:
            return worst
    names = {one.name for one in held}
    if not any(way <= names for way in account.ways):
        return "missing"
    return "ok" if states == {"ok"} else "set"


def is_usable(account: Account, held: Sequence[Held], now: datetime) -> bool:
    """Whether something can be collected with them."""
    names = {one.name for one in held if one.state(now) in {"set", "ok", "expiring"}}
    return any(way <= names for way in account.ways)


def earliest_expiry(held: Sequence[Held]) -> datetime | None:
    return min((one.expires_at for one in held if one.expires_at), default=None)


def _context(platform: str, name: str, host: str) -> str:
    """As `rotation.SEALED` has it in SQL."""
    return f"credential/{platform}/{name}/{host}"


def _read(platform: Platform, name: str, text: str) -> list[Value]:
    account = ACCOUNTS[platform]
    known = [kind.name for kind in account.kinds] + (["cookies"] if platform == "twitter" else [])
    if name not in known:
        # What was given as a name is not shown: it may be the value, in the wrong place.
        takes = f"It takes {', '.join(known)}." if known else "It needs none."
        raise InvalidInput(f"{account.title} has no credential of that name. {takes}", field="values", hint=account.how)
    try:
        return read_value(platform, name, text)
    except Malformed as error:
        raise InvalidInput(str(error), field=f"values.{name}", hint=account.how) from None


def _from_environment(settings: Settings) -> dict[Platform, list[Value]]:
    return {
        platform: [
            value
            for kind in account.kinds
            if (secret := settings.credential(kind.setting)) is not None
            for value in read_value(platform, kind.name, secret)
        ]
        for platform, account in ACCOUNTS.items()
    }
