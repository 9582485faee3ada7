# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportArgumentType=false
# The image holds what it imports, this environment does not.
"""Run inside the backend's image: uses what it holds as collectors do, and ends with one line when all of it works."""

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import asyncpraw
import dateparser
import trafilatura
from playwright.async_api import async_playwright
from yt_dlp import YoutubeDL
from yt_dlp.extractor import gen_extractor_classes

from extrophi_backend import packs
from extrophi_backend.fetch.chromium import Chromium

SCRIPTS = {
    "Latin": "é", "Greek": "λ", "Cyrillic": "я", "Han": "語", "Kana": "ひ", "Hangul": "국", "Thai": "ท", "Arabic": "ع",
    "Hebrew": "ע", "Devanagari": "हि", "Bengali": "বা", "Tamil": "மி", "Georgian": "ქ", "Ethiopic": "አ", "Emoji": "😀",
}  # fmt: skip


async def browser() -> None:
    async with async_playwright() as playwright:
        chromium = Chromium()
        launched = [await chromium.launch(playwright.chromium.launch) for _ in range(3)]
        print("sandbox on" if chromium.sandboxed else "sandbox off")
        assert in_use("chromium")
        assert in_use("node")
        page = await launched[0].new_page()
        await page.set_content("<p id=sum></p><script>sum.textContent = [1, 2].map(n => n * 2)</script>")
        assert await page.inner_text("#sum") == "2,4"
        assert (await page.screenshot()).startswith(b"\x89PNG")
        assert (await page.pdf()).startswith(b"%PDF")
        missing = await drawn(page, "\ue123")  # of no script: what a missing letter looks like
        for script, letter in SCRIPTS.items():
            assert await drawn(page, letter) != missing, f"{script} has no font"
        await asyncio.gather(*(one.close() for one in launched))


def in_use(name: str) -> bool:
    """Whether its lock outlived becoming the program: another image must not take it away meanwhile."""
    folder = packs.unpacked(name)
    assert folder is not None
    # The line above has locked it for this process: who else holds it, is told by the system's own list.
    number = (folder.parent / f"{folder.name}.lock").stat().st_ino
    held = [line.split() for line in Path("/proc/locks").read_text().splitlines() if f":{number} " in line]
    return len({fields[4] for fields in held if fields[1] == "FLOCK"}) > 1


async def drawn(page, letter: str) -> bytes:
    await page.set_content(f"<meta charset=utf-8><p style='font-size: 40px'>{letter}")
    return await page.screenshot()


def chroma() -> None:
    folder = packs.unpacked("chroma")
    assert folder is not None
    sys.path.append(str(folder))
    import chromadb  # noqa: PLC0415  it has just been unpacked
    from chromadb.config import Settings  # noqa: PLC0415

    quiet = Settings(anonymized_telemetry=False)
    with tempfile.TemporaryDirectory() as data:
        nearest(chromadb.PersistentClient(f"{data}/process", quiet))
        starts = f"import sys; sys.path.append({str(folder)!r}); from chromadb.cli.cli import app; app()"
        arguments = ["run", "--path", f"{data}/server", "--host", "127.0.0.1", "--port", "8123"]
        with subprocess.Popen([sys.executable, "-c", starts, *arguments], stdout=subprocess.DEVNULL) as server:
            try:
                nearest(connected(chromadb, quiet))
            finally:
                server.terminate()


def connected(chromadb, settings):
    deadline = time.monotonic() + 30
    while True:
        try:
            return chromadb.HttpClient("127.0.0.1", 8123, settings=settings)
        except ValueError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def nearest(client) -> None:
    collection = client.create_collection("chunks", embedding_function=None)
    collection.add(ids=["a", "b"], embeddings=[[1, 0], [0, 1]], metadatas=[{"platform": "web"}, {"platform": "files"}])
    assert collection.query(query_embeddings=[[1, 0.1]], n_results=1)["ids"] == [["a"]]
    filtered = collection.query(query_embeddings=[[1, 0.1]], n_results=1, where={"platform": "files"})
    assert filtered["ids"] == [["b"]]


async def libraries() -> None:
    async with asyncpraw.Reddit(client_id="x", client_secret="x", user_agent="x") as reddit:
        assert reddit.read_only
    assert len(gen_extractor_classes()) > 1000
    with tempfile.TemporaryDirectory() as data:
        page = Path(data) / "clip.html"
        page.write_text("<title>Clip</title><video src='clip.mp4'></video>")
        options = {"quiet": True, "enable_file_urls": True, "simulate": True}
        with YoutubeDL(options) as downloader:  # no network: the extractor alone
            found = downloader.extract_info(f"file://{quote(str(page))}", download=False, process=False)
        assert found is not None
    assert dateparser.parse("vor 3 Tagen") is not None
    assert trafilatura.extract(f"<article><h1>Title</h1><p>{'A sentence of an article. ' * 20}</p></article>")


if __name__ == "__main__":
    asyncio.run(libraries())
    chroma()
    asyncio.run(browser())
    print("all of it works")
