"""yt-dlp in a thread, its requests in the loop."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from extrophi_backend.accounts.cookies import Cookie
from extrophi_backend.collectors.youtube.asking import Answered, Asked, YouTube
from extrophi_backend.collectors.youtube.models import Refusal
from extrophi_backend.collectors.youtube.reading import Json, data_of, mapping, parsed, player_of
from extrophi_backend.collectors.youtube.refusals import alert_of, refusal_in_words
from extrophi_backend.errors import Refused
from extrophi_backend.fetch.errors import FetchFailed

if TYPE_CHECKING:
    from extrophi_backend.collectors.youtube.ytdlp import Extraction

_API = "/youtubei/v1/"
_PLAYERS = frozenset({"/watch", f"{_API}player"})
_LISTS = frozenset({f"{_API}browse", f"{_API}search"})
_COMMENTS = f"{_API}next"
_OF_COMMENTS = b'"onResponseReceivedEndpoints"'
T = TypeVar("T")


@dataclass(slots=True)
class Answers:
    """What YouTube answered since yt-dlp was last asked for something: path and body."""

    kept: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    refused: int | None = None
    """The status of the last one that was an error."""
    tell_comments: bool = False
    """One of them is of the form that comments come in, be they none: yt-dlp takes any other for none, too."""

    def keep(self, answered: Answered) -> None:
        path, status = urlsplit(answered.url).path, answered.response.status_code
        if status >= 400:
            self.refused = status
        if path == _COMMENTS:
            self.tell_comments |= _OF_COMMENTS in answered.response.content
        if path in _PLAYERS | _LISTS or not path.startswith(_API):  # comments are many, and told by yt-dlp alone
            self.kept.append((path, answered.response.content))

    def player(self, external_id: str) -> Json:
        """The first one that a player got for a video; empty, if there is none, or it is another video's.

        Where that is refused for an age, yt-dlp tries to get around it, as a page that shows the video inside. For us
        it is refused.
        """
        found = [player_of(body) if path == "/watch" else parsed(body) for path, body in self.kept if path in _PLAYERS]
        ours = [one for one in found if mapping(one, "videoDetails").get("videoId", external_id) == external_id]
        return next(filter(None, ours), {})

    def data(self) -> list[Json]:
        return [parsed(body) if path.startswith(_API) else data_of(body) for path, body in self.kept]


class Reader:
    """yt-dlp, for one task of the loop that it is made in.

    Args:
        youtube: Answers its requests.
        cookies: The person's own.
        most_comments: Of a video.
    """

    def __init__(self, youtube: YouTube, cookies: Sequence[Cookie], *, most_comments: int) -> None:
        self.answers = Answers()
        self._youtube = youtube
        self._cookies = cookies
        self._most_comments = most_comments
        self._loop = asyncio.get_running_loop()
        # Of its own: threads that wait for the loop must not take those that the loop itself waits for (names, files).
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="yt-dlp")
        self._trouble: Exception | None = None
        self._asking: Future[Answered] | None = None
        self._closed = False
        self._made: Extraction | None = None

    def close(self) -> None:
        """End what a thread may still be at: no request of it is answered any more."""
        self._closed = True
        if self._asking is not None:
            self._asking.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def read(self, work: "Callable[[Extraction], T]") -> T:
        """What `work` gives; what its requests failed with goes before what yt-dlp makes of that, and comes as it is.

        Raises:
            Refused: why there is nothing.
            FetchFailed, Wait.
        """
        self.answers, self._trouble = Answers(), None
        try:
            done = await self._loop.run_in_executor(self._thread, self._work, work)
        except Refused as refusal:
            raise self._trouble or refusal from refusal
        if self._trouble is not None:
            raise self._trouble
        return done

    def _work(self, work: "Callable[[Extraction], T]") -> T:
        """In a thread."""
        from extrophi_backend.collectors.youtube.ytdlp import Extraction, Unextracted  # noqa: PLC0415  30 MB

        if self._made is None:
            self._made = Extraction(self._ask, self._cookies, most_comments=self._most_comments)
        try:
            return work(self._made)
        except Unextracted as failure:
            said = next(filter(None, map(alert_of, self.answers.data())), failure.said)
            refusal = _refusal(said, failure.status or self.answers.refused)
            raise Refused(refusal.code, refusal.detail) from failure

    def _ask(self, asked: Asked) -> Answered:
        """In a thread: the answer that the loop gets. What it raises is kept for who waits for the work."""
        if self._closed:
            raise FetchFailed("connection_failed", "The job has ended.")
        if self._trouble is not None:  # yt-dlp would rather have something than nothing, and asks on
            raise self._trouble
        future = self._asking = asyncio.run_coroutine_threadsafe(self._youtube.ask(asked), self._loop)
        try:
            answered = future.result()
        except CancelledError:  # nobody waits for the work any more
            raise
        except Exception as error:  # whatever it is, yt-dlp would make its own sense of it
            self._trouble = error
            raise
        self.answers.keep(answered)
        return answered


def _refusal(said: str, status: int | None) -> Refusal:
    """What yt-dlp's sentence comes to, and the status that it stumbled over."""
    if status in {404, 410}:
        return Refusal("not_found", "There is no such thing on YouTube, or no more.")
    if status is not None:
        return Refusal(f"http_{status}", f"YouTube answers {status}.")
    return refusal_in_words(said) or Refusal("unreadable_answer", f"yt-dlp cannot read it: {said[:300]}")
