"""`python -m extrophi_backend.vectors.server`: a Chroma server of our own, its data below EXTROPHI_DATA.

It listens on EXTROPHI_HOST, at CHROMA_URL's port, and serves whoever can reach it: it knows no keys.
"""

import os
import sys
from pathlib import Path

from extrophi_backend import packs
from extrophi_backend.settings import read_settings


def main() -> None:
    """Serve until SIGTERM. What was answered is on the disk."""
    settings = read_settings()
    if settings.chroma_url is None:
        sys.exit("CHROMA_URL: it says at which port to serve")
    try:
        folder = packs.unpacked("chroma")
        if folder is not None:
            sys.path.append(str(folder))
        import chromadb_rust_bindings  # noqa: PLC0415  it may just have been unpacked
    except (ImportError, packs.NotUnpacked) as error:
        sys.exit(f"VECTOR_STORE=chroma: there is no Chroma here ({error}). Set CHROMA_URL to a server elsewhere.")
    data: Path = settings.data / "chroma"
    data.mkdir(parents=True, exist_ok=True)
    _be_quiet()
    arguments = ["run", "--path", str(data), "--host", settings.host, "--port", str(settings.chroma_url.port)]
    chromadb_rust_bindings.cli(["chroma", *arguments])  # pyright: ignore[reportAttributeAccessIssue]


def _be_quiet() -> None:
    """It greets, and advertises, on standard output."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    main()
