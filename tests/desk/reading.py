"""What the tests of several views ask and expect: a small library, and what an accessibility checker finds."""

from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.system.running import REPO, Running

READING = str(REPO / "examples" / "reading")
QUESTION = "Why do long articles get read less on phones?"
SENTENCE = "Long articles get read less on phones mainly because phones are used in short gaps"


def collect_reading(extrophi: Running) -> None:
    """Have the ten texts of the examples; again changes nothing."""
    job = extrophi.post("/api/jobs", {"target": READING})
    assert extrophi.ended(job["id"])["status"] == "succeeded"


@cache
def _axe() -> str:
    return (REPO / "writer" / "node_modules" / "axe-core" / "axe.min.js").read_text()


def faults(page: Page) -> list[str]:
    """What axe finds by the rules of WCAG 2.2 A and AA, and by its own best practices."""
    page.evaluate(_axe())
    found: list[dict[str, Any]] = page.evaluate("axe.run().then((found) => found.violations)")
    return [f"{one['id']}: {[node['html'][:200] for node in one['nodes']]}" for one in found]
