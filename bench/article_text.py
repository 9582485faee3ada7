"""Article text out of the 36 recorded pages, by the article-extraction benchmark's own measure.

    python -m bench.article_text [--data FOLDER]

Precision and recall over 4-shingles of words, averaged over pages, and F1 of the two averages: evaluate.py of
github.com/scrapinghub/article-extraction-benchmark. The peer is trafilatura, in the best of its modes, on the same
pages in the same process. FOLDER holds `web/pages/*.html.gz` and `web/ground-truth.json`. F1 is printed for halves
of the pages, too: to show how much a few of them weigh.
"""

import argparse
import gzip
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trafilatura

from bench.library import DATA
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.html import extract_html

MARK = 0.964
"""trafilatura's precision mode, as it was measured when the pages were recorded."""
MODES: dict[str, Callable[..., str | None]] = {
    "defaults": trafilatura.extract,
    "precision": partial(trafilatura.extract, favor_precision=True),
    "recall": partial(trafilatura.extract, favor_recall=True),
    "precision, no comments": partial(trafilatura.extract, favor_precision=True, include_comments=False),
    "precision, no tables": partial(
        trafilatura.extract, favor_precision=True, include_comments=False, include_tables=False
    ),
}


@dataclass(frozen=True, slots=True)
class Page:
    html: bytes
    url: str
    article: str


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, default=DATA)
    pages = read_pages(arguments.parse_args().data / "web")
    print(f"{len(pages)} pages{'':<18}{'precision':>10}{'recall':>9}{'F1':>8}{'ms/page':>9}{'halves: F1':>18}")
    ours = report("ours", pages, our_text)
    best = max(report(f"trafilatura, {name}", pages, peer(mode)) for name, mode in MODES.items())
    print(f"ratio to trafilatura's best mode: {ours / best:.3f}; mark {MARK}, ours {ours:.3f}")


def read_pages(folder: Path) -> dict[str, Page]:
    truth: dict[str, dict[str, str]] = json.loads((folder / "ground-truth.json").read_bytes())
    return {
        key: Page(gzip.decompress((folder / "pages" / f"{key}.html.gz").read_bytes()), page["url"], page["articleBody"])
        for key, page in sorted(truth.items())
    }


def our_text(page: Page) -> str:
    try:
        return extract_html(page.html, url=page.url).text
    except ExtractionFailed:
        return ""


def peer(mode: Callable[..., str | None]) -> Callable[[Page], str]:
    return lambda page: mode(page.html, url=page.url) or ""


def report(name: str, pages: Mapping[str, Page], text_of: Callable[[Page], str]) -> float:
    began = time.perf_counter()
    texts = [text_of(page) for page in pages.values()]
    took = 1000 * (time.perf_counter() - began) / len(pages)
    scores = [score(page.article, text) for page, text in zip(pages.values(), texts, strict=True)]
    precision, recall, f1 = averaged(scores)
    halves = f"{averaged(scores[::2])[2]:.3f} {averaged(scores[1::2])[2]:.3f}"
    print(f"{name:<36}{precision:>6.3f}{recall:>9.3f}{f1:>8.3f}{took:>9.0f}{halves:>18}", flush=True)
    return f1


def score(wanted: str, found: str) -> tuple[float, float]:
    """Precision and recall of one page; nothing found is precise, and recalls nothing."""
    true, said = shingles(wanted), shingles(found)
    both = sum((true & said).values())
    return (
        both / said.total() if said else 1.0,
        both / true.total() if true else 1.0,
    )


def shingles(text: str, size: int = 4) -> Counter[tuple[str, ...]]:
    words = re.findall(r"\w+", text)
    return Counter(tuple(words[at : at + size]) for at in range(max(1, len(words) - size + 1)) if words)


def averaged(scores: list[tuple[float, float]]) -> tuple[float, float, float]:
    precision = sum(one for one, _ in scores) / len(scores)
    recall = sum(one for _, one in scores) / len(scores)
    return precision, recall, 2 * precision * recall / (precision + recall)


if __name__ == "__main__":
    main()
