"""Videos of a local YouTube, collected as a job collects them: what becomes of each, and what it costs."""

import json
import logging
import subprocess
import sys
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from extrophi_backend.accounts.cookies import Cookie
from extrophi_backend.collectors.models import Anchor, Collected, Page, Run
from extrophi_backend.collectors.youtube.collector import YouTubeCollector, make_collector
from extrophi_backend.errors import PlatformUnavailable, Refused
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.fetch.pace import Pace
from tests.collecting import LOOPBACK, Library
from tests.platforms.youtube import (
    RECORDED_ID,
    MadeComment,
    MadeTrack,
    MadeVideo,
    Reply,
    Wallet,
    YouTubeServer,
    json3,
    recorded,
    refused,
    target,
    video_id,
)

ONE = video_id(1)
URL = f"https://www.youtube.com/watch?v={ONE}"
SAID = json3([(0, "Hello"), (2.4, "there.")])


async def look(collector: YouTubeCollector, address: str = URL, library: Library | None = None) -> Collected:
    library = library or Library()
    await library.collect(collector, target(address))
    assert library.cursor == {"done": True}
    (document,) = library.documents.values()
    return document


async def test_the_recorded_video_is_stored_field_by_field(server: YouTubeServer, collector: YouTubeCollector) -> None:
    """Its page keeps captions for who has a token; what other players are told has them."""
    player, captions = recorded("youtube.innertube.json"), recorded("transcript.xml")
    server.videos[RECORDED_ID] = MadeVideo(page=recorded("youtube.html"), player=player)
    server.replies["/api/timedtext"] = Reply(captions, media_type="text/xml")
    library = Library()
    document = await look(collector, f"youtu.be/{RECORDED_ID}", library)
    details = json.loads(player)["videoDetails"]
    url = f"https://www.youtube.com/watch?v={RECORDED_ID}"
    assert not library.failures
    assert (document.platform, document.external_id, document.url) == ("youtube", RECORDED_ID, url)
    assert document.title == "Surface Go Review - It’s Awesome"
    assert document.title == details["title"]
    assert document.author == details["author"] == "Dave2D"
    assert document.published_at == datetime(2018, 8, 2, 13, 0, 8, tzinfo=UTC)
    assert (document.language, document.format) == ("en", "text")
    assert document.text.startswith(details["shortDescription"])
    assert document.anchors[0] == Anchor(0, url=url)
    seconds = {anchor.seconds: document.text[anchor.offset :] for anchor in document.anchors[1:]}
    for start, text in (
        (0.0, "Hey, this is just a test"),
        (1.54, "this is not the original transcript"),
        (5.7, "just something shorter, I made up for testing"),
    ):
        assert seconds[start].startswith(text)
    headings = [document.text[block.start : block.end] for block in document.blocks if block.level == 2]
    assert headings[-2:] == ["Gaming Performance", "Ports"]
    assert server.requests == {"watch": 1, "player": 1, "captions": 1}
    assert document.capture is not None
    kept = json.loads(document.capture.body)
    assert kept["videoDetails"]["videoId"] == RECORDED_ID
    assert kept["captions"]["body"] == captions.decode()
    assert b"visitor" not in document.capture.body
    assert b"signature=" not in document.capture.body


async def test_a_recorded_video_without_captions_keeps_its_description(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    player = recorded("youtube_transcripts_disabled.innertube.json")
    details = json.loads(player)["videoDetails"]
    server.videos[details["videoId"]] = MadeVideo(
        page=b"<html><body>Nothing for a player.</body></html>", player=player, author=details["author"]
    )
    library = Library()
    document = await look(collector, f"https://www.youtube.com/watch?v={details['videoId']}", library)
    assert document.title == details["title"]
    assert (document.text, document.author) == (details["shortDescription"], details["author"])
    assert [(one.target, one.code) for one in library.failures] == [(document.url, "no_captions")]


async def test_a_video_costs_two_requests(server: YouTubeServer, collector: YouTubeCollector) -> None:
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)], chapters=[(0, "Begin"), (2, "End")])
    document = await look(collector)
    assert document.text == "What it is about.\n\nBegin\n\nHello\n\nEnd\n\nthere."
    assert document.published_at == datetime(2026, 1, 31, 20, tzinfo=UTC)
    assert server.requests == {"watch": 1, "captions": 1}
    assert all("Extrophi/" in headers["User-Agent"] for _, headers, _ in server.asked)


