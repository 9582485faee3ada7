"""The program that is tested: what it needs of this machine, and its making."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.system.running import REPO

BINARY = REPO / "writer" / "src-tauri" / "target" / "debug" / "extrophi-desktop"
_TOOLS = [
    ("Xvfb", "xvfb"),
    ("WebKitWebDriver", "webkit2gtk-driver"),
    ("openbox", "openbox"),
    ("wmctrl", "wmctrl"),
    ("xdotool", "xdotool"),
    ("dbus-daemon", "dbus"),
    ("gnome-keyring-daemon", "gnome-keyring"),
    ("pkg-config", "pkg-config"),
    ("cc", "build-essential"),
]
_LIBRARIES = [("webkit2gtk-4.1", "libwebkit2gtk-4.1-dev"), ("librsvg-2.0", "librsvg2-dev")]


class NotHere(Exception):
    """What this machine lacks, and where it is had."""


def build() -> Path:
    """Build it from these sources. Cargo and Vite do only what changed."""
    look_around()
    made = subprocess.run(
        ["make", "-s", "desktop-program"], cwd=REPO, capture_output=True, text=True, check=False, timeout=3000
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return BINARY


def look_around() -> None:
    packages = _missing(_TOOLS)
    if "pkg-config" not in packages:
        packages += [package for library, package in _LIBRARIES if not _has_library(library)]
    if packages:
        raise NotHere(f"The desktop program needs Debian's packages: apt-get install {' '.join(packages)}")
    if _missing([("cargo", "cargo")]):
        raise NotHere("The desktop program needs Rust 1.89 or newer, with cargo and Clippy: https://rustup.rs")
    if _missing([("tauri-driver", "tauri-driver")]):
        raise NotHere("The desktop tests need tauri-driver: cargo install tauri-driver --locked")


def _missing(tools: Sequence[tuple[str, str]]) -> list[str]:
    return [package for tool, package in tools if shutil.which(tool) is None]


def _has_library(name: str) -> bool:
    return subprocess.run(["pkg-config", "--exists", name], check=False).returncode == 0
