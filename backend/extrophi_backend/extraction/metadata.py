"""What a page says of itself in its head and marks: title, author, date, language, address.

Only what it says: nothing is guessed from the text, and what cannot be true (a date in the future, the address of
another site) is dropped.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from urllib.parse import urljoin, urlsplit, urlunsplit

from extrophi_backend.extraction.assembling import clean, one_line
from extrophi_backend.extraction.html_parts import words
from extrophi_backend.extraction.moments import parse_moment
from extrophi_backend.extraction.tree import Element, local_name

_MAX = 1000
"""Characters of a title or of all authors."""
_MAX_NODES = 2_000
"""Objects of a page's JSON-LD that are looked at."""
_OLDEST = datetime(1500, 1, 1, tzinfo=UTC)
_NO_DAYS = frozenset({date(1970, 1, 1), date(1969, 12, 31), date(1900, 1, 1), date(1899, 12, 30), date(1980, 1, 1)})
"""Where clocks and calendars of programs begin: what is written for “unknown”."""
_TITLE_NAMES = ("og:title", "twitter:title", "dc.title", "dcterms.title", "citation_title", "headline")
_AUTHOR_NAMES = (
    "author", "article:author", "parsely-author", "sailthru.author", "dc.creator", "dcterms.creator", "citation_author",
    "byl", "twitter:creator_name",
)  # fmt: skip
_DATE_NAMES = (
    "article:published_time", "og:article:published_time", "og:published_time", "og:pubdate", "datepublished",
    "publication_date", "publish_date", "publishdate", "publish-date", "published_time", "parsely-pub-date",
    "sailthru.date", "citation_publication_date", "citation_online_date", "dc.date.issued", "dcterms.issued",
    "dcterms.created", "dc.date.created", "dc.date", "dcterms.date", "pubdate", "article.published", "date",
    "originalpublicationdate", "cxenseparse:recs:publishtime", "ptime", "pdate", "article_date_original",
)  # fmt: skip
_ARTICLE_TYPES = re.compile(r"(?:Article|BlogPosting|Posting|Report|Review|Recipe|HowTo)\Z")
_SEPARATORS = r"\s+[|\-–—:·»•/]+\s+"


@dataclass(frozen=True, slots=True)
class Metadata:
    """`titles` are all the names the page gives itself, the best first; `published_at` is in UTC."""

    title: str
    titles: tuple[str, ...]
    author: str | None
    published_at: datetime | None
    language: str | None
    canonical_url: str | None
    body: str
    """The article's text as its JSON-LD has it, lines for paragraphs; empty when it has none."""


def read_metadata(root: Element, *, url: str | None, now: datetime) -> Metadata:
    """What the page says of itself.

    Args:
        root: The page's `html`.
        url: Where it came from. Without it no other address can be believed.
        now: Dates after it are no dates of publication.
    """
    marks = _Marks(root)
    linked = _linked_data(root, marks, url)
    titles = tuple(dict.fromkeys(_titles(marks, linked)))
    language = _language(root, marks, linked)
    return Metadata(
        title=titles[0] if titles else "",
        titles=titles,
        author=_author(marks, linked),
        published_at=_published(marks, linked, now, language),
        language=language,
        canonical_url=_canonical(marks, url),
        body=_body(linked),
    )


class _Marks:
    """The elements that say something about the page, gathered in one walk."""

    def __init__(self, root: Element) -> None:
        self.names: dict[str, list[str]] = {}
        self.properties: dict[str, list[Element]] = {}
        self.times: list[Element] = []
        self.headings: list[str] = []
        self.bylines: list[Element] = []
        self.title = self.canonical = self.base = self.content_language = self.article_language = ""
        for element in root.iter("*"):
            self._take(local_name(element).lower(), element)

    def _take(self, tag: str, element: Element) -> None:
        match tag:
            case "meta":
                self._take_meta(element)
            case "link" if "canonical" in element.get("rel", "").lower().split():
                self.canonical = self.canonical or element.get("href", "").strip()
            case "base":
                self.base = self.base or element.get("href", "").strip()
            case "title":
                self._take_title(element)
            case "h1" if len(self.headings) < 20:
                self.headings.append(_words_of(element))
            case "time" if len(self.times) < 100:
                self.times.append(element)
            case "body" | "main" | "article":
                self.article_language = self.article_language or element.get("lang", "")
            case _:
                pass
        for name in element.get("itemprop", "").split():
            self.properties.setdefault(name, []).append(element)
        if tag not in {"link", "meta"} and (
            "author" in element.get("rel", "").split() or _BYLINE.search(element.get("class", ""))
        ):
            self.bylines.append(element)

    def _take_title(self, element: Element) -> None:
        # An SVG's title is no page's.
        if not self.title and not any(local_name(above) == "svg" for above in element.iterancestors()):
            self.title = _words_of(element)

    def _take_meta(self, element: Element) -> None:
        name = (element.get("property", "") or element.get("name", "")).strip().lower()
        content = _line(element.get("content", ""))
        if name and content:
            self.names.setdefault(name, []).append(content)
        if element.get("http-equiv", "").strip().lower() == "content-language":
            self.content_language = self.content_language or content

    def first(self, names: tuple[str, ...]) -> Iterator[str]:
        for name in names:
            yield from self.names.get(name, ())[:1]


