"""HTTP client of an orchestrator: JSON in and out, events, problems as errors."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import httpx

from extrophi_cli import __version__
from extrophi_cli.errors import CommandError, Unreachable
from extrophi_cli.wire import JSON, Event, read_events, refusal

# An answer's first word can take a slow model minutes; comment lines every 10 s keep streams alive.
_TIMEOUT = httpx.Timeout(10, read=300, write=300)


class Extrophi:
    """An Extrophi at `url`. `is_local`: on this machine and with our own files in reach."""

    def __init__(self, url: str, *, key: str | None = None, is_local: bool = False) -> None:
        self.url = url.rstrip("/")
        self.is_local = is_local
        headers = {"user-agent": f"extrophi-cli/{__version__}"}
        if key:
            headers["authorization"] = f"Bearer {key}"
        # This machine's own is never behind a proxy, whatever HTTP_PROXY says.
        try:
            self._http = httpx.Client(base_url=self.url, headers=headers, timeout=_TIMEOUT, trust_env=not is_local)
        except UnicodeEncodeError as error:
            raise CommandError("The key has letters that no key has.", hint="Check --key.", code=2) from error
        except (httpx.InvalidURL, ValueError) as error:
            raise Unreachable(f"{url!r} is no address: {error}.", hint="It looks like http://host:8000") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, **parameters: Any) -> JSON:
        return self.request("GET", path, params={k: v for k, v in parameters.items() if v is not None})

    def post(self, path: str, body: JSON | None = None) -> JSON:
        return self.request("POST", path, json=body if body is not None else {})

    def delete(self, path: str) -> None:
        self.request("DELETE", path)

    def request(self, method: str, path: str, **more: Any) -> JSON:
        """One request; gives the JSON object of a success.

        Raises:
            Refused: it answered with a problem.
            Unreachable: it did not answer.
        """
        with self._reaching():
            response = self._http.request(method, path, **more)
        _raise_for_problem(response)
        if not response.content:
            return {}
        try:
            body = response.json()
        except ValueError as error:
            raise Unreachable(f"{self.url} is no Extrophi: it answered without JSON.", hint="Check --url.") from error
        return body if isinstance(body, dict) else {"items": body}

    def read(self, path: str) -> bytes:
        """The bytes of what is no JSON. Raises as `request`."""
        with self._reaching():
            response = self._http.get(path)
        _raise_for_problem(response)
        return response.content

    def pages(self, path: str, **parameters: Any) -> Iterator[JSON]:
        """The items of a list, page after page."""
        cursor: str | None = None
        while True:
            page = self.get(path, cursor=cursor, **{"limit": 100, **parameters})
            yield from page.get("items", [])
            cursor = page.get("next_cursor")
            if not cursor:
                return

    @contextmanager
    def events(
        self, method: str, path: str, *, body: JSON | None = None, last_id: str | None = None
    ) -> Generator[Iterator[Event]]:
        """A stream of events. Raises as `request`; a stream that breaks off raises Unreachable."""
        headers = {"accept": "text/event-stream"}
        if last_id is not None:
            headers["last-event-id"] = last_id
        with self._reaching(), self._http.stream(method, path, json=body, headers=headers) as response:
            if response.status_code >= 400:
                response.read()
            _raise_for_problem(response)
            yield read_events(_lines(response.iter_bytes()))

    @contextmanager
    def _reaching(self) -> Generator[None]:
        try:
            yield
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            reason = str(error) or type(error).__name__
            hint = "`extrophi status` tells what runs." if self.is_local else "Check --url, and that it runs there."
            raise Unreachable(f"No answer from {self.url}: {reason}.", hint=hint) from error
        except UnicodeEncodeError as error:  # half a surrogate pair stands for a byte of the command line
            raise CommandError("What you gave is not UTF-8.", hint="Check the terminal's encoding.", code=2) from error


def _lines(parts: Iterator[bytes]) -> Iterator[str]:
    """Lines that end by a line feed. A text's other separators (U+2028, U+0085) stand in the data as they are."""
    begun = b""
    for part in parts:
        *lines, begun = (begun + part).split(b"\n")
        for line in lines:
            yield line.decode().removesuffix("\r")


def _raise_for_problem(response: httpx.Response) -> None:
    if response.status_code < 400:
        return
    try:
        problem: Mapping[str, Any] = response.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    raise refusal(problem, status=response.status_code)
