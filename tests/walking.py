"""The walk of the README: what it has one press and look for, and what lies in the hand at its end."""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import docx
import httpx

from tests.system.running import REPO, eventually

HEADING = "## A first walk in the browser"
QUESTION = "Why do long articles get read less on phones?"
ANSWERED = "phones are used in short gaps"
PARAGRAPH = (
    "Long articles stay unread on phones, since a gap of four minutes is soon over and a message cuts the thread."
)
NOTED = {"Add a site.", "Ask.", "Write.", "Cite.", "Take it along."}
"""What each step is called."""
ELSEWHERE = {
    "Take the ten example texts",
    "Alt+Shift+Enter",
    "Ctrl+K",
    "F1",
    "Ctrl",
    "./extrophi up",
    "https://some.site",
}
"""What the walk names beside its way; other tests go there."""


@dataclass
class Walk:
    """What the README has one look for and press. What a test takes must be there, and all of it be taken."""

    names: list[str]
    taken: set[str] = field(default_factory=set[str])

    def __call__(self, name: str) -> str:
        assert name in self.names, f"the README does not say {name}"
        self.taken.add(name)
        return name


@contextmanager
def walking() -> Iterator[Walk]:
    text = (REPO / "README.md").read_text(encoding="utf-8").partition(HEADING)[2].partition("\n## ")[0]
    assert text
    walk = Walk([*re.findall(r"\*\*(.+?)\*\*", text), *re.findall(r"`(.+?)`", text)])
    yield walk
    assert set(walk.names) - walk.taken - NOTED - ELSEWHERE == set()


def wait_until_found(base: str) -> None:
    """Until all that was collected can be found. A document counts as soon as it is stored, a moment earlier."""
    with httpx.Client(base_url=base, trust_env=False) as client:

        def indexed() -> bool | None:
            jobs = client.get("/api/jobs").raise_for_status().json()["items"]
            each = [client.get(f"/api/jobs/{job['id']}").raise_for_status().json() for job in jobs]
            return (
                all(job["status"] not in {"queued", "running"} and job["indexing"]["pending"] == 0 for job in each)
                or None
            )

        eventually(indexed, seconds=120)


def check_document(saved: bytes, authors: Iterable[str], site: str) -> None:
    """The Word document has the paragraph, a footnote for each author, and a bibliography."""
    document = docx.Document(io.BytesIO(saved))
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert any(PARAGRAPH.rstrip(".") in text for text in texts)
    bibliography = " ".join(texts[texts.index("Bibliography") :])
    with zipfile.ZipFile(io.BytesIO(saved)) as archive:
        notes = re.sub(r"<[^>]+>", "", archive.read("word/footnotes.xml").decode())
    for author in authors:
        assert author in bibliography
        assert author in notes
    assert site in bibliography
