"""What axe-core finds wrong with a page, for those who see, hear or point otherwise (WCAG 2.2 A and AA)."""

from playwright.sync_api import Page

from tests.system.running import REPO

AXE = REPO / "writer" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}))
    .violations.map(({id, nodes}) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`)"""

_WIDER = """document.documentElement.scrollWidth > innerWidth
    || [...document.querySelectorAll('main')].some((main) => main.scrollWidth > main.clientWidth)"""

_STILL = """() => Promise.all(document.getAnimations()
    .filter((one) => one.effect?.getComputedTiming().endTime !== Infinity)
    .map((one) => one.finished.catch(() => undefined)))"""


def violations(page: Page) -> list[str]:
    """One line each, in both themes; the theme that was there is there again."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.evaluate(_STILL)  # what fades in has to have faded in
        found += [f"{theme} {one}" for one in page.evaluate(RUN)]
    page.emulate_media(color_scheme="light")
    return found


def overflows(page: Page, width: int = 360) -> bool:
    """Whether a page of that width has to be scrolled sideways."""
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": 740})
    # Another width is laid out a moment later.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 200)))")
    found = bool(page.evaluate(_WIDER))
    if before:
        page.set_viewport_size(before)
    return found
