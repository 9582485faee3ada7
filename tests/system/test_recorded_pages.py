"""36 real pages behind a plain web server, collected as a sitemap and as a feed."""

import gzip
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.running import REPO, Running, free_port

PAGES = sorted((REPO / "tests" / "data" / "web" / "pages").glob("*.html.gz"))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of Python's own web server, and its log. It knows If-Modified-Since, and no ETag."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    folder = tmp_path / "site"
    folder.mkdir()
    for page in PAGES:
        (folder / page.name.removesuffix(".gz")).write_bytes(gzip.decompress(page.read_bytes()))
    urls = [f"{base}/{page.name.removesuffix('.gz')}" for page in PAGES]
    listed = "".join(f"<url><loc>{url}</loc></url>" for url in urls)
    (folder / "sitemap.xml").write_text(
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</urlset>'
    )
    items = "".join(f"<item><title>Page {n}</title><link>{url}</link></item>" for n, url in enumerate(urls))
    (folder / "feed.xml").write_text(f'<rss version="2.0"><channel><title>All</title>{items}</channel></rss>')
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-u", "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", folder]
        server = subprocess.Popen(command, stdout=log, stderr=log)
        yield base, tmp_path / "log"
        server.terminate()
        server.wait(timeout=10)


def answers(log: Path) -> dict[str, list[int]]:
    """What the server answered, by path."""
    found: dict[str, list[int]] = {}
    for path, status in re.findall(r'"GET (\S+) HTTP/1\.\d" (\d+)', log.read_text()):
        found.setdefault(path, []).append(int(status))
    return found


@pytest.mark.parametrize("listing", ["sitemap.xml", "feed.xml"])
def test_all_are_collected_and_a_second_time_no_body_travels(
    extrophi: Running, site: tuple[str, Path], listing: str
) -> None:
    base, log = site
    assert len(PAGES) == 36
    source = extrophi.post("/api/sources", {"target": f"{base}/{listing}", "limit": 1000})
    first = extrophi.ended(source["last_job"]["id"])
    assert first["progress"] == {"found": 36, "created": 36, "updated": 0, "unchanged": 0, "failed": 0}, first
    log.write_text("")

    unchanged = {"found": 36, "created": 0, "updated": 0, "unchanged": 36, "failed": 0}
    again = extrophi.ended(extrophi.post(f"/api/sources/{source['id']}/jobs", {})["id"])
    assert again["progress"] == unchanged, again
    assert answers(log) == {f"/{listing}": [304]}  # for news, one request
    log.write_text("")

    every = extrophi.ended(extrophi.post("/api/jobs", {"target": f"{base}/{listing}", "limit": 1000})["id"])
    assert every["progress"] == unchanged, every
    asked = answers(log)
    asked.pop("/robots.txt", None)
    assert len(asked) == 37
    assert all(statuses == [304] for statuses in asked.values()), asked
