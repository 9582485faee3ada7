"""The desktop program as a person has it: its window on a display of its own, driven by WebDriver (W3C).

`tauri-driver` passes what it is asked on to WebKitWebDriver, which starts the program. The program gets folders, a bus
and a display of the test's own, so that it knows nothing of the person whose machine this is.
"""

import base64
import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from tests.system.running import eventually, free_port

IDENTIFIER = "org.extrophi.writer"
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver, section 12
ENTER, SHIFT, CONTROL, ALT, END, DOWN = "\ue007", "\ue008", "\ue009", "\ue00a", "\ue010", "\ue015"
# WebKitWebDriver waits for the next thing that is painted: where nothing moves, for ever. A dot that nobody sees moves.
_STIR = """const dot = window.stirring = document.body.appendChild(document.createElement('div'));
    dot.style.cssText = 'position: fixed; inset: 0 auto auto 0; width: 1px; height: 1px';
    dot.animate([{ background: '#0000' }, { background: '#00000002' }], { duration: 200, iterations: Infinity });"""
T = TypeVar("T")


class DriverError(Exception):
    """WebDriver refused, by its own name for it."""


@dataclass(frozen=True)
class Element:
    window: "Window"
    id: str

    def click(self) -> None:
        self.window.ask("POST", f"/element/{self.id}/click", {})

    def type(self, text: str) -> None:
        self.window.ask("POST", f"/element/{self.id}/value", {"text": text})

    def clear(self) -> None:
        self.window.ask("POST", f"/element/{self.id}/clear", {})

    @property
    def text(self) -> str:
        return str(self.window.ask("GET", f"/element/{self.id}/text"))


