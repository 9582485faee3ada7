"""`extrophi investigate`: the main job."""

from contextlib import ExitStack, suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from extrophi_cli import options
from extrophi_cli.answering import AnswerPrinter
from extrophi_cli.errors import CommandError, Unreachable
from extrophi_cli.output import note, write_json
from extrophi_cli.progress import ENDED, JobBoard, tell_failures
from extrophi_cli.running import connect
from extrophi_cli.targets import prepare, upload
from extrophi_cli.wire import JSON, Event

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi

_RETRIES = 5


class Scope(StrEnum):
    """What an investigation answers from."""

    TARGETS = "targets"
    LIBRARY = "library"


def investigate(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="TARGET...", help="URL, @handle, r/name, file or folder.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=100_000, help="At most so many documents of each target.")
    ] = 100,
    scope: Annotated[
        Scope, typer.Option("--scope", help="Answer from the targets' documents, or from all there are.")
    ] = Scope.TARGETS,
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """Collect targets, then answer a question from them, with citations. Ctrl-C cancels it, and nothing else.

    Examples:
        extrophi investigate "Why do long articles get read less on phones?" https://some.site/post ~/notes/reading

        extrophi investigate "What do they say about sleep?" https://some.site/feed.xml --limit 20 --scope library
    """
    with connect(url, key) as extrophi:
        prepared = prepare(extrophi, targets or [])
        uploaded = upload(extrophi, prepared.files)
        if uploaded.items and scope is Scope.TARGETS:
            note("Uploaded files are part of the library: answering from all of it.")
            scope = Scope.LIBRARY
        run = _Run(extrophi, JobBoard(quiet=as_json), AnswerPrinter(quiet=as_json))
        body: JSON = {"question": question, "targets": prepared.remote, "limit": limit, "scope": scope.value}
        try:
            answer = run.follow(body)
        except KeyboardInterrupt:
            run.cancel()
            raise
    if as_json:
        write_json({"id": run.id, "jobs": list(run.board.jobs.values()), **answer})


class _Run:
    """One investigation as it is followed."""

    def __init__(self, extrophi: "Extrophi", board: JobBoard, printer: AnswerPrinter) -> None:
        self.extrophi = extrophi
        self.board = board
        self.printer = printer
        self.id: str | None = None
        self._last_id: str | None = None
        self._stage = ExitStack()

    def follow(self, body: JSON) -> JSON:
        """Start it and follow it to its answer, over broken connections too."""
        failures = 0
        with self._stage:
            self._stage.enter_context(self.board.showing())
            while self.printer.answer is None:
                try:
                    with self._open(body) as events:
                        for event in events:
                            failures = 0
                            self._take(event)
                except Unreachable:
                    if self.id is None:
                        raise
                failures += 1
                if failures > _RETRIES:
                    raise Unreachable("Lost sight of the investigation.", hint="It goes on; `extrophi jobs` shows it.")
        return self.printer.finished()

    def _open(self, body: JSON):  # noqa: ANN202  the context manager of `events`
        if self.id is None:
            return self.extrophi.events("POST", "/api/investigations", body=body)
        return self.extrophi.events("GET", f"/api/investigations/{self.id}/events", last_id=self._last_id)

    def _take(self, event: Event) -> None:
        self._last_id = event.id or self._last_id
        if event.name == "investigation":
            self.id = str(event.data.get("id") or self.id)
            if event.data.get("status") == "canceled":
                raise CommandError("The investigation was canceled.")
        elif event.name == "job":
            self.board.show(event.data)
        else:
            if event.name in {"citations", "delta", "done", "error"}:
                self._end_collecting()
            self.printer.take(event)

    def _end_collecting(self) -> None:
        """The answer begins: the live table stays as it is, and what failed is told above the answer."""
        self._stage.close()
        if not self.board.quiet:
            for job in self.board.jobs.values():
                if job.get("status") in ENDED and not job.get("_told"):
                    job["_told"] = True
                    tell_failures(job)

    def cancel(self) -> None:
        self._stage.close()
        if self.id is None:
            note("Canceled before it began.")
            return
        with suppress(CommandError):
            self.extrophi.post(f"/api/investigations/{self.id}/cancel")
            note("The investigation is canceled. What was collected is kept; Extrophi goes on running.")
