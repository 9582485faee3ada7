"""One text on two sites is one; two texts in one frame are two."""

import asyncio
import time

import pytest

from extrophi_research.search.folding import Overlaps, runs, same_text, shape

ARTICLE = (
    "Grey herons stand in the shallows long before the sun is up. They hardly move for an hour, and what looks like "
    "patience is arithmetic: a strike that fails costs more than the fish would have given. In winter, when the ponds "
    "freeze over, the birds walk the furrows of ploughed fields instead, and live on voles. Farmers who used to chase "
    "them away have begun to count them. The count of last January was the highest in the valley since the war, and "
    "nobody quite knows why. Warm winters are one guess, and the end of the trout farms, with their nets and guns, is "
    "another. The birds, at any rate, have made up their minds: the colony at the weir has forty nests this spring."
)
REPORT = (
    "Weather report for the station at {place}. The observers at {place} measured a mean temperature of {degrees} "
    "degrees over the month, with {rain} millimetres of rain on the days when the gauge could be read. The wind came "
    "mostly from the {wind}, and visibility was good in the mornings. As in every month, the instruments were read at "
    "seven in the morning and at seven in the evening, and the readings were sent to the central office by telegraph. "
    "Questions about these readings may be sent to the office in writing, and are answered within a fortnight."
)


def same(one: str, other: str) -> bool:
    assert same_text(shape(one), shape(other)) == same_text(shape(other), shape(one))
    return same_text(shape(one), shape(other))


@pytest.mark.parametrize(
    "other",
    [
        ARTICLE.upper().replace(",", ""),
        ARTICLE.replace(". ", ".\n\n").replace(":", " —"),
        "By Ann Example, The Valley Post\n\n" + ARTICLE,
        ARTICLE + "\n\nSubscribe to our newsletter. All rights reserved, Valley Media 2026.",
        "Home | News | Birds\n"
        + ARTICLE.replace("voles. ", "voles.\n\nRead also: the ten best ponds of the county.\n\n"),
        ARTICLE.replace("ploughed", "plowed"),
    ],
)
def test_another_frame_around_a_text_makes_no_other_text(other: str) -> None:
    assert same(ARTICLE, other)


def test_another_byline_makes_no_other_text() -> None:
    assert same("Birds of the valley. By Ann Example. " + ARTICLE, "Birds of the valley. By Bob Other-Name. " + ARTICLE)


def test_frames_on_both_sites_make_no_other_text() -> None:
    assert same(
        "Valley Post, local news every day.\n" + ARTICLE, ARTICLE + "\nMore from our partners: boats and gardens."
    )


def test_documents_of_one_template_are_different() -> None:
    first = REPORT.format(place="Oslo", degrees=4, rain=80, wind="west")
    assert not same(first, REPORT.format(place="Bergen", degrees=7, rain=210, wind="north"))
    assert not same(first, REPORT.format(place="Oslo", degrees=5, rain=80, wind="west"))  # another month
    assert not same(first, REPORT.format(place="Bergen", degrees=4, rain=80, wind="west"))


def test_a_shared_ending_makes_no_one_text_of_two() -> None:
    ending = (
        " Our shop delivers within two days to every address in the country, and takes back whatever does not please."
    )
    kettle = (
        "A kettle of blue enamel that holds a litre and a half, with a wooden handle and a lid that does not rattle."
    )
    lamp = (
        "A lamp of brass for the desk, with a shade of green glass, a cord covered in cotton, and a switch in the foot."
    )
    assert not same(kettle + ending, lamp + ending)


def test_a_text_quoted_in_a_longer_one_is_another() -> None:
    assert not same(ARTICLE[:200], ARTICLE)


def test_texts_without_spaces_are_compared_by_character() -> None:
    text = "鷺は夜明け前の浅瀬に立ち、ほとんど動かずに一時間を過ごす。忍耐に見えるものは計算だ。冬には畑を歩く。"
    assert same(text, text.replace("。", "、") + "購読する")
    assert not same(text, "東京都の天気は晴れ、気温は五度、風は西から吹いている。夜には雪が降る。")


def test_empty_texts_are_the_same_only_as_each_other() -> None:
    assert same("", " \n")
    assert not same("", ARTICLE)


def test_chunks_cut_at_other_places_overlap() -> None:
    overlaps = Overlaps()
    overlaps.add(runs(REPORT))
    overlaps.add(runs(ARTICLE[:400]))
    assert overlaps.find(runs(ARTICLE[200:600])) == [1]
    assert overlaps.find(runs("Sourdough bread needs a starter, flour and water.")) == []


@pytest.mark.parametrize(
    "framed",
    [
        "{} https://example.com/status/1234567890",
        "RT @name: {} #wildlife #herons",
        "{} Posted via Example Mobile Client",
        "From Collected Poems, Anniversary Edition: {}",
    ],
)
@pytest.mark.parametrize(
    "post",
    [
        "The old man sat by the sea all day and did not say a word to us.",
        "We saw two herons at the pond by the mill this morning, and one of them had a fish.",
    ],
)
def test_a_short_post_and_its_copy_in_a_frame_are_compared(post: str, framed: str) -> None:
    overlaps = Overlaps()
    overlaps.add(runs(post))
    assert overlaps.find(runs(framed.format(post))) == [0]


async def test_long_texts_are_told_by_equality_and_texts_of_other_lengths_not_read(library, research):
    page = "Herons stand in the shallows long before the sun is up, and wait for fish to come. "
    long = "".join(f"{page}{n} " for n in range(3000))  # over 200,000 bytes
    for title in ("one", "two"):
        await library.add(long, title=title, chunks=[(0, 400)])
    await library.add(long + "End.", title="three", chunks=[(0, 400)])
    await library.add(long[:400], title="short")
    await research.finds("herons", lambda found: len(found) >= 3, mode="keyword")
    items = (await research.search("herons shallows", mode="keyword"))["items"]
    told = sorted([item["citation"]["title"], *(one["title"] for one in item["also"])] for item in items)
    assert sorted(map(len, told)) == [1, 1, 2]
    assert sorted(next(one for one in told if len(one) == 2)) == ["one", "two"]


async def test_a_loop_is_not_held_up_by_comparing(library, research):
    for n in range(12):
        text = " ".join(f"word{(at * (n + 3)) % 4001}" for at in range(12_000))
        start = "Herons stand in the shallows long before the sun is up, and wait for fish to come, as they do. " * 3
        await library.add(start + text, title=str(n), chunks=[(0, len(start))], notify=n == 11)
    await research.finds("herons", lambda found: len(found) >= 10, mode="keyword")
    longest = 0.0

    async def watch():
        nonlocal longest
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - began)

    watching = asyncio.create_task(watch())
    await research.search("herons shallows", mode="keyword", limit=10)
    watching.cancel()
    assert longest < 0.3
