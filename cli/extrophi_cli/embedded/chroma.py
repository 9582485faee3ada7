"""A Chroma server of our own beside the other parts, where vectors are to be searched in ChromaDB."""

import shutil
import subprocess
import sys
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path

from extrophi_cli.embedded.services import ROOT
from extrophi_cli.errors import UNREACHABLE, CommandError
from extrophi_cli.settings import is_given, read


def is_asked_for() -> bool:
    """Whether a new library shall have its vectors in ChromaDB."""
    return read("VECTOR_STORE") == "chroma"


def is_wanted(home: Path) -> bool:
    """Whether vectors are, or are to be, in a Chroma server of our own: it was asked for, or has data."""
    return not is_given("CHROMA_URL") and (is_asked_for() or (home / "backend" / "chroma").is_dir())


def is_installed() -> bool:
    invalidate_caches()
    return find_spec("chromadb_rust_bindings") is not None


def install() -> None:
    """Into this environment, from the hashed list: the server alone, 60 MB. Raises CommandError."""
    arguments = ["--require-hashes", "--no-deps", "--only-binary", ":all:"]
    arguments += ["-r", str(ROOT / "backend" / "requirements-chroma-server.txt")]
    uv = shutil.which("uv")
    command = [uv, "pip", "install", "-q", "--python", sys.executable] if uv else [sys.executable, "-P", "-m", "pip"]
    command += [] if uv else ["install", "-q", "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode or not is_installed():
        raise CommandError(
            f"ChromaDB could not be installed: {done.stdout.strip()[-500:]}",
            hint="Set CHROMA_URL to a Chroma server, or leave VECTOR_STORE unset.",
            code=UNREACHABLE,
        )
