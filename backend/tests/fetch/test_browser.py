"""The life of the worker's browser: started when needed, replaced when worn or dead, and never left behind."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from ipaddress import ip_network
from pathlib import Path

import psutil
import pytest

from extrophi_backend.fetch.browser import Browser
from extrophi_backend.fetch.chromium import find_chromium
from extrophi_backend.fetch.errors import FetchFailed
from extrophi_backend.fetch.rendered import Limits
from tests.web_server import Reply, WebServer, serving

LOOPBACK = (ip_network("127.0.0.1/32"),)
LIMITS = Limits(seconds=15, html_bytes=2_000_000, traffic_bytes=8_000_000, memory=2**30)
SPINS = "<p>Spinning.<script>setTimeout(() => { for (;;) {} }, 200)</script>"


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving(WebServer()) as server:
        server.pages["/"] = Reply("<title>Page</title><p>Here it is.")
        yield server


@pytest.fixture
async def make() -> AsyncIterator[Callable[..., Browser]]:
    made: list[Browser] = []

    def make(limits: Limits = LIMITS, **options: object) -> Browser:
        made.append(Browser(allow=LOOPBACK, limits=limits, **options))  # pyright: ignore[reportArgumentType]
        return made[-1]

    yield make
    for browser in made:
        await browser.close()


def processes(below: int | None = None, containing: str = "chrom") -> list[psutil.Process]:
    """Those that a browser is made of, and that run."""
    found: list[psutil.Process] = []
    for process in psutil.Process(below).children(recursive=True):
        try:
            if containing in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def running(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in processes if _runs(one)]


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.is_running()
    except psutil.NoSuchProcess:
        return False


def mains() -> list[psutil.Process]:
    """Each browser's first process, or the script that started it."""
    return processes(containing="--remote-debugging-pipe")


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.05)


def homes() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("extrophi-browser-*"))


async def test_nothing_runs_before_the_first_page_and_nothing_after_the_end(
    server: WebServer, make: Callable[..., Browser]
) -> None:
    browser = make()
    assert not processes()
    rendered = await browser.render(server.url("/"))
    assert (rendered.url, rendered.status) == (server.url("/"), 200)
    assert b"<p>Here it is." in rendered.html
    assert processes()
    await browser.close()
    assert not processes()
    assert not processes(containing="playwright")