def _linked_data(root: Element, marks: _Marks, url: str | None) -> Mapping[str, Any]:
    """The object of the page's JSON-LD that is about the page; empty when there is none."""
    nodes: list[Mapping[str, Any]] = []
    for script in root.iter("script"):
        if "ld+json" in script.get("type", "").lower():
            nodes.extend(_nodes(script.text or ""))
    articles = [node for node in nodes if _is_article(node) or "datePublished" in node]
    if not articles:
        return {}
    addresses = {_address(one) for one in (url or "", marks.canonical, *marks.first(("og:url",)))} - {""}
    titles = [words(one) for one in (*marks.first(("og:title",)), marks.title, *marks.headings)]

    def fits(node: Mapping[str, Any]) -> tuple[bool, ...]:
        headline = words(_line(said)) if isinstance(said := node.get("headline"), str) else ()
        return (
            not addresses.isdisjoint(_addresses(node)),
            bool(headline) and any(headline == title[: len(headline)] for title in titles),
            "datePublished" in node,
            _is_article(node),
        )

    # Of several articles, the one that says it is this page's, by address or by name.
    best = max(articles, key=fits)
    return {**best, "author": _resolved(best.get("author"), nodes)} if "author" in best else best


def _addresses(node: Mapping[str, Any]) -> Iterator[str]:
    for key in ("url", "mainEntityOfPage", "@id"):
        said = node.get(key)
        said = cast("dict[str, Any]", said).get("@id") if isinstance(said, dict) else said
        if isinstance(said, str):
            yield _address(said)


def _address(said: str) -> str:
    """An address without what does not change the page: its scheme, `www.`, fragment and last slash."""
    return re.sub(r"\A(?:https?:)?//(?:www\.)?|#.*|/?\Z", "", said.strip().lower())


def _resolved(author: object, nodes: Sequence[Mapping[str, Any]]) -> object:
    """Authors as objects, where they are only pointed to by `@id`."""
    if isinstance(author, list):
        return [_resolved(one, nodes) for one in cast("list[Any]", author)[:20] if not isinstance(one, list)]
    known = cast("dict[str, Any]", author) if isinstance(author, dict) else {}
    if "name" in known or not isinstance(known.get("@id"), str):
        return author
    return next((node for node in nodes if node.get("@id") == known["@id"] and "name" in node), author)


def _nodes(source: str) -> Iterator[Mapping[str, Any]]:
    """The objects that stand on their own; what they list (related articles, comments) is not the page."""
    source = re.sub(r"\A\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[)|(?:-->|//\s*\]\]>|\]\]>)\s*\Z", "", source)
    try:
        waiting: list[Any] = [json.loads(source, strict=False)]
    except (ValueError, RecursionError):
        return
    seen = 0
    while waiting and seen < _MAX_NODES:
        found = waiting.pop(0)
        seen += 1
        if isinstance(found, list):
            waiting.extend(cast("list[Any]", found)[:_MAX_NODES])
        elif isinstance(found, dict):
            node = cast("dict[str, Any]", found)
            yield node
            waiting.extend(node[key] for key in ("@graph", "mainEntity", "mainEntityOfPage") if key in node)


def _is_article(node: Mapping[str, Any]) -> bool:
    kind = node.get("@type")
    kinds = cast("list[Any]", kind) if isinstance(kind, list) else [kind]
    return any(isinstance(one, str) and _ARTICLE_TYPES.search(one) for one in kinds)


def _body(linked: Mapping[str, Any]) -> str:
    body = linked.get("articleBody")
    if not isinstance(body, str):
        return ""
    return html.unescape(re.sub(r"<[^<>]{1,500}>", "\n", html.unescape(clean(body)))).replace("\xa0", " ")


