"""Which pages a browser may find more in, and how it is sent there: as politely as any other request."""

from dataclasses import dataclass

from extrophi_backend.collectors.web.blocked import JAVASCRIPT_NEEDED, Block
from extrophi_backend.collectors.web.shown import LINE, Shown, letters
from extrophi_backend.extraction.errors import ExtractionFailed
from extrophi_backend.extraction.html import parse_page
from extrophi_backend.extraction.models import Extracted
from extrophi_backend.fetch.browser import Browser
from extrophi_backend.fetch.client import Fetcher
from extrophi_backend.fetch.rendered import Rendered


@dataclass(frozen=True, slots=True)
class Renderer:
    """Sends the worker's browser to pages."""

    browser: Browser
    fetcher: Fetcher

    async def render(self, url: str, *, typed: bool) -> Rendered:
        """The page at `url`, which has just been fetched, once its scripts have run.

        It is asked for again, in its host's pace. Where it leads on, robots.txt is heeded, unless a person typed it.

        Raises:
            FetchFailed, Wait: as `Browser.render` and `Fetcher.turn`.
        """

        async def may_visit(address: str) -> None:
            await self.fetcher.turn(address, typed=typed)

        await may_visit(url)
        return await self.browser.render(url, may_visit=may_visit)


def wants_browser(found: Extracted | Block | ExtractionFailed, body: bytes, media_type: str) -> bool:
    """Whether a page says next to nothing as it was sent, and has scripts that may say more.

    Args:
        found: What was found in it.
        body: As sent.
        media_type: As declared, for its charset.
    """
    if isinstance(found, Block):
        return found == JAVASCRIPT_NEEDED
    says_little = found.code == "no_text" if isinstance(found, ExtractionFailed) else letters(found.text) < LINE
    if not says_little or b"<script" not in body.lower():
        return False
    try:
        root = parse_page(body, media_type)
    except ExtractionFailed:
        return False
    return Shown(200, body, "", "", "", root).has_scripts
