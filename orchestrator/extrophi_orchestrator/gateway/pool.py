"""The connections to one component: kept alive, bounded, the one used last taken first."""

import asyncio
import logging
import select
import socket
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

from extrophi_orchestrator.errors import UpstreamBusy, UpstreamFailed, UpstreamSlow
from extrophi_orchestrator.gateway.wire import Connection
from extrophi_orchestrator.log import event

_log = logging.getLogger(__name__)

HEALTH_HINT = "Try again in a moment; GET /health says how each component is."
# uvicorn closes a connection that was idle for 5 s. Taking none that is near it leaves few races to lose.
IDLE_SECONDS = 3.0
MOST_IDLE = 64
AGAIN_SECONDS = 0.25
KNOWN_SECONDS = 0.5  # for a name to be resolved that was a moment ago
FRESH_SECONDS, STALE_SECONDS = 5.0, 30.0
CONNECT_SECONDS = (0.5, 1.0, 2.0)  # of one attempt after the other: a machine that halts is no silent component
# musl asks all name servers at once, and believes the first. Podman before 4.4 names the machine's beside its own, and
# the machine's knows no container: where it is faster, one look-up in twenty finds nothing.
UNKNOWN_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
RESOLVE_SECONDS = 6.0  # resolvers ask again after 2.5 s (musl) or 5 s (glibc)


class Pool:
    """`take` gives a connection for one exchange, `give_back` ends the exchange."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        most: int = 512,
        connect_seconds: Sequence[float] = CONNECT_SECONDS,
        wait_seconds: float = 5.0,
    ) -> None:
        parts = urlsplit(url)
        self.name = name
        self.host = parts.netloc.rpartition("@")[2].encode()
        self.prefix = parts.path.rstrip("/").encode()
        self._address = parts.hostname or ""
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._connect_seconds = connect_seconds
        self._wait_seconds = wait_seconds
        self._slots = asyncio.Semaphore(most)
        self._idle: list[Connection] = []
        self._known: list[str] = []
        self._known_at = 0.0
        self._looking: asyncio.Task[list[str]] | None = None

    async def take(self, *, fresh: bool = False) -> Connection:
        """A connection that the component has not closed, as far as this machine knows; a new one if `fresh`.

        Raises:
            UpstreamFailed, UpstreamBusy, UpstreamSlow: there is none to be had. Nothing was sent.
        """
        if self._slots.locked():
            try:
                async with asyncio.timeout(self._wait_seconds):
                    await self._slots.acquire()
            except TimeoutError:
                detail = f"{self.name} is busy: every connection to it is taken."
                raise UpstreamBusy(detail, hint=HEALTH_HINT, retry_after=self._wait_seconds) from None
        else:
            await self._slots.acquire()
        try:
            if asyncio.get_running_loop().time() - self._known_at > FRESH_SECONDS and self._known:
                self._looked_up()  # so that it is known when it is needed: the resolver may be slow just then
            return (None if fresh else self._from_idle()) or await self._connect()
        except BaseException:
            self._slots.release()
            raise

    def give_back(self, connection: Connection) -> None:
        self._slots.release()
        if connection.finish():
            if len(self._idle) >= MOST_IDLE:
                self._idle = [one for one in self._idle if one.usable]
            if len(self._idle) >= MOST_IDLE:
                connection.close()
                return
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _from_idle(self) -> Connection | None:
        oldest = asyncio.get_running_loop().time() - IDLE_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if not connection.usable:
                continue
            if connection.idle_since < oldest:
                connection.close()
                self.close()  # those below were idle for longer
                return None
            if _has_news(connection.descriptor):
                connection.close()
                continue
            return connection
        return None

    async def _connect(self) -> Connection:
        """While containers around it come and go, a name or a way may be missing for a moment, or lead nowhere."""
        is_again = False
        for seconds in self._connect_seconds:
            try:
                return await self._open(seconds)
            except TimeoutError:
                continue  # where its name leads now may be another place
            except OSError as error:
                if is_again:
                    _log.warning(event("upstream.unreachable", component=self.name, error=error))
                    raise UpstreamFailed(f"{self.name} cannot be reached.", hint=HEALTH_HINT) from error
                is_again = True
                await asyncio.sleep(AGAIN_SECONDS)
        raise UpstreamSlow(f"{self.name} did not take a connection in time.", hint=HEALTH_HINT)

    async def _open(self, seconds: float) -> Connection:
        """To the first of its addresses that takes it: replicas have one name, and one of them may just have gone.

        Nothing answers where a container was, so each has `seconds`. Raises TimeoutError if one was silent, or OSError.
        """
        failed = OSError(f"{self._address} has no address")
        for host in await self._hosts():
            try:
                async with asyncio.timeout(seconds):
                    return await self._open_to(host)
            except OSError as error:
                if not isinstance(failed, TimeoutError):
                    failed = error
        raise failed

    async def _open_to(self, host: str) -> Connection:
        loop = asyncio.get_running_loop()
        name = self._address if self._tls else None
        _, connection = await loop.create_connection(
            lambda: Connection(loop), host, self._port, ssl=self._tls, server_hostname=name
        )
        return connection

    async def _hosts(self) -> list[str]:
        """Its addresses; those it had a moment ago, while its name cannot be resolved, or not soon.

        Not for longer: another may have them by then, who is to see neither key nor documents. All who ask meanwhile
        wait for one look-up: where those are slow, one for each would keep all threads busy.
        """
        known = self._known if asyncio.get_running_loop().time() - self._known_at < STALE_SECONDS else []
        try:
            async with asyncio.timeout(KNOWN_SECONDS if known else None):
                return await asyncio.shield(self._looked_up())
        except OSError:
            if not known:
                raise
            return known

    def _looked_up(self) -> "asyncio.Task[list[str]]":
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_up())
            self._looking.add_done_callback(lambda done: done.cancelled() or done.exception())  # all may have left
        return self._looking

    async def _look_up(self) -> list[str]:
        async with asyncio.timeout(RESOLVE_SECONDS):
            for pause in UNKNOWN_PAUSES:
                try:
                    self._known = await addresses(self._address)
                    break
                except OSError:
                    await asyncio.sleep(pause)
            else:
                self._known = await addresses(self._address)
        self._known_at = asyncio.get_running_loop().time()
        return self._known


async def addresses(name: str) -> list[str]:
    """What a name stands for, in the order it is to be tried. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return [*dict.fromkeys(str(one[4][0]) for one in found)]


def _has_news(descriptor: int) -> bool:
    """Whether bytes, or the end, have come on an idle connection that the event loop has not seen yet."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