def _titles(marks: _Marks, linked: Mapping[str, Any]) -> Iterator[str]:
    site = next(marks.first(("og:site_name", "application-name")), "")
    headline = linked.get("headline")
    said = [*marks.first(_TITLE_NAMES[:2]), _line(headline) if isinstance(headline, str) else ""]
    said += [*marks.first(_TITLE_NAMES[2:]), *(_words_of(element) for element in marks.properties.get("headline", ()))]
    # A single large heading is the title; of several, those that the page's `<title>` repeats.
    said += [one for one in marks.headings if len(marks.headings) == 1 or (one and one in marks.title)]
    for one in said:
        if one:
            yield _without_site(one, site)
    if marks.title:
        yield _without_site(marks.title, site)
        yield marks.title


def _without_site(title: str, site: str) -> str:
    """“A heron | The Pond” is “A heron”, where the site's own name is The Pond."""
    if site:
        shorter = re.sub(rf"{_SEPARATORS}{re.escape(site)}\s*\Z|\A{re.escape(site)}{_SEPARATORS}", "", title)
        return shorter or title
    return title


_BYLINE = re.compile(r"(?:^|[\s_-])(?:byline|author-?name|posted-by|entry-author)(?:$|[\s_-])", re.IGNORECASE)
_BY = re.compile(r"\A(?:(?:written|posted|published|story|words)\s+)?(?:by|von|par|por|door|di)\s*:?\s+", re.IGNORECASE)
_NO_NAME = re.compile(
    r"https?:|www\.|\.txt\b|[@{}<>|\d]|\A(?:admin|administrator|author|editor|none|null|undefined)\Z", re.IGNORECASE
)


def _author(marks: _Marks, linked: Mapping[str, Any]) -> str | None:
    names = _names(linked.get("author"))
    if not names:
        names = [one for name in _AUTHOR_NAMES for one in marks.names.get(name, ())[:20] if _is_name(one)]
        names = names if len(marks.names.get("citation_author", ())) > 1 else names[:1]
    if not names:
        elements = [*marks.properties.get("author", ())[:20], *marks.bylines[:20]]
        names = [one for element in elements if _is_name(one := _named(element)) and _is_pages_own(element)][:1]
    cleaned = [_BY.sub("", one).strip(" ,;") for one in names]
    return ", ".join(dict.fromkeys(one for one in cleaned if one))[:_MAX] or None


_ANOTHERS = re.compile(
    r"(?:^|[\s_-])(?:comment\w*|disqus\w*|repl(?:y|ies)|related\w*|recommend\w*|sidebar|teaser\w*|promo\w*|menu|nav\w*)(?:$|[\s_-])",
    re.IGNORECASE,
)


def _is_pages_own(byline: Element) -> bool:
    """It names who wrote the page, not who wrote a comment or another page, nor where all authors are."""
    for above in (byline, *byline.iterancestors()):
        tag = local_name(above)
        if tag in {"body", "html"}:
            break
        if tag in {"nav", "aside"} or (tag == "footer" and not any(map(_is_whole, above.iterancestors()))):
            return False
        if above.get("itemprop", "") == "comment" or above.get("itemtype", "").endswith("Comment"):
            return False
        if tag not in {"article", "main"} and _ANOTHERS.search(f"{above.get('class', '')} {above.get('id', '')}"):
            return False
    return True


def _is_whole(element: Element) -> bool:
    return local_name(element) in {"article", "main"}


def _names(author: object) -> list[str]:
    authors = cast("list[Any]", author)[:20] if isinstance(author, list) else [author]
    names: list[str] = []
    for one in authors:
        name = cast("dict[str, Any]", one).get("name") if isinstance(one, dict) else one
        several = cast("list[Any]", name)[:20] if isinstance(name, list) else [name]
        names.extend(_line(each) for each in several if isinstance(each, str))
    return [name for name in names if _is_name(name)]


def _named(element: Element) -> str:
    if element.get("content", ""):
        return _line(element.get("content", ""))
    for inner in element.iter("*"):
        if inner.get("itemprop", "") == "name" or (inner is not element and "author" in inner.get("rel", "").split()):
            return _line(inner.get("content", "")) or _words_of(inner)
    return _words_of(element)


def _is_name(text: str) -> bool:
    return 2 <= len(text) <= 120 and len(text.split()) <= 14 and not _NO_NAME.search(text)


def _published(marks: _Marks, linked: Mapping[str, Any], now: datetime, language: str | None) -> datetime | None:
    best = None
    for written in _dates(marks, linked):
        moment = parse_moment(written, language)
        # A day without an hour may be today's in a time zone that is ahead of ours.
        if (
            moment is None
            or moment.date() in _NO_DAYS
            or not _OLDEST <= moment <= now + timedelta(hours=14 if _is_day(moment) else 1)
        ):
            continue
        if best is None:
            best = moment
        # One place says the day, another the hour too.
        if not _is_day(moment) and abs(moment - best) <= timedelta(days=1, hours=14):
            return moment
    return best


