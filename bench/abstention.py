"""How often `POST /answer` answers what the library holds, and abstains where it holds nothing.

    python -m bench.abstention [--data FOLDER]

The 60 questions of bench/data/abstention.json are about Cranfield and examples/reading, or about nothing in them; 27 of
30 must be right of each. Two more rows are harder: 40 about them, some of a word or two, and 40 that share a word or a
topic with them, and that nothing in them answers. All are ours, and the rule could have been made for them: so others'
queries are asked of libraries they were not written for as well. Cranfield's and Medline's queries, each of its own
collection (also with words misspelt), of the other, and of 36 pages of news.

The first run embeds 2,400 abstracts (some minutes); the vectors are kept in bench/.cache.
"""

import argparse
import asyncio
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.judged import cranfield, medline
from bench.library import DATA, REPO, database, embed, research, store, store_vectors

MARK = 27
_MISSPELT = 0.3
"""Of the words longer than four letters."""


@dataclass(frozen=True, slots=True)
class Asked:
    name: str
    questions: Sequence[str]
    answerable: bool
    mark: int | None = None
    about: Sequence[str] = ()
    """The document that each question is about, where we know."""


async def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, default=DATA)
    data = arguments.parse_args().data
    cran, med = cranfield(data / "retrieval"), medline(data / "retrieval")
    ours = json.loads((REPO / "bench" / "data" / "abstention.json").read_text())
    answerable = [one["question"] for one in ours["answerable"]]
    pages = json.loads((data / "web" / "ground-truth.json").read_text())
    print(f"{'library':<22}{'questions':<40}{'should':<10}{'right':>12}", flush=True)
    await measure(
        "Cranfield + examples",
        cran.documents | examples(),
        [
            Asked("ours, about it", answerable, True, MARK, [one["in"] for one in ours["answerable"]]),
            Asked("ours, about nothing in it", ours["unanswerable"], False, MARK),
            Asked("ours, about it, more", ours["more"], True),
            Asked("ours, on near topics", ours["near"], False),
            Asked("Cranfield's", cran.queries, True),
            Asked("Cranfield's, words misspelt", [_misspelt(one) for one in cran.queries], True),
            Asked("Medline's", med.queries, False),
        ],
    )
    await measure(
        "Medline",
        med.documents,
        [
            Asked("Medline's", med.queries, True),
            Asked("Medline's, words misspelt", [_misspelt(one) for one in med.queries], True),
            Asked("Cranfield's", cran.queries, False),
            Asked("ours, about Cranfield and examples", answerable, False),
        ],
    )
    await measure(
        "36 pages of news",
        {name: ("", page["articleBody"]) for name, page in pages.items()},
        [Asked("Cranfield's", cran.queries, False), Asked("Medline's", med.queries, False)],
    )
    await measure("examples", examples(), [Asked("Cranfield's", cran.queries, False)])


async def measure(library: str, documents: dict[str, tuple[str, str]], sets: Sequence[Asked]) -> None:
    async with database() as (dsn, connection):
        stored = await store(connection, documents)
        texts = [chunk for one in stored.values() for chunk in one.chunks]
        await store_vectors(connection, *await asyncio.to_thread(embed, texts))
        names = {str(one.document_id): name for name, one in stored.items()}
        async with research(dsn) as client:
            for asked in sets:
                await _ask(library, asked, client, names)


async def _ask(library: str, asked: Asked, client: httpx.AsyncClient, names: dict[str, str]) -> None:
    right, found = 0, 0
    wrong: list[str] = []
    for number, question in enumerate(asked.questions):
        answer = await client.post("/answer", json={"question": question})
        answer.raise_for_status()
        made = answer.json()
        if made["abstained"] is not asked.answerable:
            right += 1
        else:
            wrong.append(question)
        if asked.about:
            found += asked.about[number] in {names[one["document_id"]] for one in made["citations"]}
    should = "answer" if asked.answerable else "abstain"
    mark = f"  mark {asked.mark}" if asked.mark else ""
    cited = f"  cites the text it is about: {found}" if asked.about else ""
    count = f"{right}/{len(asked.questions)}"
    print(f"{library:<22}{asked.name:<40}{should:<10}{count:>12}{mark}{cited}", flush=True)
    if asked.mark:
        for question in wrong:
            print(f"{'':<22}wrong: {question}")


def examples() -> dict[str, tuple[str, str]]:
    """The texts of examples/reading by file name, without their markup."""
    texts: dict[str, tuple[str, str]] = {}
    for file in sorted((REPO / "examples" / "reading").iterdir()):
        text = re.sub(r"\A---\n.*?\n---\n|<style.*?</style>|<[^>]+>", "", file.read_text(), flags=re.DOTALL)
        texts[file.name] = (file.stem[3:].replace("-", " "), text.strip())
    return texts


def _misspelt(question: str) -> str:
    """With some words as fingers make them: two letters swapped, one left out, one too many. The same each time."""
    chance = random.Random(question)
    return " ".join(
        _slip(word, chance) if len(word) > 4 and chance.random() < _MISSPELT else word for word in question.split()
    )


def _slip(word: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(word) - 1)
    slips = (
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
    )
    return chance.choice(slips)


if __name__ == "__main__":
    asyncio.run(main())
