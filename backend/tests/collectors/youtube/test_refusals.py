"""Each refusal of YouTube's has a code of its own, whether it is of the target or of one video among many."""

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extrophi_backend.collectors.youtube.collector import YouTubeCollector
from extrophi_backend.collectors.youtube.parse import chosen, unknown_parts, video_of
from extrophi_backend.collectors.youtube.reading import player_of
from extrophi_backend.collectors.youtube.refusals import is_rate_limit, refusal_in_words, refusal_of
from extrophi_backend.collectors.youtube.writing import document
from extrophi_backend.errors import BackendError, PlatformUnavailable, Refused
from extrophi_backend.sources.states import reason_of, state_of
from tests.collecting import Library
from tests.platforms.youtube import (
    MadeComment,
    MadeTrack,
    MadeVideo,
    Reply,
    YouTubeServer,
    json3,
    recorded,
    refused,
    target,
    video_id,
)

ONE = video_id(1)
URL = f"https://www.youtube.com/watch?v={ONE}"
BEGINS = "1798761600"  # 2027-01-01, 00:00 UTC
SLATE = {"liveStreamOfflineSlateRenderer": {"scheduledStartTime": BEGINS}}
OFFLINE = {"liveStreamabilityRenderer": {"offlineSlate": SLATE}}
SIGN_IN = "Sign in to confirm you’re not a bot"

REFUSALS: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "private": (
        refused("LOGIN_REQUIRED", "Private video", "Sign in if you've been granted access to this video"),
        {},
        "private",
        "It is private.",
    ),
    "private by a field": (refused("ERROR", "Nanu"), {"isPrivate": True}, "private", "It is private."),
    "private by a message": (
        {"status": "LOGIN_REQUIRED", "messages": ["This is a private video. Please sign in to verify …"]},
        {},
        "private",
        "It is private.",
    ),
    "members by their offer": (
        refused(
            "UNPLAYABLE", "Nanu", screen={"playerLegacyDesktopYpcOfferRenderer": {"offerId": "sponsors_only_video"}}
        ),
        {},
        "members_only",
        "It is for members",
    ),
    "members": (
        refused("UNPLAYABLE", "Join this channel to get access to members-only content like this video."),
        {},
        "members_only",
        "It is for members",
    ),
    "age": (refused("LOGIN_REQUIRED", "Sign in to confirm your age"), {}, "age_restricted", "people of an age"),
    "age by its status": (refused("AGE_VERIFICATION_REQUIRED", "Nanu"), {}, "age_restricted", "people of an age"),
    "age by its gate": (
        refused("UNPLAYABLE", "Nanu", desktopLegacyAgeGateReason=1),
        {},
        "age_restricted",
        "people of an age",
    ),
    "live": ({"status": "OK"}, {"isLive": True, "isLiveContent": True}, "not_yet", "live now"),
    "upcoming": (
        refused("LIVE_STREAM_OFFLINE", "This live event will begin in 2 hours.", liveStreamability=OFFLINE),
        {"isUpcoming": True, "isLiveContent": True},
        "not_yet",
        "2027-01-01 at 00:00 UTC",
    ),
    "premiere": (
        refused("LIVE_STREAM_OFFLINE", "Premieres in 3 days", liveStreamability=OFFLINE),
        {},
        "not_yet",
        "2027-01-01",
    ),
    "after it was live": (
        {"status": "OK"},
        {"isPostLiveDvr": True, "isLiveContent": True},
        "not_yet",
        "works on the recording",
    ),
    "uploaded just now": (
        refused("ERROR", "We're processing this video. Check back later."),
        {},
        "not_yet",
        "still works on it",
    ),
    "live that was not recorded": (
        refused("LIVE_STREAM_OFFLINE", "This live stream recording is not available."),
        {},
        "not_found",
        "no more",
    ),
    "deleted": (
        refused("ERROR", "Video unavailable", "This video has been removed by the uploader"),
        {},
        "removed",
        "Its uploader deleted it.",
    ),
    "terminated": (
        refused(
            "ERROR",
            "Video unavailable",
            "This video is no longer available because the YouTube account associated with it has been terminated.",
        ),
        {},
        "removed",
        "was terminated",
    ),
    "copyright": (
        refused("ERROR", "Video unavailable", "This video is no longer available due to a copyright claim by X."),
        {},
        "removed",
        "copyright claim",
    ),
    "rules": (
        refused("ERROR", "This video has been removed for violating YouTube's Community Guidelines"),
        {},
        "removed",
        "YouTube removed it.",
    ),
    "no such video": (refused("ERROR", "This video is unavailable"), {}, "not_found", "no more"),
    "error of no known kind": (refused("ERROR", "Nanu"), {}, "not_found", "“Nanu”"),
    "bot check": (refused("LOGIN_REQUIRED", SIGN_IN), {}, "bot_check", "whether a person asks"),
    "captcha in the player": (
        refused("LOGIN_REQUIRED", "Nanu", screen={"playerCaptchaViewModel": {"x": 1}}),
        {},
        "bot_check",
        "whether a person asks",
    ),
    "sign in": (refused("LOGIN_REQUIRED", "Please sign in"), {}, "login_needed", "signed in"),
    "country": (
        refused("UNPLAYABLE", "Video unavailable", "The uploader has not made this video available in your country"),
        {},
        "not_in_this_country",
        "country",
    ),
    "blocked in a country": (
        refused(
            "ERROR",
            "Video unavailable",
            "It contains content from X, who has blocked it in your country on copyright grounds",
        ),
        {},
        "not_in_this_country",
        "country",
    ),
    "payment": (
        refused("UNPLAYABLE", "This video requires payment to watch"),
        {},
        "payment_needed",
        "paid for it",
    ),
    "a film's trailer": (
        refused(
            "UNPLAYABLE",
            "Nanu",
            screen={"playerLegacyDesktopYpcTrailerRenderer": {"trailerVideoId": video_id(2)}},
        ),
        {},
        "payment_needed",
        "paid for it",
    ),
    "premium": (
        refused("UNPLAYABLE", "This video is only available to Music Premium members"),
        {},
        "payment_needed",
        "paid for it",
    ),
    "of no known kind": (refused("UNPLAYABLE", "Nanu"), {}, "unplayable", "“Nanu”"),
}


