import time
from contextlib import ExitStack, suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from extrophi_cli import options
from extrophi_cli.answering import AnswerPrinter
from extrophi_cli.choosing import choose
from extrophi_cli.collecting import Patience, codes_of, may_pass, worst
from extrophi_cli.errors import FAILED, CommandError, Refused, Unreachable
from extrophi_cli.output import note, write_json
from extrophi_cli.progress import ENDED, JobBoard, tell_failures
from extrophi_cli.running import connect
from extrophi_cli.targets import prepare, upload
from extrophi_cli.wire import JSON, Event

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi

_EMBEDDING_SECONDS = 60  # as long as an investigation waits for its documents' embeddings


class Scope(StrEnum):
    """What an investigation answers from."""

    TARGETS = "targets"
    LIBRARY = "library"


def investigate(
    question: Annotated[str | None, typer.Argument(help="What you want to know.", show_default=False)] = None,
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="TARGET...", help="URL, @handle, r/name, file or folder.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=100_000, help="At most so many documents of each target.")
    ] = 100,
    scope: Annotated[
        Scope, typer.Option("--scope", help="Answer from the targets' documents, or from all there are.")
    ] = Scope.TARGETS,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="ID", help="Follow one that was begun, from its beginning.")
    ] = None,
    url: options.URL = None,
    key: options.Key = None,
    as_json: options.AsJSON = False,
) -> None:
    """Collect targets, then answer a question from them, with citations. Ctrl-C cancels it, and nothing else.

    Exit code 5: there is an answer, but some targets or documents failed.

    Examples:
        extrophi investigate "Why do long articles get read less on phones?" https://some.site/post ~/notes/reading

        extrophi investigate "What do they say about sleep?" https://some.site/feed.xml --limit 20 --scope library
    """
    _check_use(question, targets, resume)
    codes: list[int] = []
    with connect(url, key) as extrophi:
        run = Run(extrophi, JobBoard(quiet=as_json), AnswerPrinter(quiet=as_json), id=resume)
        body: JSON | None = None
        if resume is None:
            prepared = prepare(extrophi, targets or [])
            uploaded = upload(extrophi, prepared.files)
            codes = uploaded.codes
            if uploaded.items and scope is Scope.TARGETS:
                # Nothing tells uploaded documents from others: research filters by job, and an upload is none.
                note("Uploaded files become part of the library: answering from all of it.")
                scope = Scope.LIBRARY
            if not prepared.remote and not uploaded.items:
                raise CommandError("None of the files could be read.", hint="The lines above say why.", code=FAILED)
            body = {"question": question, "targets": prepared.remote, "limit": limit, "scope": scope.value}
        try:
            answer = run.begin(body) if body is None or body["targets"] else run.ask(str(question))
        except KeyboardInterrupt:
            run.cancel()
            raise
    if as_json:
        write_json({"id": run.id, "jobs": list(run.board.jobs.values()), **answer})
    raise typer.Exit(worst([*codes, *codes_of(run.board)]))


def _check_use(question: str | None, targets: list[str] | None, resume: str | None) -> None:
    if resume is not None and question is not None:
        raise typer.BadParameter("--resume ID stands alone: that investigation has its question.")
    if resume is None and question is None:
        raise typer.BadParameter("What is the QUESTION?")
    if resume is None and not targets:
        raise typer.BadParameter("Name a TARGET to collect, or use `extrophi ask` to ask what was collected already.")


class Run:
    """One investigation as it is followed."""

    def __init__(self, extrophi: "Extrophi", board: JobBoard, printer: AnswerPrinter, *, id: str | None = None) -> None:  # noqa: A002
        self.extrophi = extrophi
        self.board = board
        self.printer = printer
        self.id = id
        self._last_id: str | None = None
        self._stage = ExitStack()

    def begin(self, body: JSON | None) -> JSON:
        """As `follow`, once it is clear what the targets mean."""
        while True:
            try:
                return self.follow(body)
            except Refused as refused:
                place = (refused.field or "").removeprefix("targets.")
                if body is None or not refused.choices or not place.isdigit() or int(place) >= len(body["targets"]):
                    raise
                body["targets"][int(place)] = choose(body["targets"][int(place)], refused)

    def follow(self, body: JSON | None, patience: Patience | None = None) -> JSON:
        """Start it with `body`, unless it was begun, and follow it to its answer, over broken connections too."""
        patience = patience or Patience()
        with self._stage:
            self._stage.enter_context(self.board.showing())
            while self.printer.answer is None:
                try:
                    with self._open(body) as events:
                        for event in events:
                            patience.reset()
                            self._take(event)
                except CommandError as error:
                    if self.id is None or not may_pass(error):
                        raise
                if self.printer.answer is None and (self.id is None or patience.is_lost()):
                    hint = f"It goes on: `extrophi investigate --resume {self.id}` fetches its answer."
                    raise Unreachable("Lost sight of the investigation.", hint=hint if self.id else None)
        return self.printer.finished()

    def ask(self, question: str) -> JSON:
        """An answer from the library, once what was uploaded can be searched by meaning."""
        deadline = time.monotonic() + _EMBEDDING_SECONDS
        while self.extrophi.get("/api/stats").get("pending") and time.monotonic() < deadline:
            time.sleep(0.5)
        with self.extrophi.events("POST", "/api/answer", body={"question": question}) as events:
            for event in events:
                self.printer.take(event)
        return self.printer.finished()

    def _open(self, body: JSON | None):  # noqa: ANN202  the context manager of `events`
        if self.id is None:
            return self.extrophi.events("POST", "/api/investigations", body=body)
        return self.extrophi.events("GET", f"/api/investigations/{self.id}/events", last_id=self._last_id)

    def _take(self, event: Event) -> None:
        self._last_id = event.id or self._last_id
        if event.name == "investigation":
            self.id = str(event.data.get("id") or self.id)
            if event.data.get("status") == "canceled":
                raise CommandError("The investigation was canceled.")
            if event.data.get("restarted"):
                self.printer.restart()
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
