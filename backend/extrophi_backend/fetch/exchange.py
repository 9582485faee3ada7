"""One request and its answer, over connections that the guard made."""

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import suppress

import httpcore
import httpx

from extrophi_backend.fetch import guard
from extrophi_backend.fetch.errors import FetchFailed
from extrophi_backend.fetch.unpacking import read_body, skim

MOVED = frozenset({301, 302, 303, 307, 308})
_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 20.0
"""How long a server may send nothing."""
_LEFT_SECONDS = 1.0
"""For reading past a body that nobody wants."""


class Exchange:
    """A pool of connections.

    Args:
        agent: Who we say that we are.
        allow: Private networks that may be reached all the same.
        resolve: Gives a name's addresses.
        verify: For TLS.
    """

    def __init__(
        self, *, agent: str, allow: Sequence[guard.Network], resolve: guard.Resolve, verify: ssl.SSLContext
    ) -> None:
        self._agent = agent
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=15.0,
            network_backend=guard.GuardedBackend(allow, resolve),
        )

    async def close(self) -> None:
        await self._pool.aclose()

    async def ask(
        self,
        url: httpx.URL,
        headers: dict[str, str],
        cookies: httpx.Cookies,
        most: int | None,
        *,
        cut: bool = False,
        method: str = "GET",
        content: bytes | None = None,
    ) -> httpx.Response:
        """The answer to one request, its body unpacked and at most `most` bytes; a redirect's is left unread.

        With None, every body is: whatever it is, and whether it comes, its head was the answer. With `cut`, a longer
        one is no failure: what comes first is given.

        Raises:
            FetchFailed: no whole answer came.
        """
        ours = {
            "Host": url.netloc.decode("ascii"),  # else httpx asks for the URL's `host` (see addresses.parse)
            "User-Agent": self._agent,
            "Accept-Encoding": "gzip",
            "Accept-Language": "*",
        }
        request = httpx.Request(method, url, headers=ours | headers, content=content)
        cookies.set_cookie_header(request)
        times = {"connect": _CONNECT_SECONDS, "read": _SILENCE_SECONDS, "write": _SILENCE_SECONDS, "pool": None}
        raw = httpcore.Request(
            method=method.encode(),
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=content,
            extensions={"timeout": times},
        )
        try:
            received = await self._pool.handle_async_request(raw)
            try:
                head = httpx.Response(received.status, headers=received.headers, request=request)
                if most is None:
                    body = b""
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_LEFT_SECONDS):
                            await skim(received)
                elif received.status == 304 or (received.status in MOVED and "location" in head.headers):
                    body = b""
                    await skim(received)
                else:
                    body = await read_body(received, head.headers.get("content-encoding", ""), most, cut=cut)
            finally:
                await received.aclose()
        except httpcore.TimeoutException as error:
            raise FetchFailed("timeout", "The server fell silent.") from error
        except (httpcore.ProtocolError, httpcore.ReadError, httpcore.WriteError) as error:
            raise FetchFailed("broken_answer", "The server's answer is broken or was cut off.") from error
        except httpcore.ConnectError as error:
            raise _refused(error) from error
        except (ValueError, httpcore.UnsupportedProtocol) as error:  # header values that cannot be sent
            raise FetchFailed("malformed_url", "The address is malformed.") from error
        # httpx must not decode it again; the rest of its head is what cookies, redirects and callers read.
        plain = [(name, value) for name, value in head.headers.raw if name.lower() != b"content-encoding"]
        answer = httpx.Response(received.status, headers=plain, content=body, request=request)
        cookies.extract_cookies(answer)
        return answer


def _refused(error: httpcore.ConnectError) -> FetchFailed:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, FetchFailed):
            return cause
        if isinstance(cause, ssl.SSLError):
            return FetchFailed("tls_failed", f"Its certificate or encryption is not in order: {cause.reason}.")
        cause = cause.__cause__ or cause.__context__
    return FetchFailed("connection_failed", "The connection could not be made.")
