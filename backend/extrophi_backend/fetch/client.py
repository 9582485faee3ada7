"""The one way out: every request to a collected address goes through `Fetcher.fetch`.

It is guarded (guard.py), polite (pace.py, robots.py), and bounded in redirects, time, bytes and decompression.
"""

import asyncio
import ssl
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx

from extrophi_backend.fetch import guard
from extrophi_backend.fetch.addresses import join, parse
from extrophi_backend.fetch.errors import FetchFailed, Wait
from extrophi_backend.fetch.pace import DELAY, PATIENCE, Pace, retry_after
from extrophi_backend.fetch.robots import AGENT, MAX_BYTES, Answered, Robots

MAX_REDIRECTS = 10
_ATTEMPTS = 3
_BACKOFF_SECONDS = 0.5
_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 20.0
"""How long a server may send nothing."""
_WAIT_UNSAID = 60.0
"""What a 429 without Retry-After is taken to ask for."""
_ACCEPT = "text/html,application/xhtml+xml,application/pdf;q=0.9,application/xml;q=0.9,text/plain;q=0.8,*/*;q=0.5"
_MOVED = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({429, 503})
_WORTH_AGAIN = frozenset({500, 502, 504})

Validators = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer, whatever its status. `url` is the address that gave it, after redirects."""

    url: str
    status: int
    media_type: str
    """As declared, parameters and all; empty when not declared."""
    body: bytes
    etag: str | None
    last_modified: str | None

    @property
    def not_modified(self) -> bool:
        return self.status == 304

    @property
    def validators(self) -> dict[str, Any]:
        """What makes asking again cheap (RFC 9110, 13.1); empty where the server sent none."""
        found = {"etag": self.etag, "last_modified": self.last_modified}
        return {name: value for name, value in found.items() if value}


async def _none(_: str) -> Validators:
    return {}


class Fetcher:
    """One per worker process: its pool of connections, paces and robots.txt are shared by all jobs.

    Args:
        allow: Private networks that may be reached all the same.
        max_bytes: Of an answer, as sent and as unpacked.
        seconds: One fetch may take, redirects and waiting for turns included.
        resolve: Gives a name's addresses.
        verify: For TLS; by default the system's and certifi's authorities.
    """

    def __init__(
        self,
        *,
        allow: Sequence[guard.Network] = (),
        max_bytes: int,
        seconds: float,
        resolve: guard.Resolve = guard.resolve,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify or httpx.create_ssl_context(),
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=15.0,
            network_backend=guard.GuardedBackend(allow, resolve),
        )
        self._pace = Pace()
        self._robots = Robots(self._ask_robots)
        self._agent = f"{AGENT}/{_version()} (self-hosted reader; obeys robots.txt)"

    async def close(self) -> None:
        await self._pool.aclose()

    async def fetch(
        self,
        url: str,
        *,
        typed: bool,
        validators: Callable[[str], Awaitable[Validators]] = _none,
        accept: str = _ACCEPT,
    ) -> Fetched:
        """Ask for `url`, following redirects.

        Args:
            url: http or https.
            typed: A person typed it: it is fetched at their word, whatever robots.txt says of it.
            validators: What is known of an address, asked for each that is met; makes the request conditional.
            accept: The header's value.

        Raises:
            FetchFailed: no answer was to be had.
            Wait: the host asked us to come later than a worker should wait.
        """
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(url, typed=typed, validators=validators, accept=accept)
        except TimeoutError as error:
            raise FetchFailed("timeout", f"The answer took longer than {self._seconds:g} s.") from error

    async def _follow(
        self, url: str, *, typed: bool, validators: Callable[[str], Awaitable[Validators]], accept: str
    ) -> Fetched:
        cookies = httpx.Cookies()  # of this chain only: many a redirect wants to see its own cookie again
        for _ in range(MAX_REDIRECTS + 1):
            known = await validators(url)
            headers = {"Accept": accept} | _conditions(known)
            answer = await self._patiently(url, headers, cookies, typed=typed)
            location = answer.headers.get("location")
            if answer.status_code not in _MOVED or not location:
                return _fetched(answer)
            target = join(str(answer.url), location)
            if target is None:
                raise FetchFailed("malformed_url", "It redirects to an address that cannot be fetched.")
            url = target
        raise FetchFailed("too_many_redirects", f"It redirects more than {MAX_REDIRECTS} times.")

    async def _patiently(
        self, url: str, headers: dict[str, str], cookies: httpx.Cookies, *, typed: bool
    ) -> httpx.Response:
        """One hop: in turn, and again where a second try may help."""
        parsed = parse(url)
        site = f"{parsed.scheme}://{parsed.netloc.decode('ascii')}"
        delay = 0.0 if _is_loopback(parsed.host) else DELAY
        if not typed:
            rules = await self._robots.rules(site)
            if not rules.allows(str(parsed)):
                raise FetchFailed("robots_disallowed", _disallowed(reached=rules.parsed is not None))
            delay = max(delay, rules.delay)
        for attempt in range(1, _ATTEMPTS + 1):
            await self._pace.turn(site, delay)
            last = attempt == _ATTEMPTS
            try:
                answer = await self._once(parsed, headers, cookies, self._max_bytes)
            except FetchFailed as failure:
                if last or failure.code not in {"connection_failed", "broken_answer"}:
                    raise
            else:
                asked = self._asked_to_wait(answer)
                if asked is not None:
                    self._pace.hold(site, asked)
                    if asked > PATIENCE or last:
                        raise Wait(parsed.host, asked)
                    continue
                if last or answer.status_code not in _WORTH_AGAIN:
                    return answer
            await asyncio.sleep(_BACKOFF_SECONDS * 2**attempt)
        raise AssertionError

    @staticmethod
    def _asked_to_wait(answer: httpx.Response) -> float | None:
        if answer.status_code not in _BUSY:
            return None
        asked = retry_after(answer.headers.get("retry-after"), time.time())
        if asked is None and answer.status_code == 429:
            return _WAIT_UNSAID
        return asked  # a 503 that names no time is an error like others

    async def _once(self, url: httpx.URL, headers: dict[str, str], cookies: httpx.Cookies, most: int) -> httpx.Response:
        request = httpx.Request(
            "GET",
            url,
            headers={"User-Agent": self._agent, "Accept-Encoding": "gzip", "Accept-Language": "*"} | headers,
        )
        cookies.set_cookie_header(request)
        times = {"connect": _CONNECT_SECONDS, "read": _SILENCE_SECONDS, "write": _SILENCE_SECONDS, "pool": None}
        raw = httpcore.Request(
            method=b"GET",
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            extensions={"timeout": times},
        )
        try:
            received = await self._pool.handle_async_request(raw)
            try:
                head = httpx.Response(received.status, headers=received.headers, request=request)
                encoding = head.headers.get("content-encoding", "")
                body = b"" if received.status == 304 else await _body(received, encoding, most)
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

    async def _ask_robots(self, url: str) -> Answered:
        try:
            # A limit of its own: whoever waits for it may give up, and others still wait.
            async with asyncio.timeout(self._seconds):
                return await self._follow_robots(url)
        except FetchFailed as failure:
            return Answered(404 if failure.code == "too_large" else 0)  # a robots.txt of megabytes is none
        except TimeoutError:
            return Answered(0)

    async def _follow_robots(self, url: str) -> Answered:
        cookies = httpx.Cookies()
        for _ in range(6):  # RFC 9309, 2.3.1.2: at least five redirects
            parsed = parse(url)
            site = f"{parsed.scheme}://{parsed.netloc.decode('ascii')}"
            await self._pace.turn(site, 0.0 if _is_loopback(parsed.host) else DELAY)
            answer = await self._once(parsed, {"Accept": "text/plain,*/*;q=0.1"}, cookies, MAX_BYTES)
            moved = join(url, answer.headers.get("location", "")) if answer.status_code in _MOVED else None
            if moved is None:
                return Answered(answer.status_code, answer.content)
            url = moved
        return Answered(404)


async def _body(received: httpcore.Response, encoding: str, most: int) -> bytes:
    """The body, unpacked, as long as it keeps within `most` bytes: packed, and unpacked.

    Raises:
        FetchFailed: too_large, broken_answer.
    """
    kinds = [kind for part in encoding.lower().split(",") if (kind := part.strip()) not in {"", "identity"}]
    if kinds not in ([], ["gzip"], ["x-gzip"], ["deflate"]):
        raise FetchFailed("broken_answer", "The server packed its answer in a way that was not asked for.")
    unpack: Any = zlib.decompressobj(zlib.MAX_WBITS | 32) if kinds else None
    parts: list[bytes] = []
    travelled = size = 0
    declared = next((value for name, value in received.headers if name.lower() == b"content-length"), b"0")
    try:
        if declared.isdigit() and int(declared[:20]) > most:
            raise FetchFailed("too_large", f"The answer is larger than {most:,} bytes.")
        async for chunk in received.aiter_stream():
            travelled += len(chunk)
            # No more is unpacked at once than may still come: a few bytes can hold gigabytes.
            part = unpack.decompress(chunk, most - size + 1) if unpack else chunk
            size += len(part)
            parts.append(part)
            if size > most or travelled > most:
                raise FetchFailed("too_large", f"The answer is larger than {most:,} bytes.")
    except zlib.error as error:
        raise FetchFailed("broken_answer", "The server's answer cannot be unpacked.") from error
    if unpack and not unpack.eof:
        raise FetchFailed("broken_answer", "The server's answer was cut off.")
    return b"".join(parts)


def _conditions(known: Validators) -> dict[str, str]:
    headers: dict[str, str] = {}
    if etag := known.get("etag"):
        headers["If-None-Match"] = str(etag)
    if last_modified := known.get("last_modified"):
        headers["If-Modified-Since"] = str(last_modified)
    return headers


def _fetched(answer: httpx.Response) -> Fetched:
    def header(name: str) -> str | None:
        value = answer.headers.get(name)
        # Kept to be sent back: only what a header may hold, and of a sensible length.
        return value if value and len(value) <= 500 and value.isascii() and value.isprintable() else None

    return Fetched(
        url=str(answer.url),
        status=answer.status_code,
        media_type=(answer.headers.get("content-type") or "")[:200],
        body=answer.content,
        etag=header("etag"),
        last_modified=header("last-modified"),
    )


def _refused(error: httpcore.ConnectError) -> FetchFailed:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, FetchFailed):
            return cause
        if isinstance(cause, ssl.SSLError):
            return FetchFailed("tls_failed", f"Its certificate or encryption is not in order: {cause.reason}.")
        cause = cause.__cause__ or cause.__context__
    return FetchFailed("connection_failed", "The connection could not be made.")


def _disallowed(*, reached: bool) -> str:
    if reached:
        return "The site's robots.txt asks programs not to fetch it."
    return "The site's robots.txt could not be read, so nothing is fetched that nobody typed."


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _version() -> str:
    try:
        return version("extrophi-backend")
    except PackageNotFoundError:  # run from its folder, as in the container
        return "0.1"


__all__ = ["FetchFailed", "Fetched", "Fetcher", "Wait"]