@dataclass
class Window:
    """The program's one window."""

    client: httpx.Client
    session: str
    binary: Path
    environment: dict[str, str]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return _ask(self.client, method, f"/session/{self.session}{path}", body)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script: str, *arguments: Any) -> Any:
        """What a script gives to the function that is its last argument."""
        return self.ask("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def all(self, xpath: str) -> list[Element]:
        found = self.ask("POST", "/elements", {"using": "xpath", "value": xpath})
        return [Element(self, one[_ELEMENT]) for one in found]

    def one(self, xpath: str, *, seconds: float = 60) -> Element:
        """The first that is shown, once there is one."""

        def look() -> Element | None:
            return next((one for one in self.all(xpath) if self.ask("GET", f"/element/{one.id}/displayed")), None)

        return until(look, f"no {xpath}", seconds=seconds)

    def button(self, name: str) -> Element:
        return self.one(f"//button[not(@disabled) and (normalize-space(.)={name!r} or @aria-label={name!r})]")

    def field(self, label: str) -> Element:
        """In its label, or named by it."""
        named = f"label[starts-with(normalize-space(.), {label!r})]"
        return self.one(f"//{named}//input | //*[@id=//{named}/@for]")

    def says(self, text: str, *, seconds: float = 60) -> None:
        until(
            lambda: text in str(self.run("return document.body.innerText")) or None,
            f"never said {text!r}",
            seconds=seconds,
        )

    @property
    def editor(self) -> Element:
        return self.one("//*[@role='textbox' and @aria-label='Draft']")

    @property
    def place(self) -> str:
        return str(self.run("return location.hash"))

    def text(self) -> str:
        """The draft's text as its editor shows it. Only short ones are shown whole."""
        script = (
            "return [...document.querySelectorAll('.cm-content .cm-line')].map((one) => one.textContent).join('\\n')"
        )
        return str(self.run(script))

    def shows(self, text: str) -> None:
        until(lambda: text in self.text() or None, f"the draft never showed {text!r}")

    def picture(self, path: Path) -> None:
        self.run(_STIR)
        path.write_bytes(base64.b64decode(self.ask("GET", "/screenshot")))
        self.run("window.stirring.remove()")

    @property
    def process(self) -> psutil.Process:
        for process in psutil.process_iter(["exe"]):
            if process.info["exe"] == str(self.binary) and process.environ().get("HOME") == self.environment["HOME"]:
                return process
        raise AssertionError("the program does not run")

    def close(self) -> None:
        """As a person does: by the window's own button. Gives the program's end."""
        process = self.process
        subprocess.run(["wmctrl", "-c", "Extrophi"], env=self.environment, check=True)
        process.wait(timeout=30)

    def kill(self) -> None:
        """SIGKILL: no handler gets to tidy up."""
        process = self.process
        process.kill()
        with suppress(psutil.TimeoutExpired):
            process.wait(timeout=10)

    def hand(self, *arguments: str) -> None:
        """As the system does with a link or a file: the program is started with it."""
        subprocess.run([self.binary, *arguments], env=self.environment, check=True, timeout=60, capture_output=True)


@dataclass
class Person:
    """Somebody at this machine: their folders, their bus, their display."""

    home: Path
    binary: Path
    environment: dict[str, str]

    @property
    def memory(self) -> Path:
        return self.home / "config" / IDENTIFIER / "desktop.json"

    @contextmanager
    def program(self, *arguments: str, **variables: str) -> Generator[Window]:
        """The program from its start to its end, however that comes."""
        port, native = free_port(), free_port()
        environment = self.environment | variables
        log = (self.home / "driver.log").open("ab")
        driver = subprocess.Popen(
            ["tauri-driver", "--port", str(port), "--native-port", str(native)],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, trust_env=False) as client:
                eventually(lambda: _answers(client) or None, seconds=30)
                options = {"application": str(self.binary), "args": list(arguments)}
                wanted = {"capabilities": {"alwaysMatch": {"browserName": "wry", "tauri:options": options}}}
                session = _ask(client, "POST", "/session", wanted)["sessionId"]
                window = Window(client, session, self.binary, environment)
                # It shows nothing of ours before its script has run.
                until(lambda: window.run("return document.querySelector('main, dialog') !== null") or None, "no page")
                try:
                    yield window
                except AssertionError:
                    with suppress(DriverError, httpx.HTTPError):
                        print(f"It showed, at {window.place}:\n{window.run('return document.body.innerText')}")
                    raise
        finally:
            _end(driver)
            log.close()


def until(look: Callable[[], T | None], complaint: str, *, seconds: float = 60) -> T:
    """What `look` gives once it gives something. A page that is just changing counts as nothing yet."""
    deadline = time.monotonic() + seconds
    last: Exception | None = None
    while time.monotonic() < deadline:
        try:
            seen = look()
        except DriverError as error:
            last = error
        else:
            if seen is not None:
                return seen
        time.sleep(0.1)
    raise AssertionError(f"{complaint} within {seconds} s; last error: {last!r}")


def answer_dialog(person: Person, asked_by: Element, path: str) -> None:
    """Have the system's dialog come, and type a path into it, as one who knows it does.

    It completes what is typed, and where it is behind, it mixes the two up; where it was not ready for the first `/`,
    it takes the rest for a search. Then it is left and asked for again, with more patience.
    """

    def x(*command: str) -> str:
        done = subprocess.run(command, env=person.environment, capture_output=True, text=True, check=False)
        return done.stdout

    def dialogs() -> list[str]:
        listed = [line.split(maxsplit=3) for line in x("wmctrl", "-l").splitlines()]
        return [one[0] for one in listed if "Extrophi" not in one[-1]]

    def left() -> bool | None:
        x("xdotool", "key", "Escape")  # the complaint that stands before it, first
        return not dialogs() or None

    for patience in (1, 2, 4):
        asked_by.click()
        window = until(lambda: dialogs() or None, "no dialog came")[0]
        time.sleep(patience)
        x("xdotool", "windowactivate", "--sync", window)
        x("xdotool", "key", "ctrl+a")
        x("xdotool", "type", "--delay", str(80 * patience), path)
        time.sleep(patience)
        x("xdotool", "key", "Return")
        with suppress(AssertionError):
            until(lambda: not dialogs() or None, "it stays", seconds=5)
            return
        until(left, "it cannot be left")
    raise AssertionError(f"{path} was not taken")


def _ask(client: httpx.Client, method: str, path: str, body: Any) -> Any:
    response = client.request(method, path, json=body)
    try:
        value = response.json()["value"]
    except ValueError as error:
        raise DriverError(response.text) from error
    if response.status_code >= 400:
        raise DriverError(f"{value['error']}: {value['message']}")
    return value


def _answers(client: httpx.Client) -> bool:
    return client.get("/status").status_code < 500


def _end(driver: subprocess.Popen[bytes]) -> None:
    """It and all that it started, the program too."""
    below: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        below = psutil.Process(driver.pid).children(recursive=True)
    with suppress(ProcessLookupError):
        os.kill(driver.pid, signal.SIGTERM)
    for process in below:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    try:
        driver.wait(timeout=10)
    except subprocess.TimeoutExpired:
        driver.kill()
        driver.wait(timeout=10)
    psutil.wait_procs(below, timeout=10)
