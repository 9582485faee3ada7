"""Which parts of a page are its article.

trafilatura is good at finding the place, and careless about structure: nested lists, tables and code come out of it
with losses. So it only votes here: a part that it kept is *marked*; the article is what was marked, and what stands
among it and reads like it; whatever reads like a pointer, a call to subscribe or a byline goes.
"""

import re
from bisect import insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from extrophi_backend.extraction.html_furniture import (
    calls_to_act,
    claims_rights,
    credits_people,
    ends_like_a_sentence,
    labels,
    points_elsewhere,
)
from extrophi_backend.extraction.html_parts import Frame, Part, words

_SHINGLE = 4
_ALIKE = 0.6
"""The share of a part's shingles that must be in the votes; trafilatura leaves out inner elements of a paragraph."""
_PROSE = 150
"""Characters. Two lines of text: what is as long is no label, no caption and no button."""
_SENTENCE = 60
_LITTLE = 600
"""Characters. An article shorter than this that leaves most of the page's prose out has been missed."""
_WIDE = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")


def is_covered(voted: str, parts: Sequence[Part]) -> bool:
    """Most of what trafilatura takes for the text is in `parts`: the walk has not passed it by as hidden."""
    wanted = _shingles(words(voted))
    said = {shingle for part in parts for shingle in _shingles(part.words)}
    return sum(shingle in said for shingle in wanted) >= 0.5 * len(wanted)


def article(parts: Sequence[Part], voted: str, titles: Iterable[str], *, plain: bool = False) -> list[Part]:
    """The parts that are the page's article, in order.

    Args:
        parts: All of a page's.
        voted: What trafilatura takes for the article's text.
        titles: What the page calls itself: the article's text does not begin with it once more.
        plain: There is nothing but the article in the page: somebody's note, an entry of a feed.
    """
    if plain:
        return list(parts)
    known = {words(title) for title in titles}
    marked = _marked(parts, voted)
    _excuse(parts, marked)
    marked = _one_article(parts, marked, known)
    if _missed(parts, marked):
        marked = [_is_prose(part) for part in parts]
    complete = _completed(parts, marked)
    found = _trimmed(complete, known)
    if _bulk_of(found) < 0.5 * _bulk_of(complete):
        found = complete  # a chronology, a list of names: what reads like labels is the article
    return found or [part for part in parts if part.linked < 0.5] or list(parts)


def bulk(text: str) -> float:
    """How much `text` says, in characters of a Latin script; an ideograph says more."""
    return len(text) + 1.5 * len(_WIDE.findall(text))


def _marked(parts: Sequence[Part], voted: str) -> list[bool]:
    lines = {words(line) for line in voted.splitlines()}
    shingles = set(_shingles(words(voted)))
    return [_is_in(part, lines, shingles) for part in parts]


def _shingles(tokens: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip(*(tokens[at:] for at in range(_SHINGLE)), strict=False))


def _is_in(part: Part, lines: set[tuple[str, ...]], shingles: set[tuple[str, ...]]) -> bool:
    if part.words in lines:
        return bool(part.words)
    own = _shingles(part.words)
    return bool(own) and sum(shingle in shingles for shingle in own) >= _ALIKE * len(own)


def _excuse(parts: Sequence[Part], marked: list[bool]) -> None:
    """Believe no name of a sidebar or widget that most of the marked text stands in."""
    weight: Counter[Frame] = Counter()
    for part, taken in zip(parts, marked, strict=True):
        if taken and part.frame.beside is not None:
            weight[part.frame.beside] += len(part.text)
    most = 0.5 * sum(len(part.text) for part, taken in zip(parts, marked, strict=True) if taken)
    named: Counter[str] = Counter()
    for frame in weight:
        named[frame.name] += weight[frame]
    # Inner ones first: what they hold, those around them hold, too.
    waiting = sorted(weight, key=lambda frame: frame.depth)
    while waiting:
        frame = waiting.pop()
        frame.excused = weight[frame] > most or named[frame.name] > most
        outer = frame.parent.beside if frame.parent is not None else None
        if outer is not None:
            if outer not in weight:
                insort(waiting, outer, key=lambda one: one.depth)
            weight[outer] += weight[frame]


def _one_article(parts: Sequence[Part], marked: list[bool], titles: set[tuple[str, ...]]) -> list[bool]:
    """Where a page holds several `<article>`s (a blog's, one below the other), only the one it is about.

    Articles within that one (a live blog's entries) are its own. Beside it they may be its chapters: they go only if it
    has most of the text, or if they are headed as its equals, or by links to where they really stand.
    """
    sizes: Counter[Frame] = Counter()
    for part, taken in zip(parts, marked, strict=True):
        if taken and part.frame.article is not None:
            sizes[part.frame.article] += len(part.text)
    if len(sizes) < 3:
        return marked
    title = next(
        (
            part
            for part in parts
            if part.kind == "heading" and part.frame.article in sizes and part.linked < 0.5 and _is_title(part, titles)
        ),
        None,
    )
    if title is None or title.frame.article is None:
        return marked
    main = title.frame.article
    around = set(_articles(main))
    own = {frame for frame in sizes if main in _articles(frame) and not frame.furniture} | around
    if sum(sizes[frame] for frame in own) <= 0.5 * sizes.total():
        heads: dict[Frame, Part] = {}
        for part in parts:
            frame = part.frame.article
            if frame is not None and (part.kind == "heading" or part.linked > 0.6):
                first = heads.setdefault(frame, part)
                if part.kind == "heading" != first.kind:
                    heads[frame] = part
        own |= {frame for frame in sizes if frame not in heads or _is_chapter(heads[frame], title)}
    return [
        taken and (part.frame.article is None or part.frame.article in own)
        for part, taken in zip(parts, marked, strict=True)
    ]