@pytest.mark.parametrize(
    "form",
    [
        "{} {}",
        "{} - {}",
        "0{}: {}",
        "({}) {}",
        "[0{}] {}",
        "• {} {}",
        "- {} – {}",
        "1. {} {}",
        "2) 00:0{} {}",
        "1️⃣ {} | {}",
        "{1} {0}",
        "{1} - {0}",
        "{1}: ({0})",
    ],
)
async def test_chapters_may_stand_in_the_description(
    server: YouTubeServer, collector: YouTubeCollector, form: str
) -> None:
    chapters = [("0:00", "Begin"), ("0:02", "Middle (1)"), ("9:59", "End")]
    description = "\n".join(["Live at 18:00", "Chapters:", *(form.format(*one) for one in chapters), "18:30 Uhr: Ende"])
    server.videos[ONE] = MadeVideo(description=description, tracks=[MadeTrack(SAID)])
    document = await look(collector)
    assert document.text == f"{description}\n\nBegin\n\nHello\n\nMiddle (1)\n\nthere.\n\nEnd"


@pytest.mark.parametrize(
    "description",
    [
        "Live every Friday 0:01",
        "0:01 Uhr: Treffpunkt",
        "0:00 Begin\n0:01 End",
        "0:01 Begin\n0:02 Middle\n0:03 End",
        "0:00 Begin\n0:02 Middle\n0:01 End",
        "0:00 Begin\n0:01 Middle\n18:00 End",
        "-" * 100_000 + "0:00" + " :" * 100_000,
    ],
)
async def test_not_every_time_is_a_chapter(
    server: YouTubeServer, collector: YouTubeCollector, description: str
) -> None:
    server.videos[ONE] = MadeVideo(description=description, tracks=[MadeTrack(SAID)])
    document = await look(collector)
    assert document.text.removeprefix(description) == "\n\nHello there."


async def test_the_pages_own_chapters_come_first(server: YouTubeServer, collector: YouTubeCollector) -> None:
    description = "0:00 Begin\n0:01 Middle\n0:02 End"
    server.videos[ONE] = MadeVideo(description=description, tracks=[MadeTrack(SAID)], chapters=[(0, "All")])
    assert (await look(collector)).text == f"{description}\n\nAll\n\nHello there."


def spoken(language: str, *, automatic: bool = False) -> MadeTrack:
    name = f"{'automatic' if automatic else 'manual'} {language}"
    return MadeTrack(json3([(0, name)]), language, automatic)


@pytest.mark.parametrize(
    ("tracks", "languages", "taken"),
    [
        ([spoken("en", automatic=True), spoken("en")], (), "manual en"),
        ([spoken("de", automatic=True), spoken("fr"), spoken("de")], (), "manual de"),
        ([spoken("de", automatic=True), spoken("fr"), spoken("en")], (), "manual en"),
        ([spoken("de", automatic=True)], (), "automatic de"),
        ([spoken("de", automatic=True), spoken("fr")], ("fr",), "manual fr"),
        ([spoken("en", automatic=True), spoken("fr")], ("en",), "automatic en"),
        ([spoken("fr"), spoken("en-GB")], ("en",), "manual en-GB"),
        ([spoken("en-GB"), spoken("en")], ("en",), "manual en"),
        ([spoken("pt-BR")], ("pt-PT", "en"), "manual pt-BR"),
        ([spoken("ja"), spoken("ko", automatic=True)], ("de", "en"), "manual ja"),
        ([spoken("ja", automatic=True)], ("de", "en"), "automatic ja"),
    ],
)
async def test_captions_are_chosen_by_who_wrote_them_and_by_language(
    server: YouTubeServer, fetcher: Fetcher, tracks: list[MadeTrack], languages: tuple[str, ...], taken: str
) -> None:
    server.videos[ONE] = MadeVideo(description="", tracks=tracks)
    collector = make_collector(fetcher, Wallet(), youtube_url=server.base, languages=languages)
    document = await look(collector)
    kind, _, language = taken.partition(" ")
    assert document.text == taken
    assert (document.validators["captions"], document.language) == (kind, language)
    # YouTube offers a translation of the automatic ones into every language: that is nobody's word.
    assert "tlang" not in "".join(path for path, _, _ in server.asked)


