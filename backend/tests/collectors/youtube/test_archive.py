"""Google Takeout: the videos that lists and the history name are collected, each once."""

import io
import zipfile
from collections.abc import Mapping

import pytest

from extrophi_backend.archives.models import TARGET
from extrophi_backend.archives.reading import Archive
from extrophi_backend.collectors.models import Target
from extrophi_backend.collectors.youtube.archive import KIND, videos
from extrophi_backend.collectors.youtube.asking import YouTube
from extrophi_backend.collectors.youtube.collector import YouTubeCollector
from extrophi_backend.errors import Refused
from extrophi_backend.fetch.client import Fetcher
from tests.collecting import Library
from tests.platforms.youtube import Wallet, YouTubeServer, refused

TYPED = Target("youtube", f"{TARGET}01a221ad-4d83-728c-a3f5-c2a2e0c16a93", "takeout.zip")
FOLDER = "Takeout/YouTube and YouTube Music"


def opened(members: Mapping[str, str]) -> Archive:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for name, body in members.items():
            zipped.writestr(name, body)
    return Archive(out)


class Given:
    """One archive, that is opened anew for each run."""

    def __init__(self, **members: str) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as zipped:
            for name, body in members.items():
                zipped.writestr(f"{FOLDER}/{name.replace('__', '/').replace('_csv', '.csv')}", body)
        self.body = out.getvalue()

    async def open(self, target: str) -> Archive:
        assert target == TYPED.canonical
        return Archive(io.BytesIO(self.body))


def collector(fetcher: Fetcher, server: YouTubeServer, archives: Given) -> YouTubeCollector:
    return YouTubeCollector(YouTube(fetcher, server.base), Wallet(), archives=archives)


def listed(*ids: str) -> str:
    return "Video ID,Playlist Video Creation Timestamp\n" + "".join(f"{one},2024-01-31\n" for one in ids)


async def test_each_video_is_collected_once_and_a_newer_archive_adds_what_is_new(
    fetcher: Fetcher, server: YouTubeServer
) -> None:
    ids = server.add_videos(5)
    server.videos[ids[2]].playability = refused("ERROR", "Private video")
    library = Library()
    older = Given(playlists__a_csv=listed(*ids[:3]), playlists__b_csv=listed(ids[1], ids[3]))
    await library.collect(collector(fetcher, server, older), TYPED)
    assert list(library.documents) == [ids[0], ids[1], ids[3]]
    assert len(library.failures) == 1
    assert library.cursor == {"done": True}

    server.asked.clear()
    newer = Given(playlists__a_csv=listed(*ids))
    pages = await library.collect(collector(fetcher, server, newer), TYPED)
    assert sum(page.known for page in pages) == 3
    assert list(library.documents) == [ids[0], ids[1], ids[3], ids[4]]
    assert ids[0] not in {query.get("v") for _, query, _ in server.asked}


@pytest.mark.parametrize("after", range(1, 6))
async def test_a_run_that_was_killed_goes_on(fetcher: Fetcher, server: YouTubeServer, after: int) -> None:
    ids = server.add_videos(4)
    archives = Given(history_csv="", playlists__a_csv=listed(*ids))
    library = Library()
    await library.collect(collector(fetcher, server, archives), TYPED, pages=after)
    await library.collect(collector(fetcher, server, archives), TYPED, resume=True)
    assert list(library.documents) == ids


async def test_the_limit_counts_documents(fetcher: Fetcher, server: YouTubeServer) -> None:
    ids = server.add_videos(6)
    library = Library()
    await library.collect(collector(fetcher, server, Given(playlists__a_csv=listed(*ids))), TYPED, limit=2)
    assert list(library.documents) == ids[:2]


def test_lists_of_one_name_are_one_list() -> None:
    """An export may come in several parts, and some lists in each of them."""
    name = "Takeout/YouTube/playlists/Watch later-videos.csv"
    channel = "UCVYamHliCI9rw1tHR1xbkfw"
    follows = f"Channel Id,Channel Url\n{channel},http://www.youtube.com/channel/{channel}\n"
    archive = opened(
        {
            f"takeout-1/{name}": listed("a" * 11, "b" * 11),
            f"takeout-2/{name}": listed("b" * 11, "c" * 11),
            "takeout-1/Takeout/YouTube/subscriptions/subscriptions.csv": follows,
            "takeout-2/Takeout/YouTube/subscriptions/subscriptions.csv": follows,
        }
    )
    assert list(videos(archive)) == ["a" * 11, "b" * 11, "c" * 11]
    contents = KIND.look(archive)
    assert contents is not None
    assert [part.count for part in contents.parts] == [3, 1]


@pytest.mark.parametrize(
    ("name", "table", "ids"),
    [
        ("Playlists.csv", "Playlist-ID,Neue Videos oben hinzufügen\nPLabcdefghijklmnop,True\n", []),
        ("Livechats.csv", "Livechat-ID,Kanal-ID\nabc,UCx\n", []),
        ("Myöhemmin-videos.csv", "Videotunnus,Aika\nVideotunnu5,2024\n", ["Videotunnu5"]),
        ("Vecchio.csv", "ID playlist,ID canale\nPLx,UCy\n,\n,\nVideo-ident,Data\naaaaaaaaaaa,2020\n", ["a" * 11]),
        ("Old.csv", "Playlist Id\nPLx\n\nVideo-ident,Time\naaaaaaaaaaa,2020\n\n\n", ["a" * 11]),
    ],
)
def test_the_names_of_columns_are_no_videos(name: str, table: str, ids: list[str]) -> None:
    path = f"Takeout/YouTube/Playlists/{name}"
    archive = opened({path: table})
    assert list(videos(archive)) == ids
    sent = KIND.sent(archive, path)
    assert [*(sent or ())] == [f"{one}\n" for one in ids]
    # What was sent is read the same.
    assert list(videos(opened({path: "".join(f"{one}\n" for one in ids)}))) == ids


async def test_an_archive_that_is_broken_ends_the_job_with_its_reason(fetcher: Fetcher, server: YouTubeServer) -> None:
    archives = Given(playlists__a_csv=listed("a" * 11) + '"' + "x" * 200_000)
    with pytest.raises(Refused) as refusal:
        await Library().collect(collector(fetcher, server, archives), TYPED)
    assert refusal.value.code == "unreadable"
