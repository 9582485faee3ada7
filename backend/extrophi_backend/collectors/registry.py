"""Which collector takes what a person typed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from extrophi_backend.collectors.models import Collector, Platform, Target
from extrophi_backend.errors import InvalidTarget
from extrophi_backend.settings import Settings

Recogniser = Callable[[str], Target | None]


@dataclass(frozen=True, slots=True)
class Registry:
    """`recognisers` are asked in order; the first that knows a target has it."""

    recognisers: Sequence[Recogniser]
    collectors: Mapping[Platform, Collector]

    def recognise(self, typed: str) -> Target:
        """The target in its canonical form. Raises InvalidTarget for what nobody knows."""
        for recogniser in self.recognisers:
            target = recogniser(typed)
            if target is not None:
                return target
        raise InvalidTarget(
            f"“{typed[:200]}” is nothing that Extrophi can collect.",
            field="target",
            hint="Give a web address (https://…), or the absolute path of a file or folder.",
        )


def make_registry(settings: Settings) -> Registry:
    """All collectors there are, ready to run."""
    from extrophi_backend.collectors.files import collector, target  # noqa: PLC0415  heavy, and the API's start is not

    roots = settings.files_roots
    return Registry(
        recognisers=[lambda typed: target.recognise(typed, roots, Path.home())],
        collectors={"files": collector.make_collector(roots=roots, max_bytes=settings.file_max_bytes)},
    )
