"""What is around a desktop program: a screen that nobody sees, a person's folders, a bus, a keychain."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.folders import quick
from tests.system.running import COMPONENTS

# A bus that starts nothing by itself: where a test wants a keychain, it starts one.
_BUS = """<busconfig>
  <type>session</type>
  <listen>unix:path={folder}/bus</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@contextmanager
def screen() -> Generator[str]:
    """With a window manager: dialogs, focus and closing need one. Gives its name, for DISPLAY."""
    read, write = os.pipe()
    with ExitStack() as stack:
        xvfb = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x1000x24", "-nolisten", "tcp"],
            pass_fds=[write],
            stderr=subprocess.DEVNULL,
        )
        stack.callback(end, xvfb)
        os.close(write)
        with os.fdopen(read) as told:
            name = f":{told.readline().strip()}"
        quiet = subprocess.DEVNULL
        manager = subprocess.Popen(["openbox"], env=os.environ | {"DISPLAY": name}, stdout=quiet, stderr=quiet)
        stack.callback(end, manager)
        yield name


@contextmanager
def somebody(display: str, extrophi_home: Path) -> Generator[tuple[Path, dict[str, str]]]:
    """A person's own folder, and the environment of all they start: nothing of it is this machine's user's."""
    with (
        tempfile.TemporaryDirectory(prefix="xd-", dir=quick(), ignore_cleanup_errors=True) as folder,
        ExitStack() as stack,
    ):
        home = Path(folder)
        for name in ("config", "data", "cache", "runtime", "bin"):
            (home / name).mkdir(mode=0o700)
        environment = {
            "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "DISPLAY": display,
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_RUNTIME_DIR": str(home / "runtime"),
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={home / 'runtime' / 'bus'}",
            "EXTROPHI_HOME": str(extrophi_home),
            "GDK_BACKEND": "x11",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "WEBKIT_DISABLE_DMABUF_RENDERER": "1",  # there is no graphics card
            "NO_AT_BRIDGE": "1",
        }
        (home / "bus.conf").write_text(_BUS.format(folder=home / "runtime"))
        bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={home / 'bus.conf'}", "--nofork"],
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        stack.callback(end, bus)
        while not (home / "runtime" / "bus").exists():
            assert bus.poll() is None, "dbus-daemon did not start"
            time.sleep(0.02)
        yield home, environment


def install_extrophi(home: Path) -> None:
    """The `extrophi` command on the person's search path, as `pipx install` would leave it."""
    command = home / "bin" / "extrophi"
    command.write_text(f'#!/bin/sh\nPYTHONPATH={COMPONENTS} exec {sys.executable} -m extrophi_cli "$@"\n')
    command.chmod(0o755)


@contextmanager
def keyring(environment: dict[str, str]) -> Generator[None]:
    """GNOME's keyring, opened by a password as at a login."""
    daemon = subprocess.Popen(
        ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert daemon.stdin
    daemon.stdin.write(b"a password")
    daemon.stdin.close()
    try:
        yield
    finally:
        end(daemon)


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=10)
