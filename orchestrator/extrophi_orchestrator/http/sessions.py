"""A browser off loopback trades its key for a cookie that scripts cannot read."""

from fastapi import APIRouter, Request, Response

from extrophi_orchestrator.errors import ForeignOrigin
from extrophi_orchestrator.http.access import COOKIE, SESSION_SECONDS, Asker
from extrophi_orchestrator.http.problems import responses

router = APIRouter(prefix="/api/session", tags=["session"])


@router.post("", status_code=204, summary="Trade a key (as a bearer token) for a cookie", responses=responses())
async def enter(request: Request) -> Response:
    """The cookie is HttpOnly and SameSite=Strict, holds no key, and ends after 30 days. On loopback none is needed."""
    _of_our_page(request)
    response = Response(status_code=204)
    asker: Asker = request.state.asker
    if asker.key is not None:
        value = request.app.state.access.make_cookie(asker.key)
        _set(request, response, value, SESSION_SECONDS)
    return response


@router.delete("", status_code=204, summary="Give the cookie back", responses=responses())
async def leave(request: Request) -> Response:
    _of_our_page(request)
    response = Response(status_code=204)
    _set(request, response, "", 0)
    return response


def _of_our_page(request: Request) -> None:
    if request.state.asker.foreign:
        raise ForeignOrigin("A cookie is for our own page.", hint="Send the key as a bearer token with each request.")


def _set(request: Request, response: Response, value: str, seconds: int) -> None:
    secure = request.headers.get("origin", "").startswith("https://")  # the browser knows what is in front of us
    response.set_cookie(COOKIE, value, max_age=seconds, path="/", httponly=True, samesite="strict", secure=secure)