@pytest.mark.parametrize("kind", REFUSALS)
async def test_a_refused_target_ends_the_job_with_its_code(
    server: YouTubeServer, collector: YouTubeCollector, kind: str
) -> None:
    playability, details, code, told = REFUSALS[kind]
    server.videos[ONE] = MadeVideo(playability=playability, details=details)
    server.videos[video_id(2)] = MadeVideo("The trailer", tracks=[MadeTrack(json3([(0, "Soon.")]))])
    library = Library()
    with pytest.raises(Refused) as refusal:
        await library.collect(collector, target(URL))
    assert refusal.value.code == code
    assert told in refusal.value.detail
    assert not library.documents
    assert not library.failures
    assert server.requests.pop("player", 0) == (1 if kind in {"age", "age by its gate"} else 0)
    assert server.requests == {"watch": 1}


@pytest.mark.parametrize("kind", REFUSALS)
async def test_a_refused_video_of_a_list_is_its_own_failure(
    server: YouTubeServer, collector: YouTubeCollector, kind: str
) -> None:
    playability, details, code, _ = REFUSALS[kind]
    first, last = server.add_videos(2, "w")
    server.videos[ONE] = MadeVideo(playability=playability, details=details)
    server.playlists["PLlist"] = [first, ONE, last]
    library = Library()
    await library.collect(collector, target("youtube.com/playlist?list=PLlist"))
    assert list(library.documents) == [first, last]
    assert [(one.target, one.code) for one in library.failures] == [(URL, code)]


def test_every_code_has_a_state_and_a_next_step() -> None:
    codes = {code for _, _, code, _ in REFUSALS.values()} | {"consent_page", "token_missing", "rate_limited"}
    assert all(reason_of(code, "").hint for code in codes)
    assert {code for code in codes if state_of(code) == "failed"} == {"unplayable"}


async def test_what_one_has_to_say_to_want_to_see_is_said(server: YouTubeServer, collector: YouTubeCollector) -> None:
    """What warns of its content is played to who says so: others than the page are asked with that word."""
    page = {"playabilityStatus": refused("CONTENT_CHECK_REQUIRED", "The following content may be about suicide.")}
    description = "0:00 Begin\n0:01 Middle\n0:02 End"
    server.videos[ONE] = MadeVideo(description=description, tracks=[MadeTrack(json3([(0, "Said.")]))])
    made = f"<script>var ytInitialPlayerResponse = {json.dumps(page)};</script>"
    server.replies["/watch"] = Reply(made)
    library = Library()
    await library.collect(collector, target(URL))
    assert library.documents[ONE].text == f"{description}\n\nBegin\n\nSaid.\n\nMiddle\n\nEnd"
    (asked,) = [json.loads(body) for path, _, body in server.asked if path.startswith("/youtubei/v1/player")]
    assert (asked["contentCheckOk"], asked["racyCheckOk"]) == (True, True)


