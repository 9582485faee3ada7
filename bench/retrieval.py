"""How well `POST /search` ranks, on Cranfield and Medline: nDCG@10 and recall@100, beside the marks to pass.

    python -m bench.retrieval [--data FOLDER] [--mode hybrid|keyword|vector]

The first run embeds 2,400 abstracts (some minutes); the vectors are kept in bench/.cache.
"""

import argparse
import asyncio
import math
from pathlib import Path

from bench.judged import Judged, cranfield, medline
from bench.library import DATA, database, embed, research, store, store_vectors

MARKS = {
    ("Cranfield", "hybrid"): (0.434, 0.79),
    ("Medline", "hybrid"): (0.795, 0.955),
    ("Cranfield", "keyword"): (0.380, 0.0),
    ("Medline", "keyword"): (0.700, 0.0),
}
"""The least that is asked: what BM25 and MiniLM reach by reciprocal rank, and what `bm25s` reaches by word."""


async def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, default=DATA)
    arguments.add_argument("--mode", action="append", choices=["hybrid", "keyword", "vector"])
    given = arguments.parse_args()
    print(f"{'collection':<12}{'mode':<10}{'nDCG@10':>9}{'recall@100':>12}{'mark':>16}")
    for judged in (cranfield(given.data / "retrieval"), medline(given.data / "retrieval")):
        await measure(judged, given.mode or ["hybrid", "keyword", "vector"])


async def measure(judged: Judged, modes: list[str]) -> None:
    async with database() as (dsn, connection):
        stored = await store(connection, judged.documents)
        texts = [chunk for one in stored.values() for chunk in one.chunks]
        await store_vectors(connection, *await asyncio.to_thread(embed, texts))
        numbers = {str(one.document_id): number for number, one in stored.items()}
        async with research(dsn) as client:
            for mode in modes:
                gains: list[float] = []
                recalls: list[float] = []
                for query, relevant in zip(judged.queries, judged.relevant, strict=True):
                    answer = await client.post("/search", json={"query": query, "limit": 100, "mode": mode})
                    answer.raise_for_status()
                    ranked = [numbers[item["document_id"]] for item in answer.json()["items"]]
                    gains.append(ndcg(ranked[:10], relevant))
                    recalls.append(len(relevant.intersection(ranked)) / len(relevant))
                found = (sum(gains) / len(gains), sum(recalls) / len(recalls))
                mark = MARKS.get((judged.name, mode))
                shown = f"{mark[0]:.3f} / {mark[1] or 0:.3f}" if mark else ""
                print(f"{judged.name:<12}{mode:<10}{found[0]:>9.3f}{found[1]:>12.3f}{shown:>16}", flush=True)


def ndcg(ranked: list[str], relevant: frozenset[str]) -> float:
    """With gains of 0 and 1, as the marks were measured."""
    gain = sum(1 / math.log2(rank + 2) for rank, number in enumerate(ranked) if number in relevant)
    best = sum(1 / math.log2(rank + 2) for rank in range(min(10, len(relevant))))
    return gain / best


if __name__ == "__main__":
    asyncio.run(main())
