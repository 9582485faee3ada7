"""Follows an answer's events: prints its text as it comes, then its citations."""

import sys
from dataclasses import dataclass

from extrophi_cli.citations import show_citations
from extrophi_cli.errors import CommandError
from extrophi_cli.output import clean, note
from extrophi_cli.wire import JSON, Event, refusal


@dataclass(slots=True)
class AnswerPrinter:
    """`quiet`: prints nothing, for --json. `answer` is the whole once it is done."""

    quiet: bool = False
    answer: JSON | None = None
    _text: str = ""

    def take(self, event: Event) -> None:
        """Take one event; others than an answer's are ignored. Raises Refused for event `error`."""
        if event.name == "delta":
            self._print(str(event.data.get("text", "")))
        elif event.name == "done":
            self.answer = event.data
            if not self._text:  # nothing was streamed: an abstention, or a short answer
                self._print(str(event.data.get("answer") or ""))
            if not self.quiet:
                sys.stdout.write("" if self._text.endswith("\n") else "\n")
                sys.stdout.flush()
                show_citations(event.data.get("citations") or [])
        elif event.name == "error":
            if self._text and not self.quiet:
                print(flush=True)
            raise refusal(event.data, status=int(event.data.get("status") or 500))

    def restart(self) -> None:
        """The answer comes anew, from its beginning: another driver took it over."""
        if self._text and not self.quiet:
            print(flush=True)
            note("The answer broke off; it begins anew:")
        self._text = ""

    def _print(self, text: str) -> None:
        self._text += text
        if not self.quiet:
            sys.stdout.write(clean(text))
            sys.stdout.flush()

    def finished(self) -> JSON:
        """The whole answer. Raises CommandError when the stream ended before it."""
        if self.answer is None:
            raise CommandError("The answer broke off.", hint="Ask again; what was collected is kept.")
        return self.answer
