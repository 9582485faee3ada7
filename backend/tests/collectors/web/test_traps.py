"""Archives that look like traps, and traps that look like archives: all of the one, little of the other."""

import random
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

import pytest

from extrophi_backend.collectors.web.collector import WebCollector
from tests.collecting import Library, target
from tests.generated_site import page, story
from tests.system.site import WORDS
from tests.web_server import Reply, WebServer, article, serving

Answers = Callable[[str, list[str], dict[str, str]], Reply | None]
"""What a path answers: the path as asked for, its parts, its query."""


class Made(dict[str, Any]):
    """Pages that are made as they are asked for, for a server that looks them up by path."""

    def __init__(self, answers: Answers) -> None:
        super().__init__()
        self._answers = answers

    def get(self, key: str, default: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        if key in {"/robots.txt", "/sitemap.xml"}:
            return default
        place, _, query = key.partition("?")
        parts = [part for part in place.split("/") if part]
        return self._answers(key, parts, dict(parse_qsl(query))) or default


def own(of: object, words: int) -> str:
    """Words that are said in this order nowhere else."""
    rng = random.Random(str(of))
    return " ".join(rng.choice(WORDS) for _ in range(words)).capitalize() + "."


def strange(of: object, words: int) -> str:
    """Words that there are none of."""
    rng = random.Random(str(of))
    return " ".join("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(words)) + "."


COMMON = strange("common", 120)


def noise(of: object, length: int = 16) -> str:
    return sha256(str(of).encode()).hexdigest()[:length]


def numbers(most: int) -> range:
    return range(1, most + 1)


def listed(count: int, kind: str, each: Callable[[int], Reply]) -> Answers:
    """A front, a page that lists all, and what it lists."""

    def answers(path: str, parts: list[str], query: dict[str, str]) -> Reply | None:
        match parts:
            case []:
                return page("The front", own("front", 40), ["/list"])
            case ["list"]:
                return page("All of them", own("list", 40), [f"/{kind}/{one}" for one in numbers(count)])
            case [name, number] if name == kind and 1 <= int(number) <= count:
                return each(int(number))
            case _:
                return None

    return answers


def product(number: int) -> Reply:
    return page(f"Product {number}", f"{own(f'p{number}', 25)} {COMMON}", ["/list"])


def price(number: int) -> Reply:
    return page(
        "Offer", f"It costs {number * 7 % 90}.{number % 10}0 and is here by {number % 28 + 1} May. {COMMON}", ["/"]
    )


def result(number: int) -> Reply:
    text = f"Home {number % 7}, away {number // 7 % 7}, half time {number // 49}. {COMMON}"
    return page("Result", text, [f"/match/{number + 1}", f"/match/{number - 1}"])


def straight(path: str, parts: list[str], query: dict[str, str]) -> Reply | None:
    """Sixty pages that the front lists, alike but for a number."""
    if not parts:
        return page("The front", own("front", 40), [f"/story/{one}" for one in numbers(60)])
    return article(f"Story {parts[1]}") if parts[0] == "story" and int(parts[1]) <= 60 else None


def paged(pages: int, each: int, text: Callable[[int], str], *, back: bool = False) -> Answers:
    """An archive that leads from page to page, some stories to each."""

    def answers(path: str, parts: list[str], query: dict[str, str]) -> Reply | None:
        number = int(query.get("page", "1"))
        if not parts:
            return page("The front", own("front", 40), ["/archive"])
        if parts == ["archive"] and number <= pages:
            items = range((number - 1) * each + 1, number * each + 1)
            links = [f"/story/{one}" for one in items] + [f"/archive?page={number + 1}"] * (number < pages)
            return page(f"Archive, page {number}", " ".join(map(text, items)) or text(number), links)
        if parts[0] == "story" and int(parts[1]) <= pages * each:
            return page(f"Story {parts[1]}", story(int(parts[1])), ["/archive"])
        return None

    return answers


def chain(path: str, parts: list[str], query: dict[str, str]) -> Reply | None:
    """A blog of 200 posts, each of which leads to the one before it."""
    names = {f"{WORDS[one % 20]}-{WORDS[one // 20]}-and-more": one for one in range(200)}
    if not parts:
        return page("The front", own("front", 40), [f"/blog/{list(names)[199]}"])
    number = names[parts[1]]
    before = [f"/blog/{list(names)[number - 1]}"] if number else []
    return page(f"Post {number}", f"{story(number)} {own(number, 60)}", before)


def wiki(path: str, parts: list[str], query: dict[str, str]) -> Reply | None:
    """300 pages that lead to each other, to some more than to others."""
    number = int(parts[1][1:]) if parts else 0
    rng = random.Random(number)
    near = [(number + rng.randint(-20, 20)) % 300 for _ in range(4)]
    links = [f"/wiki/P{one}" for one in [*near, rng.randrange(20), rng.randrange(300), (number + 1) % 300]]
    return page(f"Page {number}", story(number), links if parts else ["/wiki/P0"])


def categories(path: str, parts: list[str], query: dict[str, str]) -> Reply | None:
    """A blog whose front has ten posts; each leads to its category, and that to all of its own."""
    match parts:
        case []:
            return page("The front", own("front", 40), [f"/post/{one}" for one in numbers(10)])
        case ["post", number] if int(number) <= 200:
            return page(f"Post {number}", story(int(number)), [f"/category/{WORDS[int(number) % 10]}"])
        case ["category", name]:
            posts = [one for one in numbers(200) if WORDS[one % 10] == name]
            return page(f"All on {name}", own(name, 20), [f"/post/{one}" for one in posts])
        case _:
            return None


def tags(path: str, parts: list[str], query: dict[str, str]) -> Reply | None:
    """A blog whose posts have five tags each, and are had by these alone."""
    of = {one: {int(noise((one, at)), 16) % 80 for at in range(5)} for one in numbers(200)}
    match parts:
        case []:
            return page("The front", own("front", 40), [f"/post/{one}" for one in numbers(5)])
        case ["post", number] if int(number) <= 200:
            return page(f"Post {number}", story(int(number)), [f"/tag/t{tag}x" for tag in of[int(number)]])
        case ["tag", name]:
            posts = [one for one in numbers(200) if int(name[1:-1]) in of[one]]
            return page(f"All on {name}", own(name, 6), [f"/post/{one}" for one in posts])
        case _:
            return None


def folders(path: str, parts: list[str], query: dict[str, str]) -> Reply | None:
    """Four folders of four folders of ten pages."""
    if not parts:
        return page("The front", own("front", 40), [f"/docs/{one}/" for one in WORDS[:4]])
    links = [[f"/docs/{parts[1]}/{one}/" for one in WORDS[4:8]], [f"{path}{one}" for one in WORDS[8:18]], []]
    return page(path, own(path, 60), links[len(parts) - 2])


def thin(number: int) -> Reply:
    return page(f"Member {number}", f"{own(number, 6)} {COMMON}", ["/list"])


ARCHIVES: dict[str, tuple[Answers, str, int]] = {
    "products with much in common": (listed(100, "product", product), "/product/", 100),
    "members with nearly all in common": (listed(100, "member", thin), "/member/", 100),
    "prices": (listed(100, "offer", price), "/offer/", 100),
    "results": (listed(100, "match", result), "/match/", 100),
    "pages alike but for a number": (straight, "/story/", 60),
    "an archive of 150 pages": (paged(150, 2, lambda one: own(one, 9)), "/story/", 300),
    "150 pages that lead to nothing but the next": (paged(150, 0, lambda one: own(one, 60)), "/archive", 150),
    "a blog that is a chain": (chain, "/blog/", 200),
    "a wiki": (wiki, "/wiki/", 300),
    "categories": (categories, "/post/", 200),
    "tags": (tags, "/post/", 200),
    "folders": (folders, "/docs/", 4 + 16 + 160),
}  # fmt: skip


async def collected(collector: WebCollector, server: WebServer, limit: int = 1000) -> Library:
    library = Library()
    await library.collect(collector, target(server.url("/")), limit=limit, scope="site")
    return library


@pytest.mark.parametrize("name", ARCHIVES)
async def test_an_archive_is_collected_whole(collector: WebCollector, name: str) -> None:
    answers, path, count = ARCHIVES[name]
    with serving(WebServer(pages=Made(answers))) as server:
        library = await collected(collector, server)
        assert len([url for url in library.documents if url.startswith(server.url(path))]) == count
        assert max(server.requests.values()) == 1


def days(path: str, parts: list[str], query: dict[str, str]) -> Reply | None:
    """Months that lead both ways and to their days, which lead to each other and to months."""
    year, month, *rest = (int(part) for part in parts[1:])
    others = [year * 12 + month - 1 + by for by in (1, -1)]
    months = [f"/calendar/{one // 12}/{one % 12 + 1}" for one in others]
    grid = " ".join(f"{WEEK[(at + year + month) % 7]} {at}" for at in numbers(30))
    if rest:
        day = rest[0]
        near = [f"/calendar/{year}/{month}/{one}" for one in (day - 1, day + 1) if 0 < one < 31]
        text = f"Nothing is on {WEEK[day % 7]} {day}.{month}.{year} at 10:30. {grid}."
        return page(f"{day} {year}-{month:02}", text, [*near, *months])
    links = [f"/calendar/{year}/{month}/{day}" for day in numbers(30)]
    return page(f"{year}-{month:02}", f"{grid}. Week {month * 4}. There is nothing on.", [*months, *links])


def month(path: str, parts: list[str], query: dict[str, str]) -> Reply | None:
    at = int(query.get("year", "2026")) * 12 + int(query.get("month", "3")) - 1
    links = [f"/calendar?month={one % 12 + 1}&year={one // 12}" for one in (at + 1, at - 1, at + 12)]
    return page(f"{at % 12 + 1}/{at // 12}", f"The month {at % 12 + 1} of {at // 12}. Nothing is on. {COMMON}", links)


def shop(path: str, parts: list[str], query: dict[str, str]) -> Reply | None:
    """Goods by colour, size and so on, in an order of its own for each choice."""
    goods = [f"{own((one, 'name'), 3)} {own(one, 8)}" for one in range(60)]
    random.Random(path).shuffle(goods)
    choices = [(name, value) for name in ("colour", "size", "sort", "view", "make") for value in WORDS[:4]]
    links = ["/shop?" + "&".join(f"{n}={v}" for n, v in {**query, name: value}.items()) for name, value in choices]
    chosen = " ".join(query.values())
    paragraphs = "</p><p>".join(goods[:20])
    return page(f"Coats {chosen}", f"All coats {chosen}.</p><p>{paragraphs}", links)


def session(path: str, parts: list[str], query: dict[str, str]) -> Reply | None:
    key = noise(path)
    links = [f"/s/{key}/{name}" for name in ("rooms", "prices", "way")]
    return page(f"Your visit {key}", f"You are guest {key}. {COMMON} The {parts[-1]}.", links)


def token(path: str, parts: list[str], query: dict[str, str]) -> Reply | None:
    key = noise(path)
    return page("A guest", f"Your key is {key}. {COMMON}", [f"/token?k={key}&to={one}" for one in WORDS[:3]])


def search(path: str, parts: list[str], query: dict[str, str]) -> Reply | None:
    said = " ".join(query.values())
    links = [f"{path}{'&' if query else '?'}w{len(query)}={word}" for word in random.Random(path).sample(WORDS, 3)]
    return page(f"{said}", f"There is nothing on {said}. We looked for {said} everywhere.", links)


def lost(path: str, parts: list[str], query: dict[str, str]) -> Reply | None:
    """Whatever is asked for is answered, with links that go down from there."""
    links = [f"{path}/{one}" for one in ("home", "more", "us")]
    return page("Welcome", f"You came to {' and '.join(parts)}. {COMMON}", links)


def made_up(links: int, way: Callable[[str, str], str], text: Callable[[object, int], str] = own) -> Answers:
    def answers(path: str, parts: list[str], query: dict[str, str]) -> Reply | None:
        return page(text((path, "title"), 4), text(path, 120), [way(path, noise((path, at))) for at in range(links)])

    return answers


def letters(of: str) -> str:
    return strange(of, 1)[:-1]


def circle(path: str, parts: list[str], query: dict[str, str]) -> Reply | None:
    """Lists of what is made up, each of which leads to another such list."""
    ways = [f"/item/{noise((path, one))}" for one in range(8)] if parts[0] == "lists" else [f"/lists/{noise(path)}"]
    return page(own((path, "title"), 4), own(path, 120), ways)


WEEK = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
TRAPS: dict[str, tuple[Answers, str]] = {
    "months and their days": (days, "/calendar/2026/3"),
    "months in a query": (month, "/calendar?month=3&year=2026"),
    "filters": (shop, "/shop"),
    "sessions in paths": (session, "/s/0a1b2c3d4e5f/welcome"),
    "keys in queries": (token, "/token?k=0a1b2c3d&to=us"),
    "queries without end": (search, "/find?w=herons"),
    "paths without end": (lost, "/lost"),
    "words made up": (made_up(3, lambda _, key: f"/tales/{key}", strange), "/tales/first"),
    "tales made up": (made_up(2, lambda _, key: f"/tales/{key}"), "/tales/first"),
    "many links": (made_up(40, lambda _, key: f"/tales/{letters(key)}"), "/tales/first"),
    "queries made up": (made_up(4, lambda _, key: f"/tales?of={key}"), "/tales?of=first"),
    "folders made up": (made_up(20, lambda _, key: f"/tales/{letters(key)}/{letters(key[1:])}/x"), "/tales/first"),
    "deeper and deeper": (made_up(3, lambda path, key: f"{path}/{letters(key)}"), "/tales/first"),
    "lists and items": (circle, "/lists/0a1b2c3d4e5f"),
}


def beside(trap: Answers, entrance: str) -> Answers:
    """A trap on a site that has fifty posts, all of which lead there."""

    def answers(path: str, parts: list[str], query: dict[str, str]) -> Reply | None:
        if not parts:
            return page("The front", own("front", 40), [entrance, "/post/1"])
        if parts[0] != "post":
            return trap(path, parts, query)
        number = int(parts[1])
        links = [f"/post/{number + 1}", entrance]
        return page(f"Post {number}", story(number), links) if number <= 50 else None

    return answers


@pytest.mark.parametrize("name", TRAPS)
async def test_a_trap_is_left_after_twenty_pages_and_the_rest_of_the_site_is_not(
    collector: WebCollector, name: str
) -> None:
    trap, entrance = TRAPS[name]
    with serving(WebServer(pages=Made(beside(trap, entrance)))) as server:
        library = await collected(collector, server)
        honest = {"/", entrance, "/robots.txt", "/sitemap.xml"}
        asked = [path for path in server.requests if path not in honest and not path.startswith("/post/")]
        assert len([url for url in library.documents if "/post/" in url]) == 50
        assert len(asked) <= (40 if name == "lists and items" else 20), asked  # of each kind
        left = [one for one in library.frontier.values() if one.state == "trap"]
        assert left  # and it is known what was
        assert not {one.url.removeprefix(server.base) for one in left} & {*asked, *honest}
        assert not [one for one in library.frontier.values() if one.state == "waiting"]


@pytest.mark.parametrize("name", ["months and their days", "lists and items", "results"])
async def test_what_is_put_aside_and_left_is_the_same_after_any_end(collector: WebCollector, name: str) -> None:
    answers = beside(*TRAPS[name]) if name in TRAPS else ARCHIVES[name][0]
    with serving(WebServer(pages=Made(answers))) as server:
        undisturbed = await collected(collector, server)
        rng = random.Random(7)
        library = Library()
        while library.cursor != {"done": True}:
            # One page more is made, and is not saved: so ends a worker that is killed.
            await library.collect(
                collector, target(server.url("/")), scope="site", pages=rng.randint(1, 4), resume=True
            )
        assert list(library.documents) == list(undisturbed.documents)
        assert library.frontier == undisturbed.frontier
        assert library.kinds == undisturbed.kinds


async def test_a_chain_of_what_is_made_up_is_held_by_the_limit(collector: WebCollector) -> None:
    """It is as a blog each of whose posts leads to the one before: nothing tells them apart."""
    trap = made_up(1, lambda _, key: f"/tales/{key}")
    with serving(WebServer(pages=Made(beside(trap, "/tales/first")))) as server:
        library = await collected(collector, server, limit=120)
        assert len(library.documents) == 120


FIGURES = " ".join(str(at * 7 % 50) for at in range(150))


async def test_a_page_is_another_only_if_there_is_something_to_tell_it_by(collector: WebCollector) -> None:
    """Pages whose canonical address was looked at, and has no words to be compared with."""

    def at(path: str) -> str:
        return f"<link rel='canonical' href='{path}'>"

    pages: dict[str, Any] = {
        "/": page("The front", own("front", 40), ["/first", "/moved", "/other", "/figures", "/more", "/same"]),
        "/first": article("The first"),
        "/moved": Reply(status=302, headers={"Location": "/first"}),
        "/other": article("Something else", own("other", 80), head=at("/moved")),
        "/figures": article("1", FIGURES, head=at("/figures")),
        "/more": article("2", FIGURES[::-1], head=at("/figures")),
        "/same": article("1", FIGURES, head=at("/figures")),
    }
    with serving(WebServer(pages=pages)) as server:
        library = await collected(collector, server)
        expected = {server.url(path) for path in ("/", "/first", "/other", "/figures", "/more")}
        assert library.documents.keys() == expected
        assert server.requests["/same"] == 1