def test_a_worker_that_renders_nothing_has_nothing_of_it() -> None:
    code = (
        "import sys; from extrophi_backend.collectors.registry import make_registry;"
        "from extrophi_backend.settings import Settings; make_registry(Settings(), None, None, None);"
        "sys.exit('playwright' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


async def test_it_is_replaced_after_so_many_pages(server: WebServer, make: Callable[..., Browser]) -> None:
    browser = make(restart_after=2, pages=2)
    seen: set[int] = set()
    for _ in range(3):
        await asyncio.gather(*(browser.render(server.url("/")) for _ in range(2)))
        seen |= {one.pid for one in mains()}
    assert len({psutil.Process().pid, *seen}) > 3
    assert len({one.ppid() for one in processes(containing="--type=zygote")}) == 1


async def test_a_dead_browser_is_replaced_and_its_pages_are_tried_again(
    server: WebServer, make: Callable[..., Browser]
) -> None:
    def slow(server: WebServer) -> Reply:
        if server.requests["/slow"] == 1:
            time.sleep(2)
        return Reply("<p>At last.")

    server.pages["/slow"] = slow
    browser = make()
    await browser.render(server.url("/"))
    rendering = asyncio.create_task(browser.render(server.url("/slow")))
    await until(lambda: server.requests["/slow"])
    for one in mains():
        one.send_signal(signal.SIGKILL)
    assert b"At last." in (await rendering).html
    assert server.requests["/slow"] == 2
    # Between pages, too.
    for one in mains():
        one.send_signal(signal.SIGKILL)
    assert b"Here it is." in (await browser.render(server.url("/"))).html


async def test_not_needed_for_a_while_it_is_closed(server: WebServer, make: Callable[..., Browser]) -> None:
    browser = make(idle_seconds=0.3)
    await browser.render(server.url("/"))
    await until(lambda: not browser.is_running and not processes())
    assert b"Here it is." in (await browser.render(server.url("/"))).html


async def test_no_more_pages_are_open_at_once_than_may(server: WebServer, make: Callable[..., Browser]) -> None:
    most = 0

    def count(server: WebServer) -> Reply:
        nonlocal most
        most = max(most, len(processes(containing="--type=renderer")))
        return Reply("<p>x")

    server.pages["/count"] = count
    browser = make(pages=2)
    await asyncio.gather(*(browser.render(server.url("/count")) for _ in range(8)))
    assert 1 <= most <= 4  # one that ends and one that is at hand may be there beside the two


async def test_a_given_up_page_gives_its_place_back(server: WebServer, make: Callable[..., Browser]) -> None:
    server.pages["/spins"] = Reply(SPINS)
    browser = make(pages=1)
    rendering = asyncio.create_task(browser.render(server.url("/spins")))
    await until(lambda: server.requests["/spins"])
    rendering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rendering
    assert b"Here it is." in (await browser.render(server.url("/"))).html


async def test_a_page_that_eats_memory_is_killed_alone(server: WebServer, make: Callable[..., Browser]) -> None:
    server.pages["/eats"] = Reply(
        "<p>x<script>window.kept = [];"
        "setInterval(() => { const b = new Uint8Array(2 ** 26); b.fill(1); kept.push(b); }, 50)</script>"
    )
    browser = make(limits=Limits(seconds=15, html_bytes=10_000, traffic_bytes=1_000_000, memory=400 * 2**20))
    eating = asyncio.create_task(browser.render(server.url("/eats")))
    await until(lambda: server.requests["/eats"])
    assert b"Here it is." in (await browser.render(server.url("/"))).html
    with pytest.raises(FetchFailed) as raised:
        await eating
    assert raised.value.code == "render_failed"
    assert b"Here it is." in (await browser.render(server.url("/"))).html


async def test_a_page_that_fills_the_browser_itself_ends_that_and_another_is_started(
    server: WebServer, make: Callable[..., Browser]
) -> None:
    server.pages["/fills"] = Reply(
        "<p>x<script>window.kept = [];"
        "setInterval(() => kept.push(new Blob([new Uint8Array(2 ** 22).fill(kept.length)])), 10)</script>"
        "<script src=/never></script>"
    )
    over = threading.Event()

    def never(connection: socket.socket) -> None:
        over.wait(60)
        connection.close()

    server.pages["/never"] = never
    browser = make(limits=Limits(seconds=30, html_bytes=10_000, traffic_bytes=1_000_000, memory=400 * 2**20))
    with pytest.raises(FetchFailed) as raised:
        await browser.render(server.url("/fills"))
    over.set()
    assert raised.value.code == "render_failed"
    assert b"Here it is." in (await browser.render(server.url("/"))).html


@pytest.mark.parametrize("html", ["<p>Calm.", SPINS])
async def test_a_killed_worker_leaves_nothing_behind(server: WebServer, tmp_path: Path, html: str) -> None:
    server.pages["/spins"] = Reply(html)
    code = f"""
import asyncio
from ipaddress import ip_network
from extrophi_backend.fetch.browser import Browser
from extrophi_backend.fetch.rendered import Limits
async def work():
    browser = Browser(allow=[ip_network("127.0.0.1/32")], limits=Limits(60, 10**6, 10**6, 2**30))
    await browser.render({server.url("/spins")!r})
    print("rendered", flush=True)
    await asyncio.sleep(60)
asyncio.run(work())
"""
    environment = dict(os.environ, TMPDIR=str(tmp_path))
    worker = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)
    try:
        await until(lambda: server.requests["/spins"])
        await asyncio.sleep(1)  # until the page spins
        started = [*processes(worker.pid), *processes(worker.pid, containing="playwright")]
        assert started
    finally:
        worker.kill()  # SIGKILL: no handler gets to tidy up
        worker.communicate()
    await until(lambda: not running(started))
    await until(lambda: not list(tmp_path.glob("playwright*")))


