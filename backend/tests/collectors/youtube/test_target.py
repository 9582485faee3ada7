"""What people type and paste of YouTube."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from extrophi_backend.collectors.models import MAX_ID_BYTES
from extrophi_backend.collectors.youtube.target import place_of, recognise
from extrophi_backend.errors import InvalidTarget

VIDEO = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
CHANNEL = "https://www.youtube.com/channel/UC_x5XG1OV2P6uZZ5FSM9Ttw"
LIST = "https://www.youtube.com/playlist?list=PLBB231211A4F62143"


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", VIDEO),
        ("  http://youtube.com/watch?v=dQw4w9WgXcQ&t=43s\n", VIDEO),
        ("https://www.youtube.com/watch?app=desktop&feature=share&v=dQw4w9WgXcQ&pp=x#t=10", VIDEO),
        ("youtube.com/watch?v=dQw4w9WgXcQ&list=PLBB231211A4F62143&index=3", VIDEO),
        ("https://m.youtube.com/watch?v=dQw4w9WgXcQ", VIDEO),
        ("//www.youtube.com/watch?v=dQw4w9WgXcQ", VIDEO),
        ("HTTPS://WWW.YouTube.com:443/watch?v=dQw4w9WgXcQ", VIDEO),
        ("https://music.youtube.com/watch?v=dQw4w9WgXcQ&si=abc", VIDEO),
        ("https://gaming.youtube.com/watch?v=dQw4w9WgXcQ", VIDEO),
        ("youtu.be/dQw4w9WgXcQ", VIDEO),
        ("https://youtu.be/dQw4w9WgXcQ?t=43&si=abc", VIDEO),
        ("https://youtu.be/watch?v=dQw4w9WgXcQ", VIDEO),
        ("https://www.youtube.com/shorts/dQw4w9WgXcQ?feature=share", VIDEO),
        ("https://www.youtube.com/live/dQw4w9WgXcQ", VIDEO),
        ("https://www.youtube.com/embed/dQw4w9WgXcQ?start=5", VIDEO),
        ("https://www.youtube.com/v/dQw4w9WgXcQ", VIDEO),
        ("https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ", VIDEO),
        ("https://youtu.be/dQw4w9WgXcQ#comments", f"{VIDEO}#comments"),
        (f"{VIDEO}&t=4s#Comments", f"{VIDEO}#comments"),
        ("https://www.youtube.com/playlist?list=PLBB231211A4F62143&si=x", LIST),
        ("https://music.youtube.com/playlist?list=PLBB231211A4F62143", LIST),
        ("youtube.com/watch?list=PLBB231211A4F62143", LIST),
        ("https://www.youtube.com/embed/videoseries?list=PLBB231211A4F62143", LIST),
        ("https://www.youtube.com/playlist?list=UU_x5XG1OV2P6uZZ5FSM9Ttw", CHANNEL),
        ("https://www.youtube.com/embed/live_stream?channel=UC_x5XG1OV2P6uZZ5FSM9Ttw&autoplay=1", CHANNEL),
        ("https://www.youtube.com/Veritasium", "https://www.youtube.com/veritasium"),
        ("youtube.com/veritasium/videos#comments", "https://www.youtube.com/veritasium#comments"),
        (CHANNEL, CHANNEL),
        ("youtube.com/channel/UC_x5XG1OV2P6uZZ5FSM9Ttw/videos", CHANNEL),
        (f"{CHANNEL}#comments", f"{CHANNEL}#comments"),
        ("https://www.youtube.com/@GoogleDevelopers", "https://www.youtube.com/@googledevelopers"),
        ("youtube.com/@googledevelopers/featured", "https://www.youtube.com/@googledevelopers"),
        ("https://m.youtube.com/@GoogleDevelopers/streams?view=0", "https://www.youtube.com/@googledevelopers"),
        ("https://www.youtube.com/@GoogleDevelopers/shorts", "https://www.youtube.com/@googledevelopers"),
        ("https://www.youtube.com/@GoogleDevelopers/playlists", "https://www.youtube.com/@googledevelopers"),
        ("https://www.youtube.com/@GoogleDevelopers/live", "https://www.youtube.com/@googledevelopers"),
        ("https://www.youtube.com/@Ünï", "https://www.youtube.com/@%C3%BCn%C3%AF"),
        ("https://www.youtube.com/@%C3%BCn%C3%AF", "https://www.youtube.com/@%C3%BCn%C3%AF"),
        (
            "https://www.youtube.com/@हिन्दी",
            "https://www.youtube.com/@%E0%A4%B9%E0%A4%BF%E0%A4%A8%E0%A5%8D%E0%A4%A6%E0%A5%80",
        ),
        ("https://www.youtube.com/c/GoogleDevelopers/videos", "https://www.youtube.com/c/googledevelopers"),
        ("https://www.youtube.com/user/GoogleDevelopers", "https://www.youtube.com/user/googledevelopers"),
        (
            "https://www.youtube.com/results?search_query=self+hosted++search",
            "https://www.youtube.com/results?search_query=self+hosted+search",
        ),
        (
            "youtube.com/results?sp=CAI%253D&search_query=a%26b#comments",
            "https://www.youtube.com/results?search_query=a%26b&sp=CAI%253D",
        ),
    ],
)
def test_every_spelling_is_one_target(typed: str, canonical: str) -> None:
    found = recognise(typed)
    assert found is not None
    assert (found.platform, found.canonical, found.typed) == ("youtube", canonical, typed)


@pytest.mark.parametrize(
    "typed",
    [
        "dQw4w9WgXcQ",
        "@GoogleDevelopers",
        "youtube",
        "https://www.youtube.com/about/",
        "https://www.youtube.com/t/terms",
        "https://www.youtube.com/robots.txt",
        "https://www.youtube.com/feeds/videos.xml?channel_id=UC_x5XG1OV2P6uZZ5FSM9Ttw",
        "https://studio.youtube.com/feed/x",
        "https://youtube.com.example.org/watch?v=dQw4w9WgXcQ",
        "https://example.org/https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://user@www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://www.youtube.com:8080/watch?v=dQw4w9WgXcQ",
        "ftp://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://[youtube.com/watch?v=dQw4w9WgXcQ",
        "https://www.youtube.com/@\ud800",
        "",
    ],
)
def test_what_is_none_is_left_to_others(typed: str) -> None:
    assert recognise(typed) is None


@pytest.mark.parametrize(
    "typed",
    [
        "youtube.com",
        "https://www.youtube.com/",
        "youtu.be",
        "https://youtu.be/tooshort",
        "https://www.youtube.com/embed/live_stream?channel=UCshort",
        "https://www.youtube.com/embed/live_stream",
        "https://www.youtube.com/watch?v=tooshort",
        "https://www.youtube.com/watch?v=tooshort&list=PLBB231211A4F62143",
        "https://www.youtube.com/watch",
        "https://www.youtube.com/channel/UCshort",
        "https://www.youtube.com/@",
        "https://www.youtube.com/@a b",
        "https://www.youtube.com/playlist",
        "https://www.youtube.com/playlist?list=a/b",
        "https://www.youtube.com/results?search_query=+",
        "https://www.youtube.com/feed/trending",
        "https://m.youtube.com/feed/history#comments",
        "https://www.youtube.com/post/UgkxAbc",
        "https://www.youtube.com/clip/UgkxAbc",
        "https://www.youtube.com/hashtag/herons",
        "https://www.youtube.com/a-b",
    ],
)
def test_what_cannot_be_collected_is_refused_with_what_can(typed: str) -> None:
    with pytest.raises(InvalidTarget, match="cannot be collected") as refused:
        recognise(typed)
    assert "youtube.com/@name" in refused.value.hint
    assert refused.value.field == "target"
    assert place_of(typed) is None


_BITS = st.sampled_from(
    "https:// www. m. youtube.com youtu.be / // watch ?v= dQw4w9WgXcQ &list= PLx @ Ab # comments channel/ UC "
    "_x5XG1OV2P6uZZ5FSM9Ttw results?search_query= %C3%A9 %FF é İ %20 + . : user/ c/ \ud800 \0".split(" ")
)


@given(st.one_of(st.text(), st.lists(_BITS | st.text(max_size=3)).map("".join)))
@example("youtube.com/@İstanbul")
@example("youtube.com/c/ﬁ")
def test_a_canonical_address_is_its_own(typed: str) -> None:
    try:
        found = recognise(typed)
    except InvalidTarget:
        return
    if found is not None:
        again = recognise(found.canonical)
        assert again is not None
        assert again.canonical == found.canonical
        assert found.canonical.isascii()
        assert place_of(found.canonical) == place_of(typed)


@given(st.text("ABCDEFGHabcdefgh0123456789_-", min_size=11, max_size=11), st.sampled_from(["", "#comments"]))
def test_all_ways_to_a_video_are_one(one: str, wanted: str) -> None:
    ways = [
        f"https://www.youtube.com/watch?v={one}",
        f"youtu.be/{one}?t=1",
        f"m.youtube.com/shorts/{one}",
        f"youtube.com/live/{one}?si=x",
        f"https://youtube-nocookie.com/embed/{one}",
        f"music.youtube.com/watch?list=PLx&v={one}",
    ]
    found = {target.canonical for way in ways if (target := recognise(f"{way}{wanted}"))}
    assert found == {f"https://www.youtube.com/watch?v={one}{wanted}"}


def test_an_address_that_is_kept_is_no_longer_than_an_index_takes() -> None:
    assert place_of(f"https://www.youtube.com/@{'é' * 101}") is None
    found = recognise(f"https://www.youtube.com/@{'é' * 100}")
    assert found is not None
    assert len(found.canonical) < MAX_ID_BYTES
