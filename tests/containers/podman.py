"""Podman as its users call it."""

import json
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

ROOT = Path(__file__).parent.parent.parent
IMAGES = ("extrophi-orchestrator", "extrophi-research", "extrophi-backend", "extrophi-writer")


def podman(*arguments: str, seconds: float = 60) -> str:
    """What it prints. Raises CalledProcessError."""
    return subprocess.run(
        ["podman", *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=seconds,
    ).stdout.strip()


def log(container: str) -> str:
    done = subprocess.run(["podman", "logs", container], check=False, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


def layers(image: str) -> list[str]:
    """Their digests, uncompressed."""
    return json.loads(podman("image", "inspect", image))[0]["RootFS"]["Layers"]


def base_of(image: str) -> str:
    """What it was built upon."""
    return f"docker.io/library/python:3.11-{'alpine' if 'orchestrator' in image else 'slim'}"


@dataclass(frozen=True, slots=True)
class Container:
    name: str
    port: int

    def ask(self, path: str) -> httpx.Response:
        """Its answer; half a minute is allowed until it takes connections."""
        return self.until(path, lambda _: True)

    def until(self, path: str, wanted: Any, seconds: float = 30) -> httpx.Response:
        """Its first answer that is as wanted, or the last one."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                answer = httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=10, trust_env=False)
            except httpx.TransportError:
                assert time.monotonic() < deadline, self.log()
            else:
                if wanted(answer) or time.monotonic() > deadline:
                    return answer
            time.sleep(0.05)

    def log(self) -> str:
        return log(self.name)

    def run(self, *command: str) -> str:
        return podman("exec", self.name, *command)

    def inspect(self) -> dict[str, Any]:
        return json.loads(podman("inspect", self.name))[0]


@contextmanager
def running(image: str, *flags: str) -> Generator[Container]:
    """A container of an image, as the guide runs it; gone afterwards."""
    name = f"extrophi-test-{uuid4().hex[:12]}"
    try:
        podman("run", "-d", "--name", name, "-p", "127.0.0.1::8000", *flags, image)
        port = int(podman("port", name, "8000/tcp").splitlines()[0].rsplit(":", 1)[1])
        yield Container(name, port)
    finally:
        podman("rm", "-f", "-v", "-i", "-t", "0", name)


@contextmanager
def kept() -> Generator[None]:
    """Other tests need the images: they outlive the guide's clean-up under another tag."""
    for image in IMAGES:
        podman("tag", f"{image}:latest", f"{image}:kept")
    try:
        yield
    finally:
        restore()
        for image in IMAGES:
            podman("rmi", f"{image}:kept")


def restore() -> None:
    for image in IMAGES:
        podman("tag", f"{image}:kept", f"{image}:latest")