async def test_what_a_killed_worker_left_of_its_home_goes_with_the_next_start(
    server: WebServer, make: Callable[..., Browser], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "extrophi-browser-left"
    (left / "cache").mkdir(parents=True)
    first, second = make(), make()
    await asyncio.gather(first.render(server.url("/")), second.render(server.url("/")))
    assert left not in homes()
    assert len(homes()) == 2  # of those that run, none is taken
    await first.close()
    await second.close()
    assert not homes()


async def test_the_browser_sees_no_secret_of_ours(
    server: WebServer, make: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:secret@db/x")
    await make().render(server.url("/"))
    assert mains()
    for one in mains():
        assert "secret" not in str(one.environ())


async def test_what_a_page_shows_is_read_shadows_and_slots_included(
    server: WebServer, make: Callable[..., Browser]
) -> None:
    server.pages["/"] = Reply(
        "<!doctype html><title>A &amp; B</title><x-card title='\"1\" < 2'><b>Slotted</b></x-card><img alt=x><script>"
        "document.querySelector('x-card').attachShadow({mode: 'open'}).innerHTML = '<p>Before <slot></slot> after</p>';"
        "document.title = String(new Blob([''])) + ' & <C>';</script><template><i>Kept</i></template>"
    )
    html = (await make().render(server.url("/"))).html.decode()
    assert html.startswith("<!doctype html><html><head><title>[object Blob] &amp; &lt;C&gt;</title></head>")
    assert "<p>Before <slot><b>Slotted</b></slot> after</p>" in html
    assert '<x-card title="&quot;1&quot; &lt; 2">' in html
    assert '<img alt="x"><script>document' in html  # neither escaped nor closed twice
    assert "<template><i>Kept</i></template>" in html


async def test_names_and_values_of_any_kind_are_read(server: WebServer, make: Callable[..., Browser]) -> None:
    """Also those that no HTML could write: scripts can."""
    server.pages["/"] = Reply(
        "<!doctype html><p id=p title='a & b'>Read &lt;on&gt;&nbsp;it.<script>const svg = 'http://www.w3.org/2000/svg';"
        "p.setAttributeNS(null, 'Upper', 'lost'); p.append(document.createElementNS(svg, 'foreignObject'));"
        "p.append(document.createElementNS('a', '\u00e9l'));</script>"
    )
    html = (await make().render(server.url("/"))).html.decode()
    assert '<p id="p" title="a &amp; b" Upper="">Read &lt;on&gt;&nbsp;it.' in html
    assert "<foreignObject></foreignObject><span></span>" in html


async def test_the_address_is_where_the_page_was_led_to(server: WebServer, make: Callable[..., Browser]) -> None:
    """Whatever its scripts have made of it since: no robots.txt was asked for that."""
    server.pages["/first"] = Reply(status=302, headers={"Location": "/second#part"})
    server.pages["/second"] = Reply("<p>Short.<script>location.replace('/third#part')</script>")
    server.pages["/third"] = Reply("<p>Here.<script>history.pushState(null, '', '/fourth')</script>")
    server.pages["/nowhere"] = Reply("<p>Short.<script>location.replace('http://127.0.0.1:1/')</script>")
    server.pages["/blank"] = Reply("<p>Short.<script>location.replace('about:blank')</script>")
    server.pages["/missing"] = Reply("<p>Not here.", status=404)
    browser = make()
    rendered = await browser.render(server.url("/first"))
    assert (rendered.url, rendered.status) == (server.url("/third"), 200)
    missing = await browser.render(server.url("/missing"))
    assert (missing.url, missing.status) == (server.url("/missing"), 404)
    for path, code in (("/nowhere", "connection_failed"), ("/blank", "unsupported_scheme")):
        with pytest.raises(FetchFailed) as raised:
            await browser.render(server.url(path))
        assert raised.value.code == code, (path, raised.value)


async def test_no_page_or_frame_of_it_has_what_goes_out_by_other_ways(
    server: WebServer, make: Callable[..., Browser]
) -> None:
    script = (
        "<script>document.write(typeof RTCPeerConnection, '/', typeof WebTransport, '/', typeof Notification)</script>"
    )
    server.pages["/frame"] = Reply(f"<p>{script}<script>parent.postMessage(document.body.innerText, '*')</script>")
    server.pages["/"] = Reply(
        f"<p>{script}<p id=of-the-frame>Nothing yet.<script>onmessage = e => "
        "document.getElementById('of-the-frame').textContent = e.data</script><iframe src=/frame></iframe>"
    )
    browser = make()
    for _ in range(3):
        html = (await browser.render(server.url("/"))).html.decode()
        assert html.count("undefined/undefined/undefined") == 2, html


async def test_scripts_in_workers_run(server: WebServer, make: Callable[..., Browser]) -> None:
    server.pages["/data"] = Reply("From afar.")
    server.pages["/worker.js"] = Reply(
        "fetch('/data').then(r => r.text()).then(t => postMessage(t));", media_type="text/javascript"
    )
    server.pages["/"] = Reply(
        "<p id=p>x<script>new Worker('/worker.js').onmessage = e => { p.textContent = e.data; }</script>"
    )
    assert b"From afar." in (await make().render(server.url("/"))).html


async def test_a_screenshot_is_webp_and_no_higher_than_it_may_be(
    server: WebServer, make: Callable[..., Browser]
) -> None:
    server.pages["/"] = Reply("<body style='margin: 0'><div style='height: 90000px; background: red'>High.</div>")
    rendered = await make().render(server.url("/"))
    assert rendered.screenshot is not None
    assert _size(rendered.screenshot) == (1280, LIMITS.screenshot_height)


def _size(webp: bytes) -> tuple[int, int]:
    """Of a lossy one (RFC 9649, 2.5; RFC 6386, 9.1)."""
    start = webp.index(b"VP8 ") + 8 + 6
    return tuple(int.from_bytes(webp[at : at + 2], "little") & 0x3FFF for at in (start, start + 2))  # pyright: ignore[reportReturnType]


async def test_media_and_fonts_are_not_loaded(server: WebServer, make: Callable[..., Browser]) -> None:
    server.pages["/"] = Reply(
        "<style>@font-face{font-family:f;src:url(/font)} p{font-family:f}</style><p>x</p><img src=/image>"
        "<video src=/video autoplay></video><audio src=/audio autoplay></audio>"
        "<script>navigator.sendBeacon('/beacon')</script>"
    )
    await make().render(server.url("/"))
    assert set(server.requests) <= {"/", "/image", "/favicon.ico"}
    assert server.requests["/image"]


async def test_a_page_that_cannot_be_had_says_why(server: WebServer, make: Callable[..., Browser]) -> None:
    server.pages["/file"] = Reply(b"x", media_type="application/zip", headers={"Content-Disposition": "attachment"})
    server.pages["/round"] = Reply(status=302, headers={"Location": "/round"})
    server.pages["/text"] = Reply("Plain.", media_type="text/plain")
    server.pages["/large"] = Reply("<p>x<script>document.body.append('y'.repeat(3e6))</script>")
    browser = make(limits=Limits(seconds=5, html_bytes=2_000_000, traffic_bytes=8_000_000, memory=2**30))
    for url, code in (
        (server.url("/file"), "unsupported_type"),
        (server.url("/round"), "too_many_redirects"),
        (server.url("/text"), "unsupported_type"),
        (server.url("/large"), "too_large"),
        (f"http://127.0.0.2:{server.port}/", "forbidden_address"),
        (f"https://127.0.0.2:{server.port}/", "forbidden_address"),
        ("http://127.0.0.1:1/", "connection_failed"),
    ):
        with pytest.raises(FetchFailed) as raised:
            await browser.render(url)
        assert raised.value.code == code, (url, raised.value)


def test_a_browser_is_found_or_said_to_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert find_chromium(program) == str(program)
    with pytest.raises(FetchFailed, match="EXTROPHI_CHROMIUM") as raised:
        find_chromium(tmp_path / "none")
    assert raised.value.code == "browser_missing"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_chromium(None) == str(program)
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    with pytest.raises(FetchFailed, match="Install Chromium"):
        find_chromium(None)


async def test_what_is_no_browser_is_said_and_leaves_nothing(
    server: WebServer, make: Callable[..., Browser], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # elsewhere, other tests have browsers of their own
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(FetchFailed, match="does not start") as raised:
        await make(named=program).render(server.url("/"))
    assert raised.value.code == "browser_missing"
    assert not homes()
    assert not processes(containing="playwright")