async def test_captions_that_need_a_token_are_asked_for_as_others_ask(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)], needs_token=True)
    assert (await look(collector)).text.endswith("Hello there.")
    assert server.requests == {"watch": 1, "player": 1, "captions": 1}


async def test_captions_that_only_a_token_opens_are_missing_by_name(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    page = {
        "captions": {
            "playerCaptionsTracklistRenderer": {
                "captionTracks": [
                    {
                        "baseUrl": f"https://www.youtube.com/api/timedtext?v={ONE}&lang=en&exp=xpe",
                        "vssId": ".en",
                        "languageCode": "en",
                    }
                ]
            }
        }
    }
    server.videos[ONE] = MadeVideo(
        details={"title": "Kept"},
        player=json.dumps({"playabilityStatus": {"status": "OK"}, "videoDetails": {"videoId": ONE}, **page}).encode(),
        tracks=[MadeTrack(SAID)],
        needs_token=True,
    )
    library = Library()
    document = await look(collector, library=library)
    assert (document.title, document.text, document.language) == ("Kept", "What it is about.", None)
    assert [one.code for one in library.failures] == ["token_missing"]
    assert "captions" not in server.requests


async def test_what_is_not_given_to_other_players_is_as_its_page_says(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    """Videos for children are not: that makes them neither private nor gone."""
    player = json.dumps({"playabilityStatus": refused("UNPLAYABLE", "This video is unavailable")}).encode()
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)], needs_token=True, player=player)
    library = Library()
    assert (await look(collector, library=library)).text == "What it is about."
    assert [one.code for one in library.failures] == ["token_missing"]
    assert not library.gone


async def test_empty_captions_are_a_missing_token_unless_others_get_more(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(b"")])
    library = Library()
    assert (await look(collector, library=library)).text == "What it is about."
    assert [one.code for one in library.failures] == ["token_missing"]
    assert server.requests == {"watch": 1, "player": 1, "captions": 2}


async def test_captions_that_nobody_can_read_are_a_failure_of_their_own(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(b"<html>Oops</html>")])
    library = Library()
    assert (await look(collector, library=library)).text == "What it is about."
    assert [one.code for one in library.failures] == ["unreadable_answer"]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (f"{datetime.now(UTC) - timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}", "captions_later"),
        (f"{datetime.now(UTC) - timedelta(hours=23):%Y-%m-%dT%H:%M:%SZ}", "captions_later"),
        (f"{datetime.now(UTC) - timedelta(hours=25):%Y-%m-%dT%H:%M:%SZ}", "no_captions"),
        (f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}", "captions_later"),
        (f"{datetime.now(UTC) - timedelta(days=3):%Y-%m-%d}", "no_captions"),
        (None, "no_captions"),
    ],
    # Of the moment they must not tell: each process that runs them has its own.
    ids=["2 hours", "23 hours", "25 hours", "yesterday", "3 days", "unknown"],
)
async def test_a_new_video_may_get_its_captions_later(
    server: YouTubeServer, collector: YouTubeCollector, written: str | None, code: str
) -> None:
    server.videos[ONE] = MadeVideo(published=written)
    library = Library()
    document = await look(collector, library=library)
    assert (document.published_at is None) == (written is None)
    assert document.text == "What it is about."
    assert [(one.target, one.code) for one in library.failures] == [(URL, code)]
    assert document.validators["captions"] == ("later" if code == "captions_later" else "none")


async def test_what_is_said_stays_when_it_cannot_be_had_any_more(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)])
    library = Library()
    before = await look(collector, library=library)
    server.videos[ONE].tracks = [MadeTrack(b"")]
    assert await look(collector, library=library) == before
    assert [one.code for one in library.failures] == ["token_missing"]
    server.videos[ONE].tracks = []
    assert await look(collector, library=library) == before
    assert [one.code for one in library.failures] == ["no_captions"]