def _is_chapter(head: Part, title: Part) -> bool:
    return head.kind == "heading" and head.linked < 0.5 and head.level > title.level


def _articles(frame: Frame) -> Iterator[Frame]:
    """An `<article>` and those around it."""
    above: Frame | None = frame
    while above is not None:
        yield above
        above = above.parent.article if above.parent is not None else None


def _is_prose(part: Part) -> bool:
    return not part.frame.furniture and part.linked < 0.4 and (part.kind == "code" or bulk(part.text) >= 60)


def _bulk_of(parts: Sequence[Part]) -> float:
    return sum(bulk(part.text) for part in parts)


def _missed(parts: Sequence[Part], marked: list[bool]) -> bool:
    """The votes are for a scrap of the page, or for nothing."""
    found = sum(bulk(part.text) for part, taken in zip(parts, marked, strict=True) if taken)
    prose = sum(bulk(part.text) for part in parts if _is_prose(part))
    return found < _LITTLE and found < 0.25 * prose


def _completed(parts: Sequence[Part], marked: list[bool]) -> list[Part]:
    """With what stands among the marked parts and is of their kind, but was left out."""
    indices = [index for index, taken in enumerate(marked) if taken]
    if not indices:
        return []
    weight: Counter[Frame] = Counter()
    for index in indices:
        weight[_holder(parts[index])] += len(parts[index].text)
    least = 0.02 * sum(weight.values())
    captions = sum(len(parts[index].text) for index in indices if parts[index].kind == "caption")
    chosen: list[Part] = []
    told: dict[tuple[str, ...], Frame] = {}
    end = indices[-1] + 1
    # Prose after the end is somebody else's more often than not; a list or a listing that ends the article is not.
    while end < len(parts) and parts[end].kind in _STRUCTURED and weight[_holder(parts[end])] >= 10 * least:
        end += 1
    for index in range(indices[0], end):
        part = parts[index]
        if part.kind == "caption":
            # What a picture shows is not the article's text, unless the article is its pictures.
            taken = marked[index] and captions > 20 * least
        else:
            taken = marked[index] or (
                not part.frame.furniture and part.linked <= 0.5 and weight[_holder(part)] >= least
            )
        if taken and len(part.words) >= 10:
            # Once for wide screens and once for narrow ones; a refrain stands in the same place as the first.
            taken = told.setdefault(part.words, _holder(part)) is _holder(part)
        if taken:
            chosen.append(part)
    return chosen


def _holder(part: Part) -> Frame:
    """The frame that holds a part beside others of its kind."""
    frame = part.frame
    while frame.parent is not None and frame.tag in _CARRIERS:
        frame = frame.parent
    return frame


_STRUCTURED = frozenset({"item", "code", "table"})
_CARRIERS = frozenset({
    "p", "li", "ul", "ol", "dl", "dd", "dt", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "table", "tbody",
    "tr", "td", "th", "thead",
})  # fmt: skip


def _trimmed(parts: list[Part], titles: set[tuple[str, ...]]) -> list[Part]:
    """Without pointers elsewhere, and without the lines that stand around an article."""
    weight: Counter[Frame] = Counter()
    for part in parts:
        weight[_holder(part)] += len(part.text)
    main = max(weight, key=lambda frame: weight[frame], default=None)
    kept = [part for part in parts if part.kind in {"code", "table"} or not _is_noise(part, main, weight)]
    prose = [index for index, part in enumerate(kept) if _is_text(part)]
    if prose:
        lists = Counter(_list_of(part) for part in kept if part.kind == "item")
        first, last = prose[0], prose[-1]
        head = [part for part in kept[:first] if not (_is_title(part, titles) or _stands_around(part, lists))]
        tail = [part for part in kept[last:] if not (credits_people(part.text) or _stands_around(part, lists))]
        kept = [*head, *kept[first:last], *tail]
    while kept and kept[-1].kind == "heading":
        kept.pop()
    return kept


def _is_text(part: Part) -> bool:
    """Long, or a whole sentence; a byline, a title or a list of tags is neither."""
    size = bulk(part.text)
    return part.linked < 0.5 and (
        size >= _PROSE or (size >= _SENTENCE and ends_like_a_sentence(part.text) and not credits_people(part.text))
    )


def _stands_around(part: Part, lists: Mapping[Frame, int]) -> bool:
    if part.kind in {"code", "table"}:
        return False
    # A byline can be a list of two; three dates are a chronology.
    listed = part.kind == "item" and not part.linked and lists[_list_of(part)] >= 3
    return part.linked > 0.6 or (labels(part.text) and not listed)


def _list_of(item: Part) -> Frame:
    frame = item.frame
    while frame.parent is not None and frame.tag not in {"ul", "ol", "dl"}:
        frame = frame.parent
    return frame


def _is_noise(part: Part, main: Frame | None, weight: Mapping[Frame, int]) -> bool:
    if part.kind == "item" and part.linked < 0.5:
        return False  # “Sign up for an account.” is a step of what an article explains
    heads = part.kind == "heading" and weight[_holder(part)] > len(part.text) + _PROSE
    return (
        points_elsewhere(part.text, part.linked)
        or calls_to_act(part.text, part.linked, heads=heads)
        # An agency's own notice stands in the text it sold, and is part of it.
        or (claims_rights(part.text) and _holder(part) is not main)
    )


def _is_title(part: Part, titles: set[tuple[str, ...]]) -> bool:
    return bool(part.words) and any(
        part.words == title or (len(part.words) >= 3 and title[: len(part.words)] == part.words) for title in titles
    )
