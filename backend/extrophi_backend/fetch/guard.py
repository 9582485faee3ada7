"""Which addresses a fetch may connect to, and connections that go nowhere else.

Collected addresses are written by strangers. A name is resolved once, every answer is checked, and the connection is
made to what was checked: there is no second resolution in which the name could change (DNS rebinding).
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import cast

import httpcore
from typing_extensions import override

from extrophi_backend.fetch.errors import FetchFailed

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""A name's addresses, or OSError."""

ATTEMPTS = 4
"""Addresses of one host: two of each family."""
_GLOBAL_UNICAST = ip_network("2000::/3")  # IANA IPv6 address space: nothing else is handed out
_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052
_NEVER = (
    ip_network("192.0.0.0/24"),  # RFC 6890; a metadata service lives here, and Python 3.11 holds it to be global
    ip_network("168.63.129.16/32"),  # a cloud's host, at a public address
)


def checked(host: str, resolved: Sequence[str], allow: Sequence[Network] = ()) -> list[Address]:
    """The addresses of `host` that a fetch may connect to. One bad address refuses the host.

    Args:
        host: For the message.
        resolved: Its addresses.
        allow: Networks that may be reached although they are private.

    Raises:
        FetchFailed: forbidden_address: private, loopback, link-local, metadata, multicast or reserved (RFC 6890).
    """
    addresses = [ip_address(text.partition("%")[0]) for text in resolved]
    for outer in addresses:
        # Judge the IPv4 address that traffic ends at, also where IPv6 wraps it. An exception has to name one of both.
        address = embedded_ipv4(outer) or outer
        if any(one in network for network in allow for one in (outer, address)):
            continue
        if not _is_public(address):
            raise FetchFailed("forbidden_address", f"{host[:200]} is at {outer}, which is not on the public internet.")
    return addresses


def embedded_ipv4(address: Address) -> IPv4Address | None:
    """The IPv4 address inside an IPv6 one: mapped, compatible, NAT64 or 6to4."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64 or int(address) >> 32 in {0, 0xFFFF}:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _NEVER)


async def resolve(host: str, threads: Executor | None = None) -> list[str]:
    """The system's answer, IPv6 and IPv4, without doubles, in its order. Raises OSError.

    Args:
        host: A name, or an address.
        threads: Where to wait for it; by default where all that blocks waits.
    """
    ask = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(threads, ask)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def reachable(host: str, ask: Resolve, allow: Sequence[Network], seconds: float | None) -> list[Address]:
    """The addresses of `host` that may be connected to; the first `ATTEMPTS` are enough to try.

    Args:
        host: A name, or an address.
        ask: Resolves it.
        allow: As of `checked`.
        seconds: For that.

    Raises:
        FetchFailed: name_not_resolved, forbidden_address.
    """
    try:
        async with asyncio.timeout(seconds):
            return checked(host, await ask(host), allow)
    except TimeoutError as error:
        raise FetchFailed("name_not_resolved", f"The name {host[:200]} was not resolved in time.") from error
    except (OSError, UnicodeError) as error:
        raise FetchFailed("name_not_resolved", f"There is no address for the name {host[:200]}.") from error


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connections for httpcore. It is given names, and connects to checked addresses."""

    def __init__(self, allow: Sequence[Network], resolve: Resolve = resolve) -> None:
        self._allow = allow
        self._resolve = resolve
        self._inner = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await reachable(host, self._resolve, self._allow, timeout)
        failure: Exception | None = None
        for address in addresses[:ATTEMPTS]:
            try:
                return await self._inner.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise FetchFailed("connection_failed", f"{host[:200]} does not take connections on port {port}.") from failure

    @override
    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise FetchFailed("forbidden_address", "Sockets of this machine are not fetched from.")

    @override
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
