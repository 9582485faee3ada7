"""yt-dlp, with our guarded way out for its only one. Everything here blocks: it is for a thread.

Importing this module imports yt-dlp, which takes half a second and 30 MB: only who collects from YouTube does.
Its networking (`yt_dlp/networking/common.py`) lets a request handler of one's own take the place of all others.
"""

import io
import logging
from collections.abc import Callable, Iterator, Sequence
from http.cookiejar import Cookie as JarCookie
from typing import Any, cast

from typing_extensions import override
from yt_dlp.cookies import YoutubeDLCookieJar
from yt_dlp.extractor.youtube import YoutubeIE, YoutubeSearchURLIE, YoutubeTabIE
from yt_dlp.globals import plugin_dirs
from yt_dlp.networking import Request, RequestDirector, RequestHandler, Response
from yt_dlp.networking.exceptions import HTTPError, TransportError
from yt_dlp.utils import ExtractorError
from yt_dlp.YoutubeDL import YoutubeDL

from extrophi_backend.accounts.cookies import Cookie
from extrophi_backend.collectors.youtube.asking import Answered, Asked
from extrophi_backend.collectors.youtube.reading import Json, mapping, text
from extrophi_backend.log import event

_log = logging.getLogger(__name__)

_PAGE_CLIENT = "web"
"""The page's own: what the page holds for its player is all that is asked for."""
_OTHER_CLIENTS = "default"
"""Those that yt-dlp holds to be best today, without a JavaScript engine and without a token."""
_LEFT_TO_ASK = "__post_extractor"
"""Where yt-dlp puts what asks for comments (`yt_dlp/extractor/common.py`)."""
Ask = Callable[[Asked], Answered]


class Unextracted(Exception):
    """yt-dlp found nothing. `said` is its sentence, `status` of the answer that it stumbled over, if one did."""

    def __init__(self, said: str, status: int | None = None) -> None:
        super().__init__(said, status)
        self.said = said
        self.status = status


class Extraction:
    """What yt-dlp reads of YouTube.

    Args:
        ask: Sends one request and waits for its answer. What it raises ends what was asked for.
        cookies: The person's own.
        most_comments: Of a video, where they are asked for.
    """

    def __init__(self, ask: Ask, cookies: Sequence[Cookie], *, most_comments: int) -> None:
        # No files of plugins are looked for: what runs here is what was installed.
        plugin_dirs.value = []
        self._ask = ask
        self._cookies = cookies
        self._most_comments = most_comments

    def video(self, url: str, *, comments: bool) -> Json:
        """What the watch page tells of a video, and where its comments are, if they are wanted.

        Raises:
            Unextracted: nothing that yt-dlp can read.
        """
        args = {"player_client": [_PAGE_CLIENT], "player_skip": ["js", "configs"]}
        return self._video(url, args, comments=comments)

    def comments(self, video: Json) -> Json:
        """The comments of a video that was read with the wish for them.

        Raises:
            Unextracted: nothing that yt-dlp can read.
        """
        ask = video.get(_LEFT_TO_ASK)
        return mapping(_reading(ask)) if callable(ask) else {}

    def captions(self, url: str) -> Json:
        """What other players are told of it: captions that need no token, formats that can be fetched.

        Raises:
            Unextracted: nothing that yt-dlp can read.
        """
        skip = ["webpage", "initial_data", "js", "configs"]
        return self._video(url, {"player_client": [_OTHER_CLIENTS], "player_skip": skip}, comments=False)

    def entries(self, url: str) -> Iterator[str]:
        """Ids of the videos that a playlist or a search lists, in its order; its pages are asked for as it goes.

        Raises:
            Unextracted: nothing that yt-dlp can read, be it in the middle of the list.
        """
        # Else an answer that holds no part of the list is its end.
        args = {"youtube": {"raise_incomplete_data": ["true"]}}
        is_search = YoutubeSearchURLIE.suitable(url)
        # A search needs no page but its own; a playlist's page holds the first hundred of its videos.
        with self._downloader(args | ({"youtubetab": {"skip": ["webpage"]}} if is_search else {})) as downloader:
            extractor = YoutubeSearchURLIE(downloader) if is_search else YoutubeTabIE(downloader)
            entries = iter(cast("Any", self._extracted(extractor, url).get("entries") or ()))
            while (entry := _reading(lambda: next(entries, None))) is not None:
                found = mapping(entry)
                if found.get("ie_key") == YoutubeIE.ie_key() and text(found.get("id")):
                    yield text(found["id"])

    def channel_id(self, url: str) -> str:
        """The id of the channel whose home is at an address; empty, if its page does not tell.

        Raises:
            Unextracted: there is none.
        """
        with self._downloader({}) as downloader:
            return text(self._extracted(YoutubeTabIE(downloader), url).get("channel_id"))

    def _video(self, url: str, args: dict[str, list[str]], *, comments: bool) -> Json:
        most = str(self._most_comments)
        of_youtube = {
            **args,
            "skip": ["hls", "dash", "translated_subs"],
            "max_comments": [most, most, most, most],
            "comment_sort": ["top"],
            "fetch_pot": ["never"],
        }
        with self._downloader({"youtube": of_youtube}, comments=comments) as downloader:
            return self._extracted(_VideoIE(downloader), url)

    def _downloader(self, args: dict[str, dict[str, list[str]]], *, comments: bool = False) -> "_Downloader":
        downloader = _Downloader(
            self._ask,
            {
                "logger": _Said(),
                "extractor_args": args,
                "cachedir": False,
                "compat_opts": ["no-youtube-unavailable-videos"],  # a second request for a list's first page
                "extract_flat": "in_playlist",
                "extractor_retries": 0,  # that is the fetcher's
                "geo_bypass": False,
                "getcomments": comments,
                "ignore_no_formats_error": True,
                "js_runtimes": {},
                "noplaylist": True,
                "proxy": "",
                "skip_download": True,
            },
        )
        for cookie in self._cookies:
            downloader.cookiejar.set_cookie(_for_jar(cookie))
        return downloader

    def _extracted(self, extractor: Any, url: str) -> Json:
        return mapping(_reading(lambda: extractor.extract(url)))


