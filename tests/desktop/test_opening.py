"""Links and files that the system hands to the program, and what it hands to the system."""

from pathlib import Path

from tests.desktop.driver import Person, until
from tests.system.running import Running


def test_a_link_opens_a_document_at_its_passage(person: Person, kestrels: str) -> None:
    with person.program() as window:
        window.hand(f"extrophi://documents/{kestrels}?start=34&end=60")
        until(lambda: window.place == f"#/documents/{kestrels}?start=34&end=60" or None, "it led nowhere")
        window.says("Kestrels hover above motorway verges")
        window.hand(f"extrophi://settings/{kestrels}")
        window.hand("extrophi://documents/../../settings")
        window.hand("extrophi://documents/<script>alert(1)</script>")
        window.hand(f"extrophi://drafts/{kestrels}")  # told after the others: they led nowhere before it does
        until(lambda: window.place == f"#/drafts/{kestrels}" or None, "it led nowhere")


def test_a_link_starts_the_program_where_it_leads(person: Person, kestrels: str) -> None:
    with person.program(f"extrophi://documents/{kestrels}") as window:
        until(lambda: window.place == f"#/documents/{kestrels}" or None, "it led nowhere")


def test_a_file_that_is_no_draft_is_refused_in_words(person: Person, tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"")
    with person.program() as window:
        window.hand(str(tmp_path / "picture.png"))
        window.says("is no Markdown file")


def test_what_is_outside_opens_in_the_systems_browser(person: Person, extrophi: Running) -> None:
    seen = person.home / "opened"
    browser = person.home / "bin" / "xdg-open"
    browser.write_text(f'#!/bin/sh\necho "$1" >>{seen}\n')
    browser.chmod(0o755)
    with person.program() as window:
        window.run(
            """for (const href of arguments) {
                const link = document.body.appendChild(document.createElement('a'));
                link.href = href; link.target = '_blank'; link.click();
            }""",
            "javascript:document.title='run'",
            "file:///etc/passwd",
            "ssh://example.org",
            "https://example.org/a?b=c",
            "mailto:ida@example.org",
        )
        until(lambda: (seen.exists() and len(seen.read_text().split()) == 2) or None, "no browser was opened")
        assert seen.read_text().split() == ["https://example.org/a?b=c", "mailto:ida@example.org"]
        assert window.run("return location.href").startswith("tauri://localhost")


def test_no_other_page_can_be_shown_nor_reach_the_machine(person: Person, extrophi: Running) -> None:
    with person.program() as window:
        window.run("location.href = arguments[0]", f"{extrophi.client.base_url}/openapi.json")
        window.run("open(arguments[0])", f"{extrophi.client.base_url}/openapi.json")
        window.says("Drafts")
        assert window.run("return location.href").startswith("tauri://localhost")
        # What is not granted by name is refused, also to our own page.
        for command in ["plugin:window|close", "plugin:fs|read_file", "plugin:shell|execute", "plugin:webview|print"]:
            refused = window.wait(
                """const [command, done] = arguments;
                window.__TAURI_INTERNALS__.invoke(command).then(() => done('done'), (error) => done(String(error)))""",
                command,
            )
            assert "not allowed" in refused or "not found" in refused, (command, refused)
        # The page reaches nothing by itself, Extrophi neither, and runs nothing that came as text.
        for script in [
            "fetch(arguments[0]).then(() => arguments[1]('done'), (error) => arguments[1](error.name))",
            """new Promise((_, fail) => { const one = new Image(); one.onload = () => arguments[1]('done');
               one.onerror = () => arguments[1]('refused'); one.src = arguments[0]; })""",
        ]:
            assert window.wait(script, f"{extrophi.client.base_url}/icon.svg") != "done"
        assert (
            window.run(
                """const one = document.createElement('script'); one.textContent = 'window.ran = true';
            document.body.append(one); return window.ran === true"""
            )
            is False
        )
