"""X, Reddit and YouTube on loopback, as far as they tell whether they take what one knows them by.

What each answers is as the real ones answer: X's usage endpoint as docs.x.com shows it, Reddit's token as its recorded
traffic has it, YouTube's and X's pages by the state that stands in them.
"""

import base64
import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import parse_qs, urlsplit


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class PlatformsServer:
    """Takes the credentials in `takes`, and answers as `how` says: in order, too often asked, broken, or echoing.

    `echoing` refuses, and repeats all that it was sent, as a careless server does.
    """

    takes: set[str] = field(default_factory=set[str])
    how: Literal["in_order", "limited", "broken", "echoing", "elsewhere"] = "in_order"
    port: int = 0
    asked: list[Asked] = field(default_factory=list[Asked])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self) -> dict[str, str]:
        names = ("EXTROPHI_X_API_URL", "EXTROPHI_X_WEB_URL", "EXTROPHI_REDDIT_URL", "EXTROPHI_YOUTUBE_URL")
        return {name: f"{self.url}/{name.split('_')[1].lower()}{number}" for number, name in enumerate(names)}

    def answer(self, asked: Asked) -> tuple[int, dict[str, str], str]:
        if self.how == "limited":
            return 429, {"Retry-After": "600"}, "slow down"
        if self.how == "broken":
            return 500, {}, "<html>oops</html>"
        if self.how == "elsewhere":
            return 302, {"Location": "http://localhost:1/consent"}, ""
        if self.how == "echoing":
            return 401, {"X-Echo": asked.headers.get("Authorization", "")}, json.dumps(asked.__dict__)
        path = "/" + urlsplit(asked.path).path.split("/", 2)[2]
        for begin, reply in self._paths().items():
            if path.startswith(begin):
                return reply(asked)
        return 404, {}, "nothing here"

    def _paths(self) -> dict[str, Callable[[Asked], tuple[int, dict[str, str], str]]]:
        return {
            "/2/usage/tweets": self._x_api,
            "/home": self._x_home,
            "/api/v1/access_token": self._reddit_token,
            "/user/": self._reddit_feed,
            "/": self._youtube,
        }

    def _x_api(self, asked: Asked) -> tuple[int, dict[str, str], str]:
        if asked.headers.get("Authorization", "").removeprefix("Bearer ") not in self.takes:
            return 401, {}, '{"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}'
        data = {"cap_reset_day": 10, "project_cap": "10000", "project_id": "1", "project_usage": "43"}
        return 200, {"Content-Type": "application/json"}, json.dumps({"data": data})

    def _x_home(self, asked: Asked) -> tuple[int, dict[str, str], str]:
        if not self._has_cookies(asked):
            return 302, {"Location": "/i/flow/login", "Set-Cookie": 'auth_token=""; Max-Age=0; Path=/'}, ""
        state = {"session": {"isRestrictedSession": False, "ssoInitTokens": {}, "user_id": "424242"}}
        return 200, {}, f"<html><script>window.__INITIAL_STATE__={json.dumps(state)};</script></html>"

    def _reddit_token(self, asked: Asked) -> tuple[int, dict[str, str], str]:
        app = base64.b64decode(asked.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        if asked.method != "POST" or not set(app.split(":")) <= self.takes:
            return 401, {}, '{"message": "Unauthorized", "error": 401}'
        refresh = parse_qs(asked.body).get("refresh_token", [])
        if not set(refresh) <= self.takes:
            return 400, {}, '{"message": "Bad Request", "error": 400}'
        token = {"access_token": "a-fresh-one", "token_type": "bearer", "expires_in": 3600, "scope": "*"}
        return 200, {"Content-Type": "application/json; charset=UTF-8"}, json.dumps(token)

    def _reddit_feed(self, asked: Asked) -> tuple[int, dict[str, str], str]:
        given = parse_qs(urlsplit(asked.path).query)
        if not {*given.get("feed", ["-"]), *given.get("user", ["-"])} <= self.takes:
            return 403, {}, "<html>forbidden</html>"
        return 200, {}, '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"></feed>'

    def _youtube(self, asked: Asked) -> tuple[int, dict[str, str], str]:
        signed_in = json.dumps(self._has_cookies(asked))
        return 200, {}, f'<html><script>ytcfg.set({{"LOGGED_IN":{signed_in},"PAGE_BUILD":1}});</script></html>'

    def _has_cookies(self, asked: Asked) -> bool:
        sent = {part.partition("=")[2] for part in asked.headers.get("Cookie", "").split("; ")}
        return bool(sent & self.takes)


@contextmanager
def serving(server: PlatformsServer) -> Generator[PlatformsServer]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            asked = Asked(self.command, self.path, dict(self.headers.items()), body)
            server.asked.append(asked)
            status, headers, content = server.answer(asked)
            self.send_response(status)
            for name, value in {"Content-Type": "text/html", **headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(content.encode())

        do_GET = do_POST = answer  # noqa: N815  their names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name
            """`asked` is the log."""

    with ThreadingHTTPServer(("127.0.0.1", server.port), Handler) as listening:
        server.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