class _VideoIE(YoutubeIE):
    """Tells the chapters of the page alone: for those of a description, YouTube's rule is stricter than yt-dlp's.

    Its name has to end in IE.
    """

    @classmethod
    @override
    def ie_key(cls) -> str:
        return YoutubeIE.ie_key()

    @override
    def _extract_chapters_from_description(self, description: Any, duration: Any) -> list[Any]:
        return []


class _Downloader(YoutubeDL):
    def __init__(self, ask: Ask, options: dict[str, Any]) -> None:
        self._ask = ask
        super().__init__(cast("Any", options), auto_init=False)

    @override
    def build_request_director(self, handlers: Any, preferences: Any = None) -> RequestDirector:
        director = RequestDirector(logger=cast("Any", _Said()))
        director.add_handler(_GuardedRH(self._ask, self.cookiejar))
        return director

    @override
    def save_cookies(self) -> None:
        """Nothing of a session is kept."""


class _GuardedRH(RequestHandler):
    """Sends what a client of YouTube's has to say, its cookies, and nothing of a browser that is none.

    Its name has to end in RH.
    """

    _SUPPORTED_URL_SCHEMES = ("http", "https")
    _SUPPORTED_PROXY_SCHEMES = None
    _SUPPORTED_FEATURES = None

    def __init__(self, ask: Ask, jar: YoutubeDLCookieJar) -> None:
        super().__init__(logger=cast("Any", _Said()), cookiejar=jar)
        self._ask = ask
        self._jar = jar

    # What is private there, types-yt-dlp does not name.
    @override
    def _check_extensions(self, extensions: dict[str, Any]) -> None:  # pyright: ignore[reportGeneralTypeIssues]
        extensions.clear()  # times and casing, which are the fetcher's

    @override
    def _send(self, request: Request) -> Response:  # pyright: ignore[reportGeneralTypeIssues]
        headers = {str(name): str(value) for name, value in request.headers.items()}
        if cookies := self._jar.get_cookie_header(request.url):
            headers["Cookie"] = cookies
        content = request.data if isinstance(request.data, bytes) else None
        try:
            answered = self._ask(Asked(request.url, headers, request.method, content))
        except Exception as error:  # whatever ends it is what its director knows, and is kept by who asks
            raise TransportError(cause=error) from error
        answer = answered.response
        response = Response(io.BytesIO(answer.content), answered.url, dict(answer.headers), answer.status_code)
        if not 200 <= answer.status_code < 300:
            raise HTTPError(response)
        return response


class _Said:
    """Takes what yt-dlp says, for who looks for a fault."""

    def debug(self, message: str) -> None:
        _log.debug(event("youtube.yt_dlp", said=message[:500]))

    info = warning = error = stdout = debug

    def stderr(self, message: str) -> None:
        self.debug(message)


def _reading(read: Callable[[], Any]) -> Any:
    """What `read` gives. Raises Unextracted, whatever yt-dlp stumbles over."""
    try:
        return read()
    except ExtractorError as error:
        status = error.cause.status if isinstance(error.cause, HTTPError) else None
        raise Unextracted(str(error.orig_msg), status) from error
    except Exception as error:
        # It reads what strangers send, in ten thousand lines that take its form for granted.
        raise Unextracted(f"Reading it failed ({type(error).__name__}).") from error


def _for_jar(cookie: Cookie) -> JarCookie:
    return JarCookie(
        version=0,
        name=cookie.name,
        value=cookie.value,
        port=None,
        port_specified=False,
        domain=cookie.domain if cookie.host_only else f".{cookie.domain}",
        domain_specified=not cookie.host_only,
        domain_initial_dot=not cookie.host_only,
        path=cookie.path,
        path_specified=True,
        secure=cookie.secure,
        expires=cookie.expires,
        discard=cookie.expires is None,
        comment=None,
        comment_url=None,
        rest={},
    )