async def test_a_run_for_what_is_new_asks_for_no_known_video(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)])
    library = Library()
    await library.collect(collector, target(URL), purpose="new")
    pages = await library.collect(collector, target(URL), purpose="new")
    assert sum(page.known for page in pages) == 1
    assert server.requests == {"watch": 1, "captions": 1}


async def test_a_second_run_changes_nothing(server: YouTubeServer, collector: YouTubeCollector) -> None:
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)], comments=[MadeComment("Ug1", "Hm.")])
    library = Library()
    for _ in range(2):
        await look(collector, f"{URL}#comments", library)
    assert library.versions == {ONE: 1}


COMMENTS = [
    MadeComment(
        "UgA",
        "First!\n\nAnd more.",
        "@ada",
        "1.2K",
        "3 years ago",
        [
            MadeComment("UgA.1", "Not so.", "@bob", "0", "1 day ago"),
            MadeComment("UgA.2", "Indeed 🙂", "@eve", "", "just so"),
        ],
    ),
    *(MadeComment(f"Ug{number:03}", f"Comment {number}.") for number in range(44)),
]


async def test_comments_come_on_request_each_with_its_own_link(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)], comments=COMMENTS)
    document = await look(collector, f"{URL}#comments")
    assert document.text.startswith("What it is about.\n\nHello there.\n\nComments\n\nFirst!\n\nAnd more.\n\nNot so.")
    told = [anchor for anchor in document.anchors if anchor.depth is not None]
    assert len(told) == 47
    assert [(one.url, one.author, one.depth, one.score) for one in told[:4]] == [
        (f"{URL}&lc=UgA", "@ada", 0, 1200),
        (f"{URL}&lc=UgA.1", "@bob", 1, 0),
        (f"{URL}&lc=UgA.2", "@eve", 1, None),
        (f"{URL}&lc=Ug000", "@reader", 0, 7),
    ]
    assert all(document.text.startswith("Comment", one.offset) for one in told[3:])
    assert told[0].published_at is not None
    assert abs(told[0].published_at - datetime.now(UTC) + timedelta(days=3 * 365)) < timedelta(days=30)
    assert told[2].published_at is None
    begins = [block.start for block in document.blocks if block.begins]
    assert begins == [one.offset for one in told]
    assert server.requests == {"watch": 1, "next": 5, "captions": 1}


async def test_comments_once_asked_for_stay(server: YouTubeServer, collector: YouTubeCollector) -> None:
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)], comments=[MadeComment("Ug1", "Hm.")])
    library = Library()
    before = await look(collector, f"{URL}#comments", library)
    assert (await look(collector, URL, library)).text == before.text


async def test_a_comment_of_nobody_is_not_the_channels(server: YouTubeServer, collector: YouTubeCollector) -> None:
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)], comments=[MadeComment("Ug1", "Hm.", author="")])
    document = await look(collector, f"{URL}#comments")
    assert (document.author, document.anchors[-1].author) == ("A channel", "unknown")


async def test_comments_that_cannot_be_read_are_counted(server: YouTubeServer, collector: YouTubeCollector) -> None:
    answer = MadeComment("UgA.1", "An answer.")
    comments = [MadeComment("UgA", "", replies=[answer]), MadeComment("UgB", " "), MadeComment("UgC", "Read.")]
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)], comments=comments)
    library = Library()
    document = await look(collector, f"{URL}#comments", library)
    assert document.text.endswith("Comments\n\nAn answer.\n\nRead.")
    assert [one.depth for one in document.anchors[-2:]] == [1, 0]
    assert [(one.target, one.code, one.detail) for one in library.failures] == [
        (URL, "unknown_part", "2 comments without a text or an id are passed over.")
    ]
    # Where none of them can be read any more, those that were had stay.
    server.videos[ONE].comments = [MadeComment("UgC", "")]
    assert await look(collector, f"{URL}#comments", library) == document
    assert [one.code for one in library.failures] == ["unknown_part"]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply("", 404), "http_404"),
        (Reply("", 403), "http_403"),
        (Reply("This is no gzip.", headers={"Content-Encoding": "gzip"}), "broken_answer"),
    ],
)
async def test_comments_that_cannot_be_had_cost_no_more_than_themselves(
    server: YouTubeServer, collector: YouTubeCollector, reply: Reply, code: str
) -> None:
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)], comments=[MadeComment("Ug1", "Hm.")])
    server.replies["/youtubei/v1/next"] = reply
    library = Library()
    document = await look(collector, f"{URL}#comments", library)
    assert document.text == "What it is about.\n\nHello there."
    assert document.validators == {"captions": "manual", "comments": False}
    assert [(one.target, one.code) for one in library.failures] == [(URL, code)]
    assert not library.gone
    del server.replies["/youtubei/v1/next"]
    library.misses.clear()
    await library.collect(collector, target(f"{URL}#comments"), purpose="new")
    had = library.documents[ONE]
    assert had.text.endswith("Comments\n\nHm.")
    # Those that were had stay, whatever becomes of the next look.
    server.replies["/youtubei/v1/next"] = reply
    assert await look(collector, f"{URL}#comments", library) == had
    assert [one.code for one in library.failures] == [code]
    assert not library.gone


