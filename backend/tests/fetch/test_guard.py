"""The guard lets a fetch go to the public internet and nowhere else."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.fetch.errors import FetchFailed
from extrophi_backend.fetch.guard import checked
from tests.web_server import Reply, WebServer, serving

PRIVATE = """
    127.0.0.1 127.255.255.255 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1
    100.100.100.200 192.0.0.192 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1
    255.255.255.255 168.63.129.16 :: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::127.0.0.1 ::ffff:169.254.169.254
    64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 2002:7f00:1:: 2002:a00:1::1 fe80::1 fe80::1%eth0 fc00::1
    fd00:ec2::254 ff02::1 2001:db8::1 100::1 fec0::1 ::ffff:0:127.0.0.1
""".split()
PUBLIC = "93.184.216.34 1.1.1.1 2606:4700::1111 2a00:1450:4001:81b::200e 64:ff9b::101:101 2002:101:101::1".split()


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(FetchFailed) as refused:
        checked("example.org", [address])
    assert refused.value.code == "forbidden_address"


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_may_be_fetched(address: str) -> None:
    assert checked("example.org", [address]) == [ip_address(address)]


def test_one_bad_address_refuses_the_host() -> None:
    with pytest.raises(FetchFailed):
        checked("example.org", ["93.184.216.34", "10.0.0.1"])


def test_an_exception_opens_its_network_and_no_more() -> None:
    allow = [ip_network("127.0.0.0/8")]
    assert checked("here", ["127.0.0.1"], allow)
    assert checked("here", ["::ffff:127.0.0.1"], allow)
    with pytest.raises(FetchFailed):
        checked("here", ["127.0.0.1", "10.0.0.1"], allow)
    with pytest.raises(FetchFailed):
        checked("here", ["::1"], allow)


@given(st.ip_addresses(v=4))
def test_wrapping_an_address_in_ipv6_does_not_launder_it(address: IPv4Address) -> None:
    if _is_refused(str(address)):
        for prefix in (0xFFFF << 32, 0, 0x64FF9B << 96):
            assert _is_refused(str(IPv6Address(prefix | int(address))))
        assert _is_refused(str(IPv6Address(0x2002 << 112 | int(address) << 80)))


def _is_refused(address: str) -> bool:
    try:
        checked("x", [address])
    except FetchFailed:
        return True
    return False


@pytest.fixture
def secret():
    """Something private that listens on loopback."""
    with serving(WebServer({"/": Reply("secret")})) as server:
        yield server


async def _fetch(url: str, *answers: Sequence[str]) -> None:
    """Fetch with a name server that gives these answers, one after the other."""
    left = list(answers)

    async def resolve(_: str) -> Sequence[str]:
        return left.pop(0)

    fetcher = Fetcher(max_bytes=1000, seconds=5, resolve=resolve) if answers else Fetcher(max_bytes=1000, seconds=5)
    try:
        await fetcher.fetch(url, typed=True)
    finally:
        await fetcher.close()


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0"],
)
async def test_no_spelling_of_this_machine_is_fetched(secret: WebServer, host: str) -> None:
    with pytest.raises(FetchFailed) as refused:
        await _fetch(f"http://{host}:{secret.port}/")
    assert refused.value.code in {"forbidden_address", "name_not_resolved", "malformed_url"}
    assert not secret.requests


async def test_a_name_that_leads_to_this_machine_is_refused(secret: WebServer) -> None:
    with pytest.raises(FetchFailed) as refused:
        await _fetch(f"http://rebound.example:{secret.port}/", ["127.0.0.1"])
    assert refused.value.code == "forbidden_address"
    assert not secret.requests


async def test_a_redirect_to_this_machine_is_refused_although_the_first_hop_was_allowed(secret: WebServer) -> None:
    with serving(WebServer()) as outside:
        outside.pages["/"] = Reply(status=302, headers={"Location": f"http://[::1]:{secret.port}/"})
        fetcher = Fetcher(max_bytes=1000, seconds=5, allow=[ip_network("127.0.0.0/8")])
        with pytest.raises(FetchFailed) as refused:
            await fetcher.fetch(outside.url("/"), typed=True)
        await fetcher.close()
    assert refused.value.code == "forbidden_address"
    assert outside.requests["/"] == 1
    assert not secret.requests


async def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    """A name server that changes its mind is asked once for each connection."""
    asked: list[str] = []

    async def resolve(host: str) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with serving(WebServer({"/": Reply("fine")})) as server:
        fetcher = Fetcher(max_bytes=1000, seconds=5, allow=[ip_network("127.0.0.0/8")], resolve=resolve)
        answer = await fetcher.fetch(f"http://name.example:{server.port}/", typed=True)
        await fetcher.close()
    assert answer.body == b"fine"
    assert asked == ["name.example"]
    assert server.headers["/"]["Host"] == f"name.example:{server.port}"