async def test_three_bot_checks_in_a_row_end_the_job(server: YouTubeServer, collector: YouTubeCollector) -> None:
    good = server.add_videos(1, "w")
    checked = server.add_videos(5, "x", playability=refused("LOGIN_REQUIRED", SIGN_IN))
    server.playlists["PLlist"] = [*checked[:2], *good, *checked[2:]]
    library = Library()
    with pytest.raises(Refused) as refusal:
        await library.collect(collector, target("youtube.com/playlist?list=PLlist"))
    assert refusal.value.code == "bot_check"
    assert list(library.documents) == good
    assert [one.code for one in library.failures] == ["bot_check"] * 5
    server.playlists["PLlist"].append(video_id(9))
    assert server.requests["watch"] == 6


@pytest.mark.parametrize("place", ["https://consent.youtube.com/m?continue=x", "https://consent.google.de/ml"])
@pytest.mark.parametrize("address", [URL, "youtube.com/playlist?list=PLlist", "youtube.com/@made"])
async def test_a_consent_page_ends_the_job(
    server: YouTubeServer, collector: YouTubeCollector, place: str, address: str
) -> None:
    server.playlists["PLlist"] = server.add_videos(3)
    for path in ("/watch", "/playlist", "/@made/featured"):
        server.replies[path] = Reply("", 302, headers={"Location": place})
    with pytest.raises(Refused) as refusal:
        await Library().collect(collector, target(address))
    assert refusal.value.code == "consent_page"
    assert sum(server.requests.values()) == 1


async def test_a_consent_page_in_the_middle_of_a_list_ends_it(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    server.playlists["PLlist"] = server.add_videos(3)
    server.replies["/watch"] = Reply("", 302, headers={"Location": "https://consent.youtube.com/m"})
    library = Library()
    with pytest.raises(Refused) as refusal:
        await library.collect(collector, target("youtube.com/playlist?list=PLlist"))
    assert refusal.value.code == "consent_page"
    assert server.requests["watch"] == 1


async def test_a_session_that_asks_too_much_is_left_alone(server: YouTubeServer, collector: YouTubeCollector) -> None:
    server.videos[ONE] = MadeVideo(playability=refused("UNPLAYABLE", "This content isn't available, try again later."))
    with pytest.raises(PlatformUnavailable) as busy:
        await Library().collect(collector, target(URL))
    assert busy.value.retry_after == 3600


@pytest.mark.parametrize(
    ("alert", "code"),
    [
        ("The playlist does not exist.", "not_found"),
        ("This playlist is private.", "private"),
        ("This playlist is unavailable due to a copyright claim.", "removed"),
    ],
)
async def test_a_playlist_that_is_refused_says_why(
    server: YouTubeServer, collector: YouTubeCollector, alert: str, code: str
) -> None:
    server.alerts["PLlist"] = alert
    with pytest.raises(Refused) as refusal:
        await Library().collect(collector, target("youtube.com/playlist?list=PLlist"))
    assert refusal.value.code == code
    assert alert in refusal.value.detail


async def test_a_channel_that_is_no_more_says_why(server: YouTubeServer, collector: YouTubeCollector) -> None:
    one = server.add_channel("gone", [], "@gone")
    alert = "This account has been terminated for violating YouTube's Community Guidelines."
    server.channels[one].alert = alert
    for address in ("youtube.com/@gone", f"youtube.com/channel/{one}"):
        with pytest.raises(Refused) as refusal:
            await Library().collect(collector, target(address))
        assert refusal.value.code == "removed"
        assert "was terminated" in refusal.value.detail
    for address in ("youtube.com/@nobody", "youtube.com/channel/UCnobody________________"):
        with pytest.raises(Refused) as refusal:
            await Library().collect(collector, target(address))
        assert refusal.value.code == "not_found"


async def test_a_video_that_vanished_is_gone_and_stays(server: YouTubeServer, collector: YouTubeCollector) -> None:
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(json3([(0, "Said.")]))])
    library = Library()
    await library.collect(collector, target(URL))
    del server.videos[ONE]
    with pytest.raises(Refused):
        await library.collect(collector, target(URL))
    assert library.gone == {ONE}
    library.gone.clear()
    await library.collect(collector, target(URL), purpose="revisit", revisit=[ONE])
    assert library.gone == {ONE}
    assert library.documents[ONE].text.endswith("Said.")


