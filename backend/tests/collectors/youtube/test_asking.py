"""Requests to YouTube: where they go, what they carry there, and where they are led."""

import pytest

from extrophi_backend.accounts.cookies import Cookie
from extrophi_backend.collectors.youtube.asking import Asked, YouTube
from extrophi_backend.errors import Refused
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.fetch.errors import FetchFailed, Wait
from tests.platforms.youtube import Reply, YouTubeServer

OWN = (
    Cookie("SID", "for-all", "youtube.com", host_only=False, secure=True),
    Cookie("WWW", "for-www", "www.youtube.com", host_only=True),
    Cookie("NID", "for-google", "google.com", host_only=False),
)
PAGE = "https://www.youtube.com/page"


@pytest.fixture
def youtube(server: YouTubeServer, fetcher: Fetcher) -> YouTube:
    server.replies["/page"] = Reply("Here.")
    return YouTube(fetcher, f"{server.base}/")


@pytest.mark.parametrize(
    ("host", "cookies"),
    [
        ("www.youtube.com", "SID=for-all; WWW=for-www"),
        ("m.youtube.com", "SID=for-all"),
        ("music.youtube.com", "SID=for-all"),
        ("youtubei.googleapis.com", None),
        ("www.youtube-nocookie.com", None),
    ],
)
async def test_a_base_address_stands_for_all_hosts_of_youtube_and_gets_the_cookies_of_each(
    server: YouTubeServer, youtube: YouTube, host: str, cookies: str | None
) -> None:
    answered = await youtube.ask(Asked(f"https://{host}/page?a=1"), OWN)
    assert answered.response.text == "Here."
    assert answered.url == f"https://{host}/page?a=1"
    ((path, headers, _),) = server.asked
    assert (path, headers.get("Cookie")) == ("/page?a=1", cookies)
    assert headers["Accept-Language"] == "en"


@pytest.mark.parametrize("place", ["/page", "https://www.youtube.com/page", "{base}/page"])
async def test_a_redirect_within_youtube_is_followed(server: YouTubeServer, youtube: YouTube, place: str) -> None:
    server.replies["/old"] = Reply("", 302, headers={"Location": place.format(base=server.base)})
    asked = Asked("https://www.youtube.com/old", {"Authorization": "secret"}, "POST", b"{}")
    answered = await youtube.ask(asked, OWN)
    assert (answered.url, answered.response.text) == (PAGE, "Here.")
    assert [body for _, _, body in server.asked] == [b"{}", b""]
    assert all(headers["Authorization"] == "secret" for _, headers, _ in server.asked)


async def test_what_was_meant_for_one_host_goes_to_no_other(server: YouTubeServer, youtube: YouTube) -> None:
    server.replies["/old"] = Reply("", 307, headers={"Location": "https://youtubei.googleapis.com/page"})
    await youtube.ask(Asked("https://www.youtube.com/old", {"Authorization": "secret"}), OWN)
    _, (_, headers, _) = server.asked
    assert "Authorization" not in headers
    assert "Cookie" not in headers


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("https://consent.youtube.com/m?continue=x", "consent_page"),
        ("https://consent.google.co.uk/ml", "consent_page"),
        ("https://accounts.google.com/ServiceLogin", "login_needed"),
    ],
)
async def test_a_page_in_the_place_of_all_others_is_refused_by_name(
    server: YouTubeServer, youtube: YouTube, place: str, code: str
) -> None:
    server.replies["/old"] = Reply("", 302, headers={"Location": place})
    with pytest.raises(Refused) as refusal:
        await youtube.ask(Asked("https://www.youtube.com/old"))
    assert refusal.value.code == code


async def test_being_held_for_a_robot_is_waited_for_by_all(server: YouTubeServer, youtube: YouTube) -> None:
    server.replies["/old"] = Reply("", 302, headers={"Location": "https://www.google.com/sorry/index?continue=x"})
    for address in ("https://www.youtube.com/old", PAGE):
        with pytest.raises(Wait) as wait:
            await youtube.ask(Asked(address))
        assert wait.value.seconds == pytest.approx(3600, abs=5)
    assert len(server.asked) == 1


async def test_going_round_in_circles_ends(server: YouTubeServer, youtube: YouTube) -> None:
    server.replies["/old"] = Reply("", 302, headers={"Location": "/old"})
    with pytest.raises(FetchFailed) as failure:
        await youtube.ask(Asked("https://www.youtube.com/old"))
    assert failure.value.code == "too_many_redirects"


async def test_a_redirect_to_what_is_private_is_refused(server: YouTubeServer, youtube: YouTube) -> None:
    server.replies["/old"] = Reply("", 302, headers={"Location": "http://169.254.169.254/latest/meta-data"})
    with pytest.raises(FetchFailed) as failure:
        await youtube.ask(Asked("https://www.youtube.com/old"))
    assert failure.value.code == "forbidden_address"


def test_what_is_asked_for_shows_no_credentials() -> None:
    assert "secret" not in repr(Asked(PAGE, {"Authorization": "secret"}))