async def test_what_another_job_wrote_meanwhile_is_not_replaced_by_less(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)], comments=[MadeComment("Ug1", "Hm.")])
    library, other = Library(), Library()
    await look(collector, f"{URL}#comments", other)
    server.videos[ONE].tracks = [MadeTrack(b"")]
    run = Run(target(URL), 10, None, library, library.suspect)
    async with aclosing(collector.collect(run)) as pages:
        page = await anext(pages)
        library.save(Page([replace(other.documents[ONE], based_on=0)]))
        assert [one.based_on for one in page.documents] == [0]
        assert library.versions[ONE] == 1
    # It is refused, and the job goes back: what it finds now is less, again, and it knows.
    await library.collect(collector, target(URL), resume=True)
    assert library.documents[ONE].text == other.documents[ONE].text
    assert [one.code for one in library.failures] == ["token_missing"]
    server.videos[ONE].tracks = [MadeTrack(SAID)]
    await library.collect(collector, target(URL))
    assert library.documents[ONE].based_on == 1


async def test_what_goes_wrong_with_the_pace_comes_as_it_is(server: YouTubeServer) -> None:
    """A pace that is kept in a database fails as that does: it says nothing of YouTube."""

    class Unreachable(Pace):
        async def turn(self, host: str, delay: float) -> None:
            raise ConnectionRefusedError

    fetcher = Fetcher(max_bytes=2**20, seconds=10, allow=LOOPBACK, pace=Unreachable())
    library = Library()
    for address in (URL, f"{URL}#comments", "youtube.com/playlist?list=PLlist", "youtube.com/@made"):
        with pytest.raises(ConnectionRefusedError):
            await library.collect(make_collector(fetcher, Wallet(), youtube_url=server.base), target(address))
    await fetcher.close()
    assert not library.failures
    assert not server.requests


async def test_no_comments_are_asked_for_otherwise(server: YouTubeServer, collector: YouTubeCollector) -> None:
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)], comments=COMMENTS)
    assert "First!" not in (await look(collector)).text
    assert "next" not in server.requests


def cookie(name: str, value: str, domain: str = "youtube.com", *, secure: bool = False) -> Cookie:
    return Cookie(name, value, domain, host_only=False, secure=secure)


async def test_cookies_go_to_youtube_and_nowhere_else(
    server: YouTubeServer, collector: YouTubeCollector, wallet: Wallet, caplog: pytest.LogCaptureFixture
) -> None:
    """A base address stands for youtube.com: what belongs there goes there."""
    caplog.set_level(logging.DEBUG)
    wallet.cookies = (
        cookie("SAPISID", "secret-sapisid", secure=True),
        cookie("LOGIN_INFO", "secret-login"),
        cookie("NID", "secret-google", "google.com"),
    )
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)], comments=[MadeComment("Ug1", "Hm.")])
    document = await look(collector, f"{URL}#comments")
    sent = [headers.get("Cookie", "") for _, headers, _ in server.asked]
    assert all("SAPISID=secret-sapisid" in one and "LOGIN_INFO=secret-login" in one for one in sent)
    assert not any("secret-google" in one for one in sent)
    api = [headers for path, headers, _ in server.asked if path.startswith("/youtubei/")]
    assert api
    assert all("SAPISIDHASH" in headers["Authorization"] for headers in api)
    assert "secret" not in caplog.text
    assert document.capture is not None
    assert b"secret" not in document.capture.body


