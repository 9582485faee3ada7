"""The Writer in the browser: the files of its build, as they lie in `web/` (made by `make web` from `writer/`).

Names below `assets/` carry a digest of what they hold, so a browser keeps them for good; all else is asked for anew.
The page itself gets a nonce each time: the editor makes its style sheets while it runs, and nothing else may (Content
Security Policy, level 3).
"""

import gzip
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path
from typing import Self

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

WEB = Path(__file__).parent / "web"
_INDEX = "index.html"
_NONCE = 'name="csp-nonce" content="__TAURI_STYLE_NONCE__"'
"""Where the nonce goes: the desktop program, which shows the same build, puts its own in the place of that word."""
_FOR_GOOD = "public, max-age=31536000, immutable"
_ANEW = "no-cache"
_WORKER = "/worker.js"
_WORKERS_POLICY = "default-src 'none'; connect-src 'self'"
"""The service worker keeps the program's files, and fetches them from us."""
_SHRINKS = ("text/", "application/json", "application/manifest", "image/svg")
_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2"}
"""What the system's own table may not know, or know otherwise."""


def policy(nonce: str) -> str:
    """All that the page may do. Captures are shown in frames, which bring a stricter policy of their own."""
    return (
        "default-src 'none'; script-src 'self'; connect-src 'self'; font-src 'self'; frame-src 'self';"
        f" worker-src 'self'; manifest-src 'self'; img-src 'self' data: blob:; style-src 'self' 'nonce-{nonce}';"
        " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )


@dataclass(slots=True)
class _File:
    path: Path
    media_type: str
    caching: str
    plain: bytes | None = None
    shrunk: bytes | None = None
    tag: str = ""

    def read(self) -> None:
        """From the disk when first asked for: the memory of a file that nobody wants is nobody's loss."""
        self.plain = self.path.read_bytes()
        self.tag = f'"{sha256(self.plain).hexdigest()[:20]}"'
        if self.media_type.startswith(_SHRINKS):
            self.shrunk = gzip.compress(self.plain, 9, mtime=0)


@dataclass(frozen=True, slots=True)
class Web:
    """The files by the paths that they are asked for, listed once: no path is ever made from a request."""

    files: Mapping[str, _File] = field(repr=False)
    index: str

    @classmethod
    def at(cls, folder: Path = WEB) -> Self:
        files = {
            f"/{path.relative_to(folder).as_posix()}": _File(path, _type(path), _caching(path, folder))
            for path in folder.rglob("*")
            if path.is_file() and path.name != _INDEX
        }
        return cls(files, (folder / _INDEX).read_text(encoding="utf-8"))

    @property
    def paths(self) -> frozenset[str]:
        """What opens without a key: the program itself, which holds nothing of anybody's."""
        return frozenset({"/", *self.files})


def _type(path: Path) -> str:
    return _TYPES.get(path.suffix) or guess_type(path.name)[0] or "application/octet-stream"


def _caching(path: Path, folder: Path) -> str:
    return _FOR_GOOD if path.parent == folder / "assets" else _ANEW


def make_router(web: Web) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.api_route("/", methods=["GET", "HEAD"])
    async def index() -> HTMLResponse:
        nonce = secrets.token_urlsafe(16)
        page = web.index.replace(_NONCE, f'name="csp-nonce" content="{nonce}"', 1)
        return HTMLResponse(page, headers={"Content-Security-Policy": policy(nonce), "Cache-Control": "no-store"})

    async def file(request: Request) -> Response:
        found = web.files[request.url.path]
        if found.plain is None:
            found.read()
        headers = {"Cache-Control": found.caching, "ETag": found.tag, "Vary": "Accept-Encoding"}
        if request.url.path == _WORKER:
            headers["Content-Security-Policy"] = _WORKERS_POLICY
        if request.headers.get("if-none-match") == found.tag:
            return Response(status_code=304, headers=headers)
        body = found.plain
        if found.shrunk is not None and "gzip" in request.headers.get("accept-encoding", ""):
            body = found.shrunk
            headers["Content-Encoding"] = "gzip"
        return Response(body, media_type=found.media_type, headers=headers)

    for path in web.files:
        router.add_api_route(path, file, methods=["GET", "HEAD"])
    return router
