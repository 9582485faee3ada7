"""A site made up as it is asked for: articles by the thousand, each under many addresses, among traps without end."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from tests.system.site import WORDS
from tests.web_server import Reply, WebServer, serving

PER_PAGE = 20
ROBOTS = "User-agent: *\nDisallow: /private/\nDisallow: /*?edit=\n"
TRAPS = ("calendar", "session", "search", "deep", "maze", "shop", "print", "beyond")
MONTHS = "January February March April May June July August September October November December".split()
COLOURS, SIZES, SORTS = "red blue green black".split(), "s m l xl".split(), "price name date".split()


@dataclass
class GeneratedSite:
    """`posts` articles; `asked` says which pages of each trap were asked for."""

    server: WebServer
    posts: int
    asked: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    changed: set[int] = field(default_factory=set[int])

    def url(self, path: str) -> str:
        return self.server.url(path)

    @property
    def articles(self) -> list[str]:
        return sorted(self.url(f"/post/{number}") for number in range(1, self.posts + 1))

    def answer(self, path: str) -> Reply | None:
        place, _, query = path.partition("?")
        parts = [part for part in place.split(";")[0].split("/") if part]
        name, rest = (parts[0], parts[1:]) if parts else ("", [])
        pages: dict[str, Callable[[list[str], dict[str, str], str], Reply | None]] = {
            "": self._front, "index.html": self._front, "robots.txt": self._robots, "archive": self._archive,
            "post": self._post, "old": self._old, "about": self._about, "quiet": self._quiet,
            "calendar": self._calendar,
            "s": self._session, "search": self._search, "deep": self._deep, "maze": self._maze, "shop": self._shop,
            "elsewhere": self._elsewhere,
        }  # fmt: skip
        return pages[name](rest, dict(parse_qsl(query)), path) if name in pages else None

    def _note(self, trap: str, path: str) -> None:
        self.asked.setdefault(trap, set()).add(path)

    def _robots(self, *_: Any) -> Reply:
        return Reply(ROBOTS, media_type="text/plain")

    def _front(self, *_: Any) -> Reply:
        links = ["/archive?page=1", "/about", "/about/", "/quiet", "/calendar/2024/1", "/search?q=a", "/deep/more",
                 "/maze/a", "/shop", "/private/plans", "/old/1", f"/s/{_noise('first')}/welcome", "/elsewhere",
                 "/post/1?edit=1", "https://other.invalid/x", "mailto:me@example.org", "/picture.png"]  # fmt: skip
        return page("The river paper", "Stories from along the river, one after the other.", links)

    def _archive(self, _: list[str], query: dict[str, str], path: str) -> Reply:
        number = int(query.get("page", "1"))
        first = (number - 1) * PER_PAGE + 1
        listed = range(first, min(first + PER_PAGE, self.posts + 1))
        if not listed:
            self._note("beyond", path)
        links = [spelling(one, at) for at, one in enumerate(listed)]
        text = " ".join(f"{title(one)}." for one in listed) or "There are no more stories."
        return page(f"Archive, page {number}", text, [*links, f"/archive?page={number + 1}"])

    def _post(self, rest: list[str], query: dict[str, str], path: str) -> Reply | None:
        if not rest or not rest[0].isdigit() or not 1 <= int(rest[0]) <= self.posts:
            return None
        number = int(rest[0])
        if "print" in query:
            self._note("print", path)
        links = [f"/post/{number}?print=1", f"/post/{number}/?utm_campaign=x", f"/post/{number}/index.html",
                 f"/post/{number + 1}", f"/old/{number}", f"/private/{number}"]  # fmt: skip
        more = "It was changed since. " if number in self.changed else ""
        return page(title(number), more + story(number), links, canonical=f"/post/{number}")

    def _old(self, rest: list[str], *_: Any) -> Reply:
        return Reply(status=301, headers={"Location": f"/post/{rest[0] if rest else 1}"})

    def _elsewhere(self, *_: Any) -> Reply:
        return Reply(status=302, headers={"Location": f"http://localhost:{self.server.port}/about"})

    def _about(self, *_: Any) -> Reply:
        return page("About us", story(900_001), ["/"])

    def _quiet(self, *_: Any) -> Reply:
        head = "<meta name='robots' content='noindex, nofollow'>"
        return page("Quiet", story(900_002), ["/private/quiet", "/quiet/hidden"], head=head)

    def _calendar(self, rest: list[str], _: dict[str, str], path: str) -> Reply:
        self._note("calendar", path)
        year, month = (int(part) for part in rest[:2])
        after, before = (year + month // 12, month % 12 + 1), (year - (month == 1), (month - 2) % 12 + 1)
        days = " ".join(map(str, range(1, 31)))
        text = (
            f"{MONTHS[month - 1]} {year}. Monday Tuesday Wednesday Thursday Friday. {days}. Nothing is on this month."
        )
        return page("Calendar", text, [f"/calendar/{y}/{m}" for y, m in (after, before)])

    def _session(self, rest: list[str], _: dict[str, str], path: str) -> Reply:
        self._note("session", path)
        new = _noise(path)
        links = [f"/s/{new}/{name}" for name in ("welcome", "rooms", "prices", "way")]
        return page("Guest house", f"The guest house by the river. {rest[-1]}. {story(900_010)}", links)

    def _search(self, _: list[str], query: dict[str, str], path: str) -> Reply:
        self._note("search", path)
        more = "&".join(f"{name}={value}" for name, value in query.items())
        links = [f"/search?{more}&f{len(query)}={value}" for value in "xyz"]
        return page("Search", f"Nothing was found for {' '.join(query.values())}. Try other words.", links)

    def _deep(self, _: list[str], __: dict[str, str], path: str) -> Reply:
        self._note("deep", path)
        return page("Deeper", "Everything lies further down the stairs.", [f"{path}/more", f"{path}/less"])

    def _maze(self, _: list[str], __: dict[str, str], path: str) -> Reply:
        self._note("maze", path)
        ways = [f"{path}/{word}" for word in random.Random(path).sample(WORDS, 3)]
        return page("A maze", "You are in a maze of twisty little passages, all alike.", ways)

    def _shop(self, _: list[str], query: dict[str, str], path: str) -> Reply:
        if query:
            self._note("shop", path)
        chosen = {name: query[name] for name in ("colour", "size", "sort", "view") if name in query}
        options = (
            [("colour", one) for one in COLOURS] + [("size", one) for one in SIZES] + [("sort", one) for one in SORTS]
        )
        ways = [{**chosen, name: value} for name, value in options]
        links = [
            "/shop?" + "&".join(f"{n}={v}" for n, v in sorted(way.items(), reverse=len(way) % 2 == 0)) for way in ways
        ]
        goods = [f"A {colour} coat of size {size}, warm in every winter." for colour in COLOURS for size in SIZES]
        kept = [
            one for one in goods if all(f" {value} " in f"{one} " or name == "sort" for name, value in chosen.items())
        ]
        return page("Coats", " ".join(kept or goods), links)


def title(number: int) -> str:
    digest = sha256(f"title {number}".encode()).digest()
    return f"The {' '.join(WORDS[byte % len(WORDS)] for byte in digest[:4])} of year {number}"


def story(number: int) -> str:
    """Sentences that no other story has."""
    made: list[str] = []
    for part in range(6):
        digest = sha256(f"{number}/{part}".encode()).digest()
        made.append(f"The {' '.join(WORDS[byte % len(WORDS)] for byte in digest[:24])} came by.")
    return " ".join(made)


def spelling(number: int, at: int) -> str:
    """One of the addresses that an article is linked by."""
    return (
        f"/post/{number}",
        f"/post/{number}/",
        f"/post/{number}?utm_source=archive&fbclid=abc",
        f"/post/{number};jsessionid=0A1B2C3D4E5F60718293",
        f"/post/{number}/index.html",
        f"/post/{number}?PHPSESSID={_noise(str(number))}",
        f"/old/{number}",
        f"/post/{number}#part-2",
        f"/post/{number}?pk_campaign=x",
    )[at % 9]


def page(name: str, text: str, links: list[str], *, head: str = "", canonical: str | None = None) -> Reply:
    said = f"<link rel='canonical' href='{canonical}'>" if canonical else ""
    listed = "".join(f"<li><a href='{link}'>{link.partition('?')[0]}</a></li>" for link in links)
    return Reply(
        f"<!doctype html><html lang='en'><head><title>{name}</title>{said}{head}</head><body><main><article>"
        f"<h1>{name}</h1><p>{text}</p></article></main><nav><ul>{listed}</ul>"
        "<a rel='nofollow' href='/private/no'>no</a></nav></body></html>"
    )


def _noise(of: str) -> str:
    return sha256(of.encode()).hexdigest()[:24]


class _Pages(dict[str, Any]):
    """What the site answers, for a server that looks its pages up by path."""

    def __init__(self, site: "GeneratedSite") -> None:
        super().__init__()
        self._site = site

    def get(self, key: str, default: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        if key in self:
            return self[key]
        return self._site.answer(key) or default


@contextmanager
def serving_site(posts: int, **own: Reply) -> Iterator[GeneratedSite]:
    """The site, running. `own` are pages by path that are answered otherwise."""
    server = WebServer()
    site = GeneratedSite(server, posts)
    server.pages = _Pages(site)
    with serving(server):
        yield site
