"""The connections to one component: kept alive, bounded, the one used last taken first."""

import asyncio
import select
import ssl
from urllib.parse import urlsplit

from extrophi_orchestrator.errors import UpstreamBusy, UpstreamFailed, UpstreamSlow
from extrophi_orchestrator.gateway.wire import Connection

HEALTH_HINT = "Try again in a moment; GET /health says how each component is."
# uvicorn closes a connection that was idle for 5 s. Taking none that is near it leaves few races to lose.
IDLE_SECONDS = 3.0
MOST_IDLE = 64
AGAIN_SECONDS = 0.25


class Pool:
    """`take` gives a connection for one exchange, `give_back` ends the exchange."""

    def __init__(
        self, name: str, url: str, *, most: int = 512, connect_seconds: float = 2.0, wait_seconds: float = 5.0
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
        loop = asyncio.get_running_loop()

        async def connect() -> Connection:
            _, connection = await loop.create_connection(
                lambda: Connection(loop), self._address, self._port, ssl=self._tls
            )
            return connection

        try:
            async with asyncio.timeout(self._connect_seconds):
                try:
                    connection = await connect()
                except OSError:
                    # While containers around it come and go, a name or a way may be missing for a moment.
                    await asyncio.sleep(AGAIN_SECONDS)
                    connection = await connect()
        except TimeoutError:
            raise UpstreamSlow(f"{self.name} did not take a connection in time.", hint=HEALTH_HINT) from None
        except OSError as error:
            raise UpstreamFailed(f"{self.name} cannot be reached.", hint=HEALTH_HINT) from error
        return connection


def _has_news(descriptor: int) -> bool:
    """Whether bytes, or the end, have come on an idle connection that the event loop has not seen yet."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
