"""Whether every citation is what it says: the answers to Cranfield's 225 queries against the stored texts.

    python -m bench.citations [--data FOLDER]

And whether the rule by which a chat model's citations are checked keeps those that stand and removes those that do not.

The first run embeds 1,400 abstracts (some minutes); the vectors are kept in bench/.cache.
"""

import argparse
import asyncio
import json
import uuid
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from bench.abstention import examples
from bench.judged import cranfield
from bench.library import DATA, REPO, database, embed, research, store, store_vectors
from extrophi_research.answer.citing import supporting
from extrophi_research.answer.passages import Passage
from extrophi_research.answer.reading import read
from extrophi_research.db import Connection
from extrophi_research.embeddings.local import LocalModel
from extrophi_research.search.models import Chunk


async def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, default=DATA)
    judged = cranfield(arguments.parse_args().data / "retrieval")
    async with database() as (dsn, connection):
        stored = await store(connection, judged.documents)
        texts = [chunk for one in stored.values() for chunk in one.chunks]
        await store_vectors(connection, *await asyncio.to_thread(embed, texts))
        async with research(dsn) as client:
            answered, citations, wrong = 0, 0, 0
            for query in judged.queries:
                answer = await client.post("/answer", json={"question": query})
                answer.raise_for_status()
                made = answer.json()
                answered += not made["abstained"]
                citations += len(made["citations"])
                for one in made["citations"]:
                    wrong += await _text(connection, one) != one["quote"]
    print(f"answers to {len(judged.queries)} queries: {answered}; citations: {citations}")
    print(f"citations that are not text[quote_start:quote_end]: {wrong} (must be 0)")
    _rule({number: text for number, (_, text) in (judged.documents | examples()).items()})


async def _text(connection: Connection, citation: dict[str, object]) -> str:
    """What the stored text holds at a citation's place, cut by Python, not by whoever made the citation."""
    text: str = await connection.fetchval(
        "SELECT text FROM document_versions WHERE document_id = $1 AND version = $2",
        uuid.UUID(str(citation["document_id"])),
        citation["version"],
    )
    return text[int(str(citation["quote_start"])) : int(str(citation["quote_end"]))]


def _rule(texts: dict[str, str]) -> None:
    """Claims as a chat model writes them: those that a text supports, those it does not, the former beside others."""
    claims = json.loads((REPO / "bench" / "data" / "claims.json").read_text())
    texts |= claims["texts"]
    model = LocalModel()

    def of(group: list[dict[str, str]]) -> list[tuple[str, str]]:
        return [(one["claim"], texts[one["in"]]) for one in group]

    supported = of(claims["supported"])
    # The next claim's text of the same collection: near in topic, and without what is claimed.
    moved = [(claim, other) for (claim, text), (_, other) in pairwise(supported) if other != text]
    for name, group in (
        ("that the text supports", supported),
        ("that it does not support", of(claims["unsupported"])),
        ("that the text supports, beside another text", moved),
        ("that it contradicts", of(claims["contradicted"])),
        ("that it supports, in other scripts", of(claims["other_scripts"]["supported"])),
        ("that it does not support, in other scripts", of(claims["other_scripts"]["unsupported"])),
    ):
        print(f"citations kept, of claims {name}: {_kept(model, group)}/{len(group)}")


def _kept(model: LocalModel, claims: Sequence[tuple[str, str]]) -> int:
    kept = 0
    for claim, text in claims:
        one = Chunk(uuid.uuid4(), uuid.uuid4(), 1, 0, len(text), text, "files", "", "", None, None, None, [])
        vectors, _ = model.embed([claim])
        kept += supporting([claim], vectors, Passage(1, one), read(model, claim, [one])) is not None
    return kept


if __name__ == "__main__":
    asyncio.run(main())
