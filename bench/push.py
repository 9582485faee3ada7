"""10,000 documents of 1,000 characters pushed over HTTP until found by word, against COPY and tantivy's own indexing.

    python -m bench.push [--documents 10000] [--batch 500] [--rounds 3]

The peer writes the same rows of documents, versions, chunks and changes by COPY into a like database, and has tantivy
index the same texts with its own tokenizer and English stemmer: what can be done with nothing checked, compared or
merged. Peer and push take turns; the figures are medians, and each round starts with empty databases.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path

import httpx
import tantivy

from bench.judged import cranfield, medline
from bench.library import DATA, copy, database, rows_of, served

MOST_RATIO = 4.0
_CHARACTERS = 1000
_LAST = "zugunruhe"
"""Stands in the last document alone: when it is found, all are, since they are indexed in the order of their commit."""


async def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, default=DATA)
    arguments.add_argument("--documents", type=int, default=10_000)
    arguments.add_argument("--batch", type=int, default=500)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    chosen = random.Random(3)
    words = [
        word
        for one in (cranfield(given.data / "retrieval"), medline(given.data / "retrieval"))
        for _, text in one.documents.values()
        for word in text.split()
    ]
    texts = [_text(chosen, words) for _ in range(given.documents)]
    texts[-1] = f"{_LAST} {texts[-1]}"[:_CHARACTERS]
    rounds = [
        (await _copied(texts), await asyncio.to_thread(_indexed, texts), *await _pushed(texts, given.batch))
        for _ in range(given.rounds)
    ]
    copied, indexed, answered, found = map(statistics.median, zip(*rounds, strict=True))
    peer = copied + indexed
    print(
        f"{len(texts)} documents of {_CHARACTERS} characters, {given.batch} at once, medians of {given.rounds} rounds"
    )
    print(f"{'COPY of the rows':<32}{copied:>8.2f} s")
    print(f"{'tantivy alone':<32}{indexed:>8.2f} s")
    print(f"{'the two together':<32}{peer:>8.2f} s")
    print(f"{'pushed, all answered':<32}{answered:>8.2f} s")
    print(f"{'pushed, found by word':<32}{found:>8.2f} s   ratio {found / peer:.2f} (at most {MOST_RATIO:.0f})")


async def _copied(texts: list[str]) -> float:
    async with database() as (_, connection):
        rows, _ = rows_of({str(number): ("", text) for number, text in enumerate(texts)})
        began = time.perf_counter()
        await copy(connection, rows)
        return time.perf_counter() - began


def _indexed(texts: list[str]) -> float:
    schema = tantivy.SchemaBuilder().add_text_field("text", tokenizer_name="en_stem").build()
    with tempfile.TemporaryDirectory(prefix="xb-") as folder:
        index = tantivy.Index(schema, path=folder)
        writer = index.writer(40_000_000, 1)
        began = time.perf_counter()
        for text in texts:
            writer.add_document(tantivy.Document(text=text))
        writer.commit()
        index.reload()
        return time.perf_counter() - began


async def _pushed(texts: list[str], batch: int) -> tuple[float, float]:
    """Seconds until all were answered, and until the last is found. Backend and research are processes of their own."""
    bodies = [
        {
            "documents": [
                {"platform": "files", "external_id": str(start + n), "text": text}
                for n, text in enumerate(texts[start : start + batch])
            ]
        }
        for start in range(0, len(texts), batch)
    ]
    async with (
        database() as (dsn, _),
        served("extrophi_backend", DATABASE_URL=dsn, EXTROPHI_ROLE="api", REDIS_URL="unix:///nowhere") as backend,
        served("extrophi_research", DATABASE_URL=dsn) as research,
    ):
        while (await research.get("/ready")).status_code != 200:  # noqa: ASYNC110  what a client can see
            await asyncio.sleep(0.1)
        began = time.perf_counter()
        for body in bodies:
            answer = await backend.post("/documents", json=body)
            answer.raise_for_status()
        answered = time.perf_counter() - began
        while not await _finds(research):  # noqa: ASYNC110  as above
            await asyncio.sleep(0.01)
        return answered, time.perf_counter() - began


async def _finds(client: httpx.AsyncClient) -> bool:
    answer = await client.post("/search", json={"query": _LAST, "mode": "keyword", "limit": 1})
    answer.raise_for_status()
    return bool(answer.json()["items"])


def _text(chosen: random.Random, words: list[str]) -> str:
    runs: list[str] = []
    while sum(map(len, runs)) < _CHARACTERS:
        at = chosen.randrange(len(words) - 12)
        runs.append(" ".join(words[at : at + 12]))
    return " ".join(runs)[:_CHARACTERS]


if __name__ == "__main__":
    asyncio.run(main())
