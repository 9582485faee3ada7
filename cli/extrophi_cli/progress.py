"""How jobs move, while one waits: a live table on a terminal, lines on stderr in a pipe."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from extrophi_cli.output import errors, note, one_line
from extrophi_cli.wire import JSON

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_LINE_SECONDS = 2.0
ENDED = frozenset({"succeeded", "partial", "failed", "canceled"})


@dataclass(slots=True)
class JobBoard:
    """The state of each job seen, newest word of each."""

    quiet: bool = False
    began: float = field(default_factory=time.monotonic)
    jobs: dict[str, JSON] = field(default_factory=dict[str, JSON])
    _live: "Live | None" = None
    _told: dict[str, tuple[float, str]] = field(default_factory=dict[str, tuple[float, str]])

    def show(self, job: JSON) -> None:
        identity = str(job.get("id") or job.get("target"))  # a refused target of an investigation is no job
        before = self.jobs.get(identity)
        self.jobs[identity] = job
        if self._live is None and not self.quiet:
            self._tell(identity, job, changed=before is None or before.get("status") != job.get("status"))

    @contextmanager
    def showing(self) -> Generator[None]:
        """Show it while the block runs; on a terminal the last state stays in view."""
        if self.quiet or not sys.stderr.isatty():
            yield
            return
        from rich.live import Live  # noqa: PLC0415

        with Live(get_renderable=self.draw, console=errors(), refresh_per_second=8, transient=False) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def draw(self) -> "Table":
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        drawn = Table.grid(padding=(0, 2))
        drawn.add_column(overflow="ellipsis", no_wrap=True, ratio=1)
        drawn.add_column(no_wrap=True)
        for job in self.jobs.values():
            drawn.add_row(Text(one_line(name_of(job))), Text(describe(job)))
        drawn.add_row(Text(f"{time.monotonic() - self.began:.0f} s", style="dim"), Text())
        return drawn

    def _tell(self, identity: str, job: JSON, *, changed: bool) -> None:
        now = time.monotonic()
        text = describe(job)
        when, before = self._told.get(identity, (-_LINE_SECONDS, ""))
        if text != before and (changed or now - when >= _LINE_SECONDS):
            self._told[identity] = (now, text)
            note(f"{one_line(name_of(job))}: {text} ({now - self.began:.0f} s)")


def name_of(job: JSON) -> str:
    """What it collects: a target, or an archive by its file's name."""
    target = str(job.get("target"))
    return str(job.get("typed") or target) if target.startswith("archive:") else target


def describe(job: JSON) -> str:
    """`running: 12 found, 10 new, 1 changed, 1 failed`."""
    progress: dict[str, Any] = job.get("progress") or {}
    words = [f"{progress.get('found', 0)} found", f"{progress.get('created', 0)} new"]
    if progress.get("updated"):
        words.append(f"{progress['updated']} changed")
    if progress.get("unchanged"):
        words.append(f"{progress['unchanged']} unchanged")
    if progress.get("failed"):
        words.append(f"{progress['failed']} failed")
    left_out: dict[str, Any] = job.get("left_out") or {}
    if left_out:
        words.append(f"{left_out['count']} left out")
    return f"{job.get('status', 'queued')}: {', '.join(words)}"


def tell_failures(job: JSON, *, most: int = 10) -> None:
    """What failed and why, and what was left out, on stderr."""
    error = job.get("error")
    if error:
        words = error.get("detail") or error.get("title") if isinstance(error, dict) else error
        hint = error.get("hint") if isinstance(error, dict) else None
        note(f"{one_line(name_of(job))}: {one_line(words)}{' ' + one_line(hint) if hint else ''}")
    failures = job.get("failures") or []
    for failure in failures[:most]:
        words = f"{failure.get('detail') or failure.get('code')} {failure.get('hint') or ''}"
        note(f"failed: {one_line(failure.get('target'))}: {one_line(words)}")
    if len(failures) > most:
        where = f" (extrophi jobs {job['id']})" if "id" in job else ""
        note(f"… and {len(failures) - most} more{where}")
    if left_out := job.get("left_out"):
        _tell_left_out(left_out)


def _tell_left_out(left_out: JSON) -> None:
    note(
        f"{left_out['count']} addresses left out: places that seem without end (calendars, filters), "
        "or whose pages say nothing new."
    )
    for example in left_out["examples"]:
        more = f" and {example['count'] - 1} like it" if example["count"] > 1 else ""
        note(f"left out: {one_line(example['target'])}{more}")
    note("To have one nevertheless, collect it by itself, or all below it: extrophi collect ADDRESS [--scope site].")
