"""Google Takeout's YouTube part: the lists that a person has made, and what they have watched.

Its folders and files have names in the person's language: what a file holds is told by what stands in it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from extrophi_backend.archives.models import Contents, Kind, Part
from extrophi_backend.archives.reading import Archive, shown

_MEMBERS = re.compile(
    r"(?:youtube[^/]*/|(?:^|/)(?:playlists|history)/)(?:.*/)?[^/]*\.(?P<kind>csv|json|html)$", re.IGNORECASE
)
_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_WATCHED = re.compile(
    r"(?:youtube\.com/(?:watch\?v(?:=|\\u003d)|shorts/)|youtu\.be/)([A-Za-z0-9_-]{11})(?![A-Za-z0-9_-])"
)
_CHANNEL = re.compile(r"UC[A-Za-z0-9_-]{22}")
_LIST = re.compile(r"-videos$", re.IGNORECASE)


def _look(archive: Archive) -> Contents | None:
    lists, watched, channels = _lists(archive), list(_watched(archive)), _channels(archive)
    if not (lists or watched or channels):
        return None
    becomes = "each its description, chapters and captions"
    parts = [Part(f"videos of the list “{shown(name)}”", len(ids), becomes, ids) for name, ids in lists.items()]
    if watched:
        parts.append(Part("videos of the history", len(watched), becomes, watched))
    if channels:
        parts.append(Part("channels that are followed (`extrophi add` collects one)", channels, ""))
    return Contents("youtube", "YouTube, from Google Takeout", parts)


def _sent(archive: Archive, name: str) -> Iterator[str] | None:
    """Ids of videos alone, and of channels: no titles, no times, and nothing of comments, chats or purchases."""
    if name.lower().endswith(".csv"):
        kept = _ids(archive, name)
        kept += [f"{line[0]},{line[1]}" for line in archive.lines(name) if _is_channel(line)]
        return (f"{one}\n" for one in kept) if kept else None
    first = next(archive.matches(name, _WATCHED), None)
    if first is None:
        return None
    return (f"https://www.youtube.com/watch?v={match[1]}\n" for match in archive.matches(name, _WATCHED))


KIND = Kind("youtube", _MEMBERS, _look, _sent)


def videos(archive: Archive) -> Iterator[str]:
    """The ids of all videos that the archive names, each once: those of lists first, then the history's, newest first.

    Raises:
        BadArchive.
    """
    seen: set[str] = set()
    for ids in (*_lists(archive).values(), _watched(archive)):
        for one in ids:
            if one not in seen:
                seen.add(one)
                yield one


def _lists(archive: Archive) -> Mapping[str, list[str]]:
    """Videos by the list's name, be it in several parts. A table of something else has no ids of videos."""
    found: dict[str, list[str]] = {}
    for name in _members(archive, "csv"):
        if ids := _ids(archive, name):
            title = _LIST.sub("", PurePosixPath(name).stem)
            found[title] = list(dict.fromkeys([*found.get(title, ()), *ids]))
    return found


def _ids(archive: Archive, name: str) -> list[str]:
    """The ids of videos in a table's first column.

    Its columns are named in the first line; in older exports, those of the videos after an empty one. Such a name
    may look like an id, in some languages: `Playlist-ID`. What was sent has ids alone, and no names.
    """
    ids: list[str] = []
    are_names = True
    for line in archive.lines(name):
        if line and _ID.fullmatch(line[0]) and not (are_names and len(line) > 1):
            ids.append(line[0])
        are_names = not any(line)
    return ids


def _watched(archive: Archive) -> Iterator[str]:
    seen: set[str] = set()
    for kind in ("json", "html"):
        for name in _members(archive, kind):
            for match in archive.matches(name, _WATCHED):
                if match[1] not in seen:
                    seen.add(match[1])
                    yield match[1]


def _channels(archive: Archive) -> int:
    return len({line[0] for name in _members(archive, "csv") for line in archive.lines(name) if _is_channel(line)})


def _is_channel(line: Sequence[str]) -> bool:
    return len(line) >= 2 and _CHANNEL.fullmatch(line[0]) is not None and line[0] in line[1]


def _members(archive: Archive, kind: str) -> list[str]:
    matches = ((name, _MEMBERS.search(name)) for name in archive.names)
    return sorted(name for name, match in matches if match and match["kind"].lower() == kind)