def _is_day(moment: datetime) -> bool:
    return (moment.hour, moment.minute, moment.second) == (0, 0, 0)


def _dates(marks: _Marks, linked: Mapping[str, Any]) -> Iterator[str]:
    said = linked.get("datePublished")
    if isinstance(said, str):
        yield said
    yield from marks.first(_DATE_NAMES)
    for element in marks.properties.get("datePublished", ()):
        yield element.get("content", "") or element.get("datetime", "") or _words_of(element)
    times = [
        time for time in marks.times if not _MODIFIED.search(time.get("class", "") + " " + time.get("itemprop", ""))
    ]
    for time in times:
        if "pubdate" in time.attrib or _PUBLISHED.search(time.get("class", "")):
            yield time.get("datetime", "") or _words_of(time)
    for time in times:
        if time.get("datetime", "") and (_belongs(time) or len(marks.times) == 1):
            yield time.get("datetime", "")


_MODIFIED = re.compile(r"updat|modif", re.IGNORECASE)
_PUBLISHED = re.compile(r"publish|entry-date|posted", re.IGNORECASE)


def _belongs(time: Element) -> bool:
    """To the article itself, not to one that the page merely lists, nor to a comment."""
    inside = False
    for above in time.iterancestors():
        tag = local_name(above)
        if tag in {"li", "nav", "a", "table"}:
            return False
        inside = inside or tag in {"article", "main"}
        if tag in {"aside", "footer"} or _UNRELATED.search(above.get("class", "") + " " + above.get("id", "")):
            return False
    return inside


_UNRELATED = re.compile(r"related|comment|recommend|sidebar|widget|teaser|card|promo", re.IGNORECASE)


_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]{1,8})*\Z", re.IGNORECASE)
_NO_LANGUAGE = frozenset({"und", "mul", "zxx", "mis"})


def _language(root: Element, marks: _Marks, linked: Mapping[str, Any]) -> str | None:
    """The language alone (`en` of `en-GB`): filters compare whole words."""
    xml_language = root.get("{http://www.w3.org/XML/1998/namespace}lang", "") or root.get("xml:lang", "")
    in_linked = linked.get("inLanguage")
    for said in (
        root.get("lang", ""),
        xml_language,
        marks.content_language.partition(",")[0],
        marks.article_language,
        in_linked if isinstance(in_linked, str) else "",
        next(marks.first(("og:locale",)), ""),  # last: many a site leaves its program's own en_US
    ):
        match = _LANGUAGE.match(said.strip())
        if match and match[1].lower() not in _NO_LANGUAGE:
            return match[1].lower()
    return None


def _canonical(marks: _Marks, url: str | None) -> str | None:
    """The page's own address for itself, if it is another one of the same site."""
    if not url:
        return None
    for said in (marks.canonical, next(marks.first(("og:url",)), "")):
        found = _absolute(said, marks.base, url)
        if found is None:
            continue
        # A template that names the front page on every page would make one document of all.
        if urlsplit(found).path in {"", "/"} and urlsplit(url).path not in {"", "/"}:
            continue
        return found if found != url else None
    return None


def _absolute(said: str, base: str, url: str) -> str | None:
    if not said:
        return None
    try:
        found = urlsplit(urljoin(urljoin(url, base), said))
        if found.scheme not in {"http", "https"} or not found.hostname or found.username is not None:
            return None
        _ = found.port
        address = re.sub(r"\s", "%20", urlunsplit(found._replace(netloc=found.netloc.lower(), fragment="")))
        return address if len(address) <= 2000 and _same_site(found.hostname, urlsplit(url).hostname) else None
    except ValueError:
        return None


def _same_site(one: str, other: str | None) -> bool:
    """By the public suffix list: `m.site.co.uk` and `www.site.co.uk` are one site, two sites of `github.io` are not."""
    if other is None or one == other:
        return one == other
    return _site(one) is not None and _site(one) == _site(other)


def _site(host: str) -> str | None:
    """The part of a host's name that somebody registered; None for an address in numbers."""
    from tld import get_fld  # noqa: PLC0415  reads its list when imported; pages without another address need none

    if ":" in host or host.rpartition(".")[2].isdigit():
        return None
    # The list's own default: of a suffix it does not know, the last label.
    return get_fld(f"http://{host}/", fail_silently=True, search_private=True) or ".".join(host.split(".")[-2:])


def _words_of(element: Element) -> str:
    return _line(" ".join("".join(element.itertext()).split())[: 4 * _MAX])


def _line(text: str) -> str:
    return one_line(clean(html.unescape(text)))[:_MAX]
