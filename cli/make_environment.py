"""Makes the clone's .venv, for ./extrophi: `make_environment.py ROOT STAMP`. Standard library only.

Two at once wait for each other by a lock. The stamp is written last, with the interpreter behind the environment: one
without it, left by a crash, or with another interpreter is made anew; one with another stamp, after a pull, gets the
new requirements.
"""

# ruff: noqa: INP001  run by its path, before any package of ours can be found
import fcntl
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

_STEPS = ("Downloading ", "Downloaded ", "Prepared ", "Installing ")
"""How the lines of uv and pip begin that say how far they are."""
COMPONENTS = ("backend", "cli", "orchestrator", "research")


def main() -> int:
    root, stamp = Path(sys.argv[1]), sys.argv[2]
    try:
        with Path(__file__).open("rb") as lock:  # flock takes any open file; this one is always there
            _wait_for(lock.fileno())
            file = root / ".venv" / ".extrophi"
            if not _is_done(file, f"{stamp} python: {_interpreter(root)}"):
                _make(root, file)
                aside = file.with_suffix(".new")
                aside.write_text(f"{stamp} python: {_interpreter(root)}\n")
                aside.replace(file)
    except KeyboardInterrupt:
        print("extrophi: interrupted; the next start goes on.", file=sys.stderr)
        return 130
    except (OSError, subprocess.CalledProcessError) as error:
        reason = error if isinstance(error, OSError) else f"installing failed (code {error.returncode}, see above)"
        print(f"extrophi: could not make {root / '.venv'}: {reason}", file=sys.stderr)
        return 3
    return 0


def _wait_for(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Another start is making the Python environment; waiting for it …", file=sys.stderr, flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)


def _interpreter(root: Path) -> str:
    """What `readlink -f` says of it in the script."""
    return os.path.realpath(root / ".venv" / "bin" / "python")


def _is_done(file: Path, stamp: str) -> bool:
    try:
        return file.read_text().strip() == stamp and (file.parent / "bin" / "python").exists()
    except OSError:
        return False


def _make(root: Path, stamp_file: Path) -> None:
    began = time.monotonic()
    environment = root / ".venv"
    requirements = root / "cli" / "requirements.txt"
    uv = shutil.which("uv")
    python = environment / "bin" / "python"
    # Its place and its interpreter end the stamp: after a move, scripts and paths inside point nowhere.
    place = f" {root} python: {_interpreter(root)}"
    updates = stamp_file.exists() and python.exists() and stamp_file.read_text().strip().endswith(place)
    if updates:
        print("Extrophi was updated: installing what changed …", file=sys.stderr, flush=True)
        stamp_file.unlink()
    else:
        print(
            "First use: making Extrophi's Python environment in .venv (about 400 MB; a minute or three) …",
            file=sys.stderr,
            flush=True,
        )
        shutil.rmtree(environment, ignore_errors=True)
        if uv:
            subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(environment)], check=True)
        else:
            subprocess.run([sys.executable, "-P", "-m", "venv", str(environment)], check=True)
    # Wheels only: a bare machine has no compiler, and nothing of a package runs while it is installed.
    arguments = ["--require-hashes", "--only-binary", ":all:", "-r", str(requirements)]
    if uv:
        _install([uv, "pip", "install", "--python", str(python), *arguments])
    else:
        _install([str(python), "-P", "-m", "pip", "install", "--disable-pip-version-check", *arguments])
    _put_on_path(root, environment)
    print(f"Done in {time.monotonic() - began:.0f} s.", file=sys.stderr, flush=True)


def _install(command: list[str]) -> None:
    """Run an installer and show how far it is: one line that changes on a terminal, a line per download elsewhere."""
    said: list[str] = []
    live = sys.stderr.isatty()
    width = shutil.get_terminal_size().columns - 1
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as run:
        assert run.stdout is not None
        for line in run.stdout:
            said.append(line)
            words = " ".join(line.split())
            if not words.startswith(_STEPS):
                continue
            print(f"\r\033[K{words[:width]}" if live else words, end="" if live else "\n", file=sys.stderr, flush=True)
    if live:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    if run.returncode:
        print("".join(said[-20:]), end="", file=sys.stderr)
        raise subprocess.CalledProcessError(run.returncode, command)


def _put_on_path(root: Path, environment: Path) -> None:
    base = {"base": str(environment), "platbase": str(environment)}
    packages = Path(sysconfig.get_path("purelib", "venv", vars=base))
    lines = "".join(f"{root / component}{os.linesep}" for component in COMPONENTS)
    (packages / "extrophi.pth").write_text(lines)


sys.exit(main())
