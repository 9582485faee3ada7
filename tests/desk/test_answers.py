"""Asking and investigating, as a person does it, with a chat model and without one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.chat_endpoint import ChatEndpoint, serving
from tests.desk.reading import QUESTION, READING, SENTENCE, collect_reading, faults
from tests.desk.watching import Watch
from tests.system.running import REPO, Running, eventually, up

LONGEST = 20_000  # ms until a chat model's first words are checked, where the machine does other things, too
HOSTILE = [
    f"{SENTENCE} [1]. <img src=https://evil.example/x.png onerror=alert(1)><script>alert(2)</script>\n\n",
    "![seen](https://evil.example/seen.png) [here](javascript:alert(3)) ",
    "[there](data:text/html,<script>alert(4)</script>)\n\n",
    '<a href="javascript:alert(5)">five</a> <https://outside.example/six> [1](https://evil.example/seven)\n\n',
    "[1]: https://evil.example/eight\n\n<svg onload=alert(9)>\n",
]


@pytest.fixture(scope="module")
def library(extrophi: Running) -> Running:
    collect_reading(extrophi)
    return extrophi


@dataclass(frozen=True)
class Chatting:
    """An Extrophi that answers by a chat model, which says what a test has it say."""

    running: Running
    model: ChatEndpoint

    @property
    def url(self) -> str:
        return str(self.running.client.base_url)

    def says(self, *pieces: str, waits_after: int | None = None) -> None:
        self.model.reply, self.model.waits_after, self.model.breaks_off = pieces, waits_after, False
        self.model.goes_on.clear()
        self.model.was_left.clear()


@pytest.fixture(scope="module")
def chatting() -> Iterator[Chatting]:
    with (
        serving() as model,
        up(CHAT_URL=model.url, CHAT_MODEL="small-chat", EXTROPHI_FILES_ROOTS=str(REPO)) as running,
    ):
        collect_reading(running)
        yield Chatting(running, model)


def ask(page: Page, question: str, base: str = "") -> None:
    page.goto(f"{base}/#/answers")
    field = page.get_by_role("textbox", name="What do you want to know?")
    field.fill(question)
    field.press("Enter")


def answer(page: Page) -> Locator:
    return page.get_by_role("region", name="Answer")


def numbers(page: Page) -> Locator:
    return answer(page).get_by_role("button", name=re.compile(r"^Source \d+"))


@pytest.mark.usefixtures("library")
def test_a_question_is_answered_from_the_sources_own_sentences(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.get_by_role("heading", name=QUESTION)).to_be_focused()
    expect(answer(page)).to_contain_text(SENTENCE)
    expect(page.get_by_text("Your sources’ own sentences")).to_be_visible()
    sources = page.get_by_role("region", name="Sources")
    expect(sources.get_by_role("listitem").first).to_contain_text("Ida Holm")
    assert faults(page) == []
    page.emulate_media(color_scheme="dark")
    assert faults(page) == []


@pytest.mark.usefixtures("library")
def test_a_number_shows_its_passage_to_pointer_and_keys_and_opens_it_in_its_place(page: Page) -> None:
    ask(page, QUESTION)
    numbers(page).first.hover()
    expect(page.get_by_role("tooltip")).to_contain_text(SENTENCE)
    page.get_by_role("tooltip").hover()  # it stays for who goes there to read
    expect(page.get_by_role("tooltip")).to_be_visible()
    page.mouse.move(0, 0)
    expect(page.get_by_role("tooltip")).to_be_hidden()
    page.get_by_role("heading", name=QUESTION).focus()
    page.keyboard.press("Tab")
    expect(numbers(page).first).to_be_focused()
    expect(page.get_by_role("tooltip")).to_contain_text("Ida Holm")
    page.keyboard.press("Escape")
    expect(page.get_by_role("tooltip")).to_be_hidden()
    page.keyboard.press("Enter")
    beside = page.get_by_role("complementary", name="Source")
    expect(beside.locator("mark").first).to_contain_text(SENTENCE.split()[0])
    page.wait_for_timeout(300)  # the passage is brought into the middle over some frames
    assert page.evaluate("document.querySelector('main').scrollTop + document.documentElement.scrollTop") == 0
    expect(numbers(page).first).to_be_focused()
    assert faults(page) == []
    page.set_viewport_size({"width": 800, "height": 800})  # no room beside: it is a page of its own
    numbers(page).first.click()
    expect(page).to_have_url(re.compile(r"#/documents/[0-9a-f-]{36}\?version=1&start=\d+&end=\d+"))


@pytest.mark.usefixtures("library")
def test_where_nothing_answers_one_is_told_what_was_looked_through(page: Page) -> None:
    ask(page, "What does photosynthesis need in winter?")
    expect(page.get_by_role("heading", name="Your library does not answer this")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^\d+ documents"))).to_be_visible()
    expect(page.get_by_role("definition").last).to_contain_text("None of that says anything of “photosynthesis”")
    expect(page.locator("article dl")).not_to_contain_text("file:///")  # told as links of ours instead
    expect(page.get_by_role("button", name="Keep")).to_be_hidden()
    assert faults(page) == []


@pytest.mark.usefixtures("library")
def test_filters_hold_and_are_named_with_the_answer(page: Page) -> None:
    page.goto("/#/answers")
    page.get_by_text("Filters").click()
    page.get_by_role("checkbox", name="Reddit").check()
    page.get_by_label("Published from").fill("2024-02-01")
    expect(page.get_by_text("2 filters")).to_be_visible()
    assert faults(page) == []
    field = page.get_by_role("textbox", name="What do you want to know?")
    field.fill(QUESTION)
    field.press("Enter")
    expect(page.get_by_text("Reddit · published from Feb 1, 2024").first).to_be_visible()
    expect(page.get_by_role("heading", name="Your library does not answer this")).to_be_visible()


def test_an_answer_is_kept_found_removed_and_brought_back(page: Page, library: Running) -> None:
    question = "Which phones get used in short gaps, and long articles read less?"
    ask(page, question)
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("The answer is kept.")).to_be_visible()
    page.goto("/#/answers")
    page.get_by_role("searchbox", name="Find a kept answer").fill("which PHONES")
    entry = page.get_by_role("link", name=re.compile(re.escape(question)))
    expect(entry).to_be_visible()
    assert faults(page) == []
    page.get_by_role("button", name=f"Remove: {question}").click()
    expect(entry).to_be_hidden()
    page.get_by_role("button", name="Undo").click()
    expect(entry).to_be_visible()
    kept = library.get("/api/answers")["items"]
    assert question in [one["question"] for one in kept]
    page.evaluate("sessionStorage.clear()")
    page.reload()
    entry.click()
    expect(answer(page)).to_contain_text("short gaps")
    page.reload()
    expect(page.get_by_role("button", name="Remove")).to_be_visible()


@pytest.mark.usefixtures("library")
def test_an_answer_that_is_not_kept_outlives_a_reload_and_says_where_it_is_not_known(page: Page, watch: Watch) -> None:
    ask(page, QUESTION)
    expect(answer(page)).to_contain_text(SENTENCE)
    page.reload()
    expect(answer(page)).to_contain_text(SENTENCE)
    watch.expects_failures = True
    page.goto("/#/answers/01981111-2222-7333-8444-555555555555")
    expect(page.get_by_role("heading", name="This answer is not kept")).to_be_visible()


@pytest.mark.usefixtures("library")
def test_it_is_copied_with_its_sources_as_footnotes(page: Page, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page, QUESTION)
    page.get_by_role("button", name="Copy with sources").click()
    expect(page.get_by_text("Copied, with its sources as footnotes.")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.search(r"short gaps.*” \[\^1\]\n", copied)
    assert re.search(
        r"^\[\^1\]: Ida Holm, \*Why long articles lose on phones\*, Files, Jan 16, 2024\.", copied, re.MULTILINE
    )


def test_it_is_put_into_a_new_draft_with_its_citations(page: Page, library: Running) -> None:
    ask(page, QUESTION)
    page.get_by_role("button", name="Put into a draft").click()
    page.get_by_role("button", name="A new draft").click()
    expect(page.get_by_role("textbox", name="Draft")).to_contain_text("short gaps")

    def saved() -> str | None:
        match = re.search(r"#/drafts/([0-9a-f-]{36})", page.url)
        found = library.client.get(f"/api/drafts/{match[1]}") if match else None
        return found.json()["text"] if found is not None and found.status_code == 200 else None

    text = eventually(saved)
    assert text.startswith(f"# {QUESTION}\n\n“{SENTENCE}")
    assert re.search(r"a meeting\.” \[@[^\]]+\]", text)
    draft = library.get(f"/api/drafts/{page.url.rpartition('/')[2]}")
    assert all(f"@{one['id']}" in text for one in draft["bibliography"])
    assert draft["bibliography"]


def test_an_answer_streams_is_stopped_and_stays_and_never_comes_into_another(page: Page, chatting: Chatting) -> None:
    # What is written is shown once it is sure to be no citation: the last words are held until there are more.
    chatting.says(f"{SENTENCE} [1]. ", "It was ", "the commonest entry in the notebook [1].", waits_after=2)
    ask(page, QUESTION, chatting.url)
    expect(answer(page)).to_contain_text("short gaps", timeout=LONGEST)
    expect(page.get_by_text("Answering …").first).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped. What had been said until then stays.").last).to_be_visible()
    assert chatting.model.was_left.wait(10)
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("The answer is kept.")).to_be_visible()
    stopped = page.url
    chatting.says(f"{SENTENCE} [1]. ", "The bus came [1].")
    field = page.get_by_role("textbox", name="Ask something else")
    field.fill("Why are phones used in short gaps?")
    field.press("Enter")
    expect(page.get_by_role("heading", name="Why are phones used in short gaps?")).to_be_visible()
    expect(page.get_by_text("Written by small-chat")).to_be_visible(timeout=LONGEST)
    assert faults(page) == []
    page.goto(stopped)
    expect(answer(page)).to_contain_text("short gaps", timeout=LONGEST)
    expect(answer(page)).not_to_contain_text("The bus came")


def test_what_breaks_off_says_so_and_is_asked_again(page: Page, chatting: Chatting) -> None:
    chatting.says(f"{SENTENCE} [1]. ", "And ", "then")
    chatting.model.breaks_off = True
    ask(page, QUESTION, chatting.url)
    expect(page.get_by_role("alert")).to_contain_text("What was shown is checked", timeout=LONGEST)
    expect(answer(page)).to_contain_text("short gaps", timeout=LONGEST)
    chatting.says(f"{SENTENCE} [1].")
    page.get_by_role("alert").get_by_role("button", name="Ask again").click()
    expect(page.get_by_text("Written by small-chat")).to_be_visible(timeout=LONGEST)


def test_a_hostile_answer_runs_nothing_and_asks_for_nothing(page: Page, chatting: Chatting) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    chatting.says(*HOSTILE)
    ask(page, QUESTION, chatting.url)
    expect(page.get_by_text("Written by small-chat")).to_be_visible(timeout=LONGEST)
    expect(answer(page)).to_contain_text("<script>alert(2)</script>")
    assert answer(page).locator("img, script, svg, iframe, object").count() == 0
    addresses = [str(one.get_attribute("href")) for one in answer(page).get_by_role("link").all()]
    assert all(address.startswith("https://") for address in addresses)
    assert "https://evil.example/seven" not in addresses


def test_hostile_sources_run_nothing(page: Page, extrophi: Running) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    evil = "<img src=https://evil.example/t.png onerror=alert(1)>"
    document = {
        "platform": "files",
        "external_id": "hostile-answer",
        "title": f"{evil} \u202ereversed",
        "author": f"<script>alert(2)</script>{'long' * 200}",
        "url": "javascript:alert(3)",
        "text": f"The capybara of Zanzibar eats {evil} reeds at dawn. [click](javascript:alert(4))",
        "format": "text",
    }
    extrophi.post("/api/documents", {"documents": [document]})
    # Found by word, once the index has taken it in: where a first one is still being built, that takes a while.
    eventually(lambda: extrophi.post("/api/search", {"query": "capybara Zanzibar"})["items"] or None)
    ask(page, "What does the capybara of Zanzibar eat at dawn?")
    expect(answer(page)).to_contain_text("onerror=alert(1)")
    numbers(page).first.hover()
    expect(page.get_by_role("tooltip")).to_contain_text("<script>alert(2)</script>")
    assert page.locator("main img, main script").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    width = page.evaluate("document.querySelector('main').scrollWidth - document.querySelector('main').clientWidth")
    assert width == 0


def test_an_investigation_shows_its_jobs_then_the_answer_and_is_found_again(page: Page, extrophi: Running) -> None:
    page.goto("/")
    page.keyboard.press("Control+k")
    line = page.get_by_role("combobox")
    line.fill(f"{READING} /nowhere/at/all {QUESTION}")
    expect(page.get_by_role("option", name=re.compile("^Collect"))).to_have_attribute("aria-selected", "true")
    line.press("Enter")
    expect(page).to_have_url(re.compile("#/investigations/"))
    jobs = page.get_by_role("region", name="What is collected")
    expect(jobs.get_by_text("/nowhere/at/all", exact=True)).to_be_visible()
    expect(jobs.get_by_text("not collected")).to_be_visible()
    expect(jobs.get_by_text("10 found")).to_be_visible(timeout=60_000)
    expect(answer(page)).to_contain_text(SENTENCE, timeout=60_000)
    assert faults(page) == []
    page.reload()
    expect(answer(page)).to_contain_text(SENTENCE)
    page.goto("/#/answers?list=investigations")
    page.get_by_role("link", name=re.compile(r"\?.*nowhere")).first.click()
    expect(answer(page)).to_contain_text(SENTENCE)
    assert extrophi.get("/api/investigations")["items"][0]["question"] == QUESTION


def test_an_investigation_is_stopped_and_says_so_when_it_has(page: Page, chatting: Chatting) -> None:
    chatting.says(f"{SENTENCE} [1]. ", "It was ", "the commonest entry [1].", waits_after=2)
    page.goto(f"{chatting.url}/")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill(f"{READING} {QUESTION}")
    page.keyboard.press("Enter")
    expect(answer(page)).to_contain_text("short gaps", timeout=60_000)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped. What had been said until then stays.").last).to_be_visible(timeout=30_000)
    investigation = page.url.rpartition("/")[2]
    assert chatting.running.get(f"/api/investigations/{investigation}")["status"] == "canceled"


@pytest.mark.usefixtures("library")
def test_it_fits_a_telephone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    ask(page, f"{QUESTION} {'Donaudampfschifffahrtsgesellschaft' * 4}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("phones")
    expect(page.get_by_role("option").last).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("document.querySelector('main').scrollWidth") <= 360
    assert faults(page) == []
