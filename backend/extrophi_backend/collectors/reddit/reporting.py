"""What is told of parts that nobody knows: counted, and never lost in silence."""

from collections.abc import Iterator, Mapping

from extrophi_backend.collectors.models import Failure


def strange_parts(target: str, unknown: Mapping[str, int], unreadable: int) -> Iterator[Failure]:
    """A failure for each kind of thing that is none of ours, and one for those that do not say which they are.

    Args:
        target: The address of the list or post that they were in.
        unknown: How many there were of each kind.
        unreadable: How many posts and comments have no id, or no words.
    """
    for kind, number in sorted(unknown.items()):
        detail = (
            f"{number:,} parts of the kind “{kind}” are not known to Extrophi, and were passed over."
            if number > 1
            else f"A part of the kind “{kind}” is not known to Extrophi, and was passed over."
        )
        yield Failure(target, "unknown_part", detail)
    if unreadable:
        detail = f"{unreadable:,} posts or comments do not say which they are, or what they say, and were passed over."
        yield Failure(target, "unreadable_answer", detail)
