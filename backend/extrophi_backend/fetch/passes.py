"""What one page of the browser may take of the network."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


class Connection(Protocol):
    """One of the page's."""

    def end(self) -> None: ...


@dataclass(eq=False, slots=True)
class Pass:
    """One page's leave to go out. Not to be used after `revoke`."""

    name: str
    password: str
    bytes_left: int
    connections_left: int
    refused: set[str] = field(default_factory=set[str])
    """Hosts that the guard refused."""
    spent: str | None = None
    """What the page wanted more of than it may have."""
    open: set[Connection] = field(default_factory=set[Connection])
    names: dict[str, asyncio.Task[Sequence[str]]] = field(default_factory=dict[str, asyncio.Task[Sequence[str]]])
    """What its names resolve to: each is asked for once, whatever the page does."""
    nowhere: dict[str, int] = field(default_factory=dict[str, int])
    """Names that lead nowhere, and what is answered for them: pages ask for dozens of files of one host."""

    def revoke(self) -> None:
        """End all its connections."""
        for asker in tuple(self.open):
            asker.end()
        for asking in self.names.values():
            asking.cancel()

    def has_looked_up(self, host: str) -> bool:
        """Whether the look-up of a name has ended: who waited for it may have left before."""
        return host in self.names and self.names[host].done()

    def take_connection(self) -> bool:
        """Whether it may have one more."""
        self.connections_left -= 1
        if self.connections_left < 0:
            self.spent = self.spent or "connections"
        return self.connections_left >= 0

    def take(self, count: int) -> bool:
        """Whether it may have so many bytes more."""
        self.bytes_left -= count
        if self.bytes_left < 0:
            self.spent = self.spent or "bytes"
        return self.bytes_left >= 0
