"""Cranfield and Medline: abstracts, queries, and what was judged relevant. Origin: tests/data/retrieval/README.md."""

import gzip
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Judged:
    """`relevant[n]` are the numbers of the documents that answer `queries[n]`, at any grade above 0."""

    name: str
    documents: dict[str, tuple[str, str]]
    """By number: title and text."""
    queries: list[str]
    relevant: list[frozenset[str]]


def cranfield(folder: Path) -> Judged:
    """1,400 abstracts, 225 queries, numbered by position."""
    entries = _entries(folder / "cran.all.1400.gz")
    queries = [fields["W"] for _, fields in _entries(folder / "cran.qry.gz")]
    judged: defaultdict[int, set[str]] = defaultdict(set)
    for line in _lines(folder / "cranqrel.gz"):
        query, document, grade = line.split()
        if int(grade) > 0:
            judged[int(query)].add(document)
    documents = {number: (fields.get("T", ""), fields.get("W", "")) for number, fields in entries}
    return Judged("Cranfield", documents, queries, [frozenset(judged[n]) for n in range(1, len(queries) + 1)])


def medline(folder: Path) -> Judged:
    """1,033 abstracts, 30 queries."""
    entries = _entries(folder / "MED.ALL.gz")
    queries = [fields["W"] for _, fields in _entries(folder / "MED.QRY.gz")]
    judged: defaultdict[int, set[str]] = defaultdict(set)
    for line in _lines(folder / "MED.REL.gz"):
        query, _, document, _ = line.split()
        judged[int(query)].add(document)
    documents = {number: ("", fields.get("W", "")) for number, fields in entries}
    return Judged("Medline", documents, queries, [frozenset(judged[n]) for n in range(1, len(queries) + 1)])


def _lines(path: Path) -> list[str]:
    return [line for line in gzip.decompress(path.read_bytes()).decode("latin-1").splitlines() if line.strip()]


def _entries(path: Path) -> list[tuple[str, dict[str, str]]]:
    text = gzip.decompress(path.read_bytes()).decode("latin-1").replace("\r\n", "\n")
    entries: list[tuple[str, dict[str, str]]] = []
    for entry in re.split(r"^\.I\s+", text, flags=re.MULTILINE)[1:]:
        number, _, rest = entry.partition("\n")
        parts = re.split(r"^\.([A-Z])[ \t]*\n", rest, flags=re.MULTILINE)
        fields = {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}
        entries.append((number.strip(), fields))
    return entries