def _damage(value: Any, chance: random.Random) -> Any:
    """The same without a random part, or with one of another type."""
    value = copy.deepcopy(value)
    places: list[tuple[Any, Any]] = []
    todo = [value]
    while todo:
        holder = todo.pop()
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        places += [(holder, key) for key in keys]
        todo += [holder[key] for key in keys if isinstance(holder[key], dict | list)]
    for holder, key in chance.sample(places, min(4, len(places))):
        if isinstance(holder, dict) and key in holder and chance.random() < 0.5:
            del holder[key]
        elif isinstance(holder, dict):
            holder[key] = chance.choice([None, 0, -1, 1e400, "x", "\ud800", [], {}, True, [{}], {"runs": "x"}])
    return value


_READ = ("playabilityStatus", "videoDetails", "captions", "microformat")
PLAYER = {name: part for name, part in player_of(recorded("youtube.html")).items() if name in _READ}
INFO = {
    "id": ONE,
    "title": "A video",
    "description": "Words",
    "timestamp": 1,
    "upload_date": "20260131",
    "release_timestamp": 2,
    "subtitles": {"en": [{"ext": "json3", "url": "https://www.youtube.com/api/timedtext?lang=en"}]},
    "automatic_captions": {"de-orig": [{"ext": "json3", "url": "https://www.youtube.com/api/timedtext?lang=de"}]},
    "chapters": [{"start_time": 0, "title": "Begin"}],
    "comments": [{"id": "a", "parent": "root", "text": "Hm.", "timestamp": 3, "like_count": 1}],
    "formats": [{"url": "https://x/", "vcodec": "none", "acodec": "opus", "tbr": 1, "ext": "webm"}],
}


@given(st.integers(0, 2**32))
def test_no_answer_to_the_player_is_a_crash(seed: int) -> None:
    chance = random.Random(seed)
    player, info = _damage(PLAYER, chance), _damage(INFO, chance)
    refusal = refusal_of(player)
    assert refusal is None or (refusal.code and refusal.detail)
    assert is_rate_limit(player) in {True, False}
    video = video_of(info, player, ONE)
    assert chosen(video, []) in {None, *video.tracks}
    assert document(video, None, comments=True).external_id == ONE
    assert all(unknown_parts(player).values())


@given(st.text())
def test_no_sentence_is_a_crash(said: str) -> None:
    refusal = refusal_in_words(said)
    assert refusal is None or (refusal.code and refusal.detail)


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_youtube_sends_is_read_or_refused_by_name(
    server: YouTubeServer, collector: YouTubeCollector, seed: int
) -> None:
    """Pages, lists and answers with parts missing or of another type: a document or a name for what is wrong."""
    chance = random.Random(seed)
    comments = [MadeComment("UgA", "Hm.", replies=[MadeComment("UgA.1", "No.")])]
    kept = server.videos[ONE] = MadeVideo(
        tracks=[MadeTrack(json3([(0, "Said.")]), automatic=True)], comments=comments, chapters=[(0, "Begin")]
    )
    server.playlists["PLlist"] = [ONE]
    whole = server.damage
    for _ in range(40):
        server.damage = lambda one: _damage(one, chance)
        server.videos[ONE].needs_token = chance.random() < 0.3
        library = Library()
        address = chance.choice([f"{URL}#comments", "youtube.com/playlist?list=PLlist"])
        codes = [one.code for one in library.failures]
        try:
            await library.collect(collector, target(address))
        except BackendError as error:
            codes.append(error.code)
        codes += [one.code for one in library.failures]
        assert "internal" not in codes
        assert codes or library.documents or address.startswith("youtube.com/playlist")
    server.damage = whole
    server.videos[ONE] = kept
    library = Library()
    await library.collect(collector, target(URL))
    assert library.documents[ONE].text.endswith("Said.")
