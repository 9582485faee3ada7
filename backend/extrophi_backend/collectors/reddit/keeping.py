"""What a run leaves in memos for a later one: their names, and the answers about a large tree, in parts."""

from collections.abc import Iterator, Sequence
from hashlib import blake2b

Answers = list[str | None]
"""Of one post, as JSON, in the order of the questions; None where there was none."""

PART_CHARACTERS = 2_000_000
"""Of a memo. All answers about one post may be a hundred times as many."""


def memo_name(kind: str, source: str, what: str) -> str:
    """A memo's name. What one source's run leaves is no other's: each has had another part of a list.

    Args:
        kind: What the memo holds.
        source: Whose run it is; empty where it is no source's.
        what: The address, or the post, that it is about.
    """
    return f"reddit/{kind}/{source}/{what}"


def text_of(answers: Sequence[str | None]) -> str:
    """The answers, each on a line of its own: JSON as we write it has no line breaks."""
    return "".join(f"{answer or 'null'}\n" for answer in answers)


def parts_of(text: str) -> Iterator[str]:
    """The text, cut into parts that a memo holds."""
    for start in range(0, len(text), PART_CHARACTERS):
        yield text[start : start + PART_CHARACTERS]


def answers_of(text: str) -> Answers:
    """The answers that `text_of` was given."""
    return [None if line == "null" else line for line in text.split("\n")[:-1]]


def digest_of(text: str) -> str:
    """Tells whether all parts are those of one run: another may have left some under the same names."""
    return blake2b(text.encode(), digest_size=16).hexdigest()
