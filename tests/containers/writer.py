"""The guide's command that builds the desktop program, typed in a fresh clone."""

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from tests.containers.guide import commands
from tests.containers.podman import ROOT, podman

NETWORK = ["--network", "host"] if "--network host" in os.environ.get("BUILD_FLAGS", "") else []
"""Where the engine's own network reaches no registry, as in builds."""
ROOTFUL = os.geteuid() == 0
PERSON = 1000 if ROOTFUL else os.geteuid()
HOUR = 3600
SOONER = [f"-e CARGO_PROFILE_RELEASE_{name}" for name in ("LTO=off", "CODEGEN_UNITS=16", "OPT_LEVEL=0")]
"""For tests: all but the compiler's last touch, which takes longer than the rest. `make reproducible` has it whole."""


@contextmanager
def volume() -> Generator[str]:
    """For the image's tools."""
    name = f"extrophi-test-{uuid4().hex[:12]}"
    podman("volume", "create", name)
    try:
        yield f"{name}:/tools"
    finally:
        podman("volume", "rm", "-f", name)


def copied(to: Path, owner: int = PERSON) -> Path:
    """A fresh clone: what git knows of, as it is now, and nothing else."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "writer"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for name in listed.split("\0"):
        if name and (ROOT / name).exists():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    for path in (to, *to.rglob("*")):
        os.lchown(path, owner, owner)
    to.chmod(0o755)
    return to


def guides_command(*flags: str) -> str:
    """Word for word, but for flags."""
    text = next(one.text for one in commands() if one.text.endswith("npm run tauri:build"))
    return text.replace("podman run", " ".join(["podman run", *flags]), 1)


@dataclass(frozen=True, slots=True)
class Clone:
    """Where the command was typed, what it said, the volume of its tools, and the image, as it was then."""

    folder: Path
    said: str
    tools: str
    image: str

    def again(self, *flags: str) -> str:
        text = guides_command("-v", self.tools, *SOONER, *flags)
        done = subprocess.run(
            ["bash", "-c", text], cwd=self.folder, capture_output=True, text=True, timeout=HOUR, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


class Compiling:
    """The command at work, beside whatever else is done meanwhile: that goes first, where the engine can see to it."""

    def __init__(self, folder: Path, tools: str, *flags: str) -> None:
        self._folder, self._tools = folder, tools
        self._image = podman("image", "inspect", "--format", "{{.Id}}", "extrophi-writer")
        self._name = f"extrophi-test-{uuid4().hex[:12]}"
        self._log = folder.parent / "said"
        last = ["--cpu-shares", "128"] if ROOTFUL else []
        text = guides_command("--name", self._name, "-v", tools, *NETWORK, *last, *flags)
        with self._log.open("w") as log:
            self._process = subprocess.Popen(["bash", "-c", f"exec {text}"], cwd=folder, stdout=log, stderr=log)

    def done(self) -> Clone:
        code = self._process.wait(HOUR)
        said = self._log.read_text()
        assert code == 0, said
        return Clone(self._folder, said, self._tools, self._image)

    def stop(self) -> None:
        podman("rm", "-f", "-v", "-i", "-t", "0", self._name)
        self._process.wait(60)
