"""The words that accounts are spoken of in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Literal

from extrophi_backend.accounts.cookies import Cookie
from extrophi_backend.collectors.models import Platform

Source = Literal["environment", "stored"]
Condition = Literal["set", "ok", "expiring", "expired", "refused", "unreadable"]
"""How a credential is that is there."""
State = Condition | Literal["none_needed", "missing"]
"""How a platform is off with its credentials."""

WARN_BEFORE = timedelta(days=7)
WARNED_OF: frozenset[State] = frozenset({"expiring", "expired", "refused", "unreadable"})


@dataclass(frozen=True, slots=True)
class Kind:
    """A credential that a platform may have. `setting`: the environment variable that gives it, too."""

    name: str
    setting: str
    title: str
    opens: str
    """What can be collected with it; of several that belong together, said at the first."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a platform knows us by.

    `ways`: sets of credentials, each of which opens something by itself. `how`: how to get them, in a paragraph.
    """

    platform: Platform
    title: str
    needed: bool
    kinds: Sequence[Kind]
    ways: Sequence[frozenset[str]]
    how: str

    def kind(self, name: str) -> Kind | None:
        return next((kind for kind in self.kinds if kind.name == name), None)


@dataclass(frozen=True, slots=True)
class Value:
    """A credential as it was given, checked. Of cookies, `text` is what `cookies.load` reads."""

    name: str
    text: str = field(repr=False)
    host: str = ""
    expires_at: datetime | None = None

    @property
    def digest(self) -> bytes:
        """Tells this value from the next. Tokens are long enough that nobody finds one by its digest."""
        return blake2b(self.text.encode(), digest_size=8, person=b"credential").digest()


@dataclass(frozen=True, slots=True)
class Test:
    """What the platform said of a value."""

    digest: bytes
    state: Literal["ok", "refused"]
    detail: str
    tested_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """A credential that is there. `value` is None where no key opens it."""

    name: str
    host: str
    source: Source
    value: Value | None
    expires_at: datetime | None
    set_at: datetime | None
    test: Test | None

    def state(self, now: datetime) -> Condition:
        if self.value is None:
            return "unreadable"
        if self.expires_at and self.expires_at <= now:
            return "expired"
        if self.test and self.test.state == "refused":
            return "refused"
        if self.expires_at and self.expires_at <= now + WARN_BEFORE:
            return "expiring"
        return "ok" if self.test else "set"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A platform's credentials, for who collects from it. `values` by name; cookies are in `cookies` alone."""

    platform: Platform
    values: Mapping[str, str] = field(repr=False)
    cookies: tuple[Cookie, ...] = field(repr=False)
    digests: Mapping[tuple[str, str], bytes] = field(repr=False)
    """By name and host: of which value a refusal is noted."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of asking the platform. `unknown`: it could not be asked, or would not tell."""

    names: tuple[str, ...]
    state: Literal["ok", "refused", "unknown"]
    detail: str