async def test_nothing_is_written_or_said(
    server: YouTubeServer,
    collector: YouTubeCollector,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """No cache, no configuration, no plugins, no word on standard error; a proxy of the environment counts nothing."""
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)], comments=COMMENTS, needs_token=True)
    await look(collector, f"{URL}#comments")
    with pytest.raises(Refused):
        await look(collector, f"https://youtu.be/{video_id(2)}")
    assert list(tmp_path.rglob("*")) == []
    assert capfd.readouterr() == ("", "")


def test_who_collects_nothing_of_youtube_does_not_carry_yt_dlp() -> None:
    code = (
        "import sys, extrophi_backend.collectors.youtube.collector as c, extrophi_backend.collectors.youtube.target; "
        "sys.exit('yt_dlp' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], check=False, env={"PYTHONPATH": ":".join(sys.path)}).returncode
        == 0
    )


async def test_there_is_one_way_out_and_it_is_guarded(server: YouTubeServer) -> None:
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)])
    fetcher = Fetcher(max_bytes=2**20, seconds=10)
    library = Library()
    await library.collect(make_collector(fetcher, Wallet(), youtube_url=server.base), target(URL))
    await fetcher.close()
    assert [(one.target, one.code) for one in library.failures] == [(URL, "forbidden_address")]
    assert not server.requests


async def test_a_video_that_killed_its_worker_is_set_aside(server: YouTubeServer, collector: YouTubeCollector) -> None:
    library = Library()
    await library.collect(collector, target(URL), set_aside=frozenset({URL}))
    assert [(one.target, one.code) for one in library.failures] == [(URL, "poisonous")]
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)])
    await library.collect(collector, target(URL))
    assert library.suspects == [URL]


async def test_twelve_hours_are_one_document(server: YouTubeServer, collector: YouTubeCollector) -> None:
    cues = [(number * 2.16, f"Sentence number {number}.") for number in range(20_000)]
    server.videos[ONE] = MadeVideo(seconds=43_200, tracks=[MadeTrack(json3(cues, length=2.16))])
    document = await look(collector)
    told = [(anchor.seconds, document.text[anchor.offset :][:40]) for anchor in document.anchors[1:]]
    assert len(told) == 20_000
    assert all(
        seconds == pytest.approx(start, abs=0.001) and shown.startswith(text)
        for (seconds, shown), (start, text) in zip(told, cues, strict=True)
    )


async def test_a_captcha_gives_the_slot_back_and_youtube_is_left_alone(
    server: YouTubeServer, collector: YouTubeCollector
) -> None:
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)])
    server.replies["/watch"] = Reply(recorded("youtube_too_many_requests.html"))
    for _ in range(2):
        with pytest.raises(PlatformUnavailable) as busy:
            await look(collector)
        assert busy.value.retry_after is not None
        assert 3500 < busy.value.retry_after <= 3600
    assert server.requests == {"watch": 1}


@pytest.mark.parametrize("path", ["/watch", "/api/timedtext"])
async def test_too_many_requests_are_waited_for(server: YouTubeServer, collector: YouTubeCollector, path: str) -> None:
    server.videos[ONE] = MadeVideo(tracks=[MadeTrack(SAID)])
    server.replies[path] = Reply("", 429, headers={"Retry-After": "90"})
    library = Library()
    with pytest.raises(PlatformUnavailable) as busy:
        await library.collect(collector, target(URL))
    assert busy.value.retry_after == 90
    assert not library.documents
    assert not library.failures


async def test_a_servers_error_is_a_failure_with_its_number(server: YouTubeServer, collector: YouTubeCollector) -> None:
    for path in ("/watch", "/youtubei/v1/player", "/youtubei/v1/next"):
        server.replies[path] = Reply("Oops", 403)
    with pytest.raises(Refused) as refused:
        await look(collector)
    assert refused.value.code == "http_403"
