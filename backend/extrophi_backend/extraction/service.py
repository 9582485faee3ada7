"""The text of a file, whatever its format.

What strangers wrote is read by big parsers, some of them in C++. HTML, PDF, DOCX, EPUB and long texts are therefore
read in a child process that can be killed: one that loops is killed when its time is over, one that eats memory meets
its limit, one that crashes takes nobody along.
"""

import asyncio
import resource
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from extrophi_backend.errors import Unavailable
from extrophi_backend.extraction.children import ChildDied, ChildNotStarted, children
from extrophi_backend.extraction.detecting import Format, detect
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.models import Extracted

T = TypeVar("T")

MAX_BYTES = 64 * 2**20
TIME_LIMIT = 60.0
"""Seconds. A book of a thousand pages takes about five."""
MEMORY_LIMIT = 3 * 2**30
"""Bytes of address space of a child. Address space, since nothing else can be limited for a process; what it
really uses is a fraction of it."""
_SMALL: dict[Format, int] = {"text": 256 * 1024, "markdown": 16 * 1024}
"""Up to this many bytes are read in a thread: a child would take longer to ask. Longer Markdown can be made slow."""


async def extract(
    body: bytes,
    *,
    media_type: str | None,
    name: str | None,
    url: str | None,
    max_bytes: int = MAX_BYTES,
    time_limit: float = TIME_LIMIT,
) -> Extracted:
    """The text, structure and metadata of `body`.

    Args:
        body: The whole file.
        media_type: As declared, `charset` and all; it decides only what the bytes leave open.
        name: A file's name. Its ending counts like `media_type`.
        url: Where it came from, for links and for a name.
        max_bytes: Longer bodies are refused unread.
        time_limit: Seconds.

    Raises:
        ExtractionFailed: for any bytes.
        Unavailable: no child process could be started; a matter of this machine, not of the file.
    """
    if len(body) > max_bytes:
        raise ExtractionFailed("too_large", f"It has {len(body):,} bytes; the limit is {max_bytes:,}.")
    if not body:
        raise ExtractionFailed("no_text", "It is empty.")
    format_ = detect(body, media_type=media_type, name=name, url=url)
    if len(body) <= _SMALL.get(format_, 0):
        return await asyncio.to_thread(extract_now, format_, body, media_type, url)
    return await in_child(extract_now, format_, body, media_type, url, time_limit=time_limit)


async def in_child(function: Callable[..., T], *arguments: Any, time_limit: float = TIME_LIMIT) -> T:
    """What `function` gives for `arguments`, in a child with limits.

    Args:
        function: Importable by name; what it takes, gives and raises can be pickled.
        arguments: Its arguments.
        time_limit: Seconds.

    Raises:
        ExtractionFailed: by `function`, or because it hung, crashed or ate too much memory.
        Unavailable: no child process could be started; a matter of this machine, not of the input.
    """
    try:
        return cast("T", await children().run(_limited, time_limit, function, arguments, time_limit=time_limit))
    except TimeoutError as error:
        raise ExtractionFailed("timeout", f"Reading it took longer than {time_limit:g} s.") from error
    except MemoryError as error:
        raise ExtractionFailed("too_large", "Reading it takes more memory than allowed.") from error
    except ChildNotStarted as error:
        raise Unavailable("A process to read files in could not be started.") from error
    except ChildDied as error:
        raise ExtractionFailed("unreadable", "The program that reads this format crashed over it.") from error


def extract_now(format_: Format, body: bytes, media_type: str | None, url: str | None) -> Extracted:
    """What `extract` gives, here and now: for a process that may die.

    Parsers are imported when needed: a child that reads PDFs does not carry the weight of the others.

    Raises:
        ExtractionFailed: for any bytes.
        MemoryError: by the process's limit.
    """
    # ruff: noqa: PLC0415
    try:
        match format_:
            case "text":
                from extrophi_backend.extraction.text import extract_text

                return extract_text(body, charset=charset_of(media_type))
            case "markdown":
                from extrophi_backend.extraction.markdown import extract_markdown

                return extract_markdown(body, charset=charset_of(media_type))
            case "html":
                from extrophi_backend.extraction.html import extract_html

                return extract_html(body, url=url, content_type=media_type)
            case "pdf":
                from extrophi_backend.extraction.pdf import extract_pdf

                return extract_pdf(body)
            case "docx":
                from extrophi_backend.extraction.docx import extract_docx

                return extract_docx(body)
            case "epub":
                from extrophi_backend.extraction.epub import extract_epub

                return extract_epub(body)
    except (ExtractionFailed, MemoryError, ImportError):  # ImportError: a broken installation is no file's fault
        raise
    except Exception as error:
        # The promise of this module: whatever a parser stumbles over is the file's fault, and a reason.
        raise ExtractionFailed("unreadable", f"Reading it as {format_} failed: {type(error).__name__}.") from error


def charset_of(media_type: str | None) -> str | None:
    """The `charset` of a media type, unchecked; None when it has none."""
    for parameter in (media_type or "").split(";")[1:]:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset":
            return value.strip().strip("\"'") or None
    return None


def _limited(time_limit: float, function: Callable[..., T], arguments: Sequence[Any]) -> T:
    _limit(resource.RLIMIT_AS, MEMORY_LIMIT)
    # Should the parent be killed, nobody is left to kill a child that loops: the kernel does.
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + time_limit) + 5)
    return function(*arguments)


def _limit(which: int, soft: int) -> None:
    hard = resource.getrlimit(which)[1]
    resource.setrlimit(which, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
