"""Which platforms' credentials need looking after."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from extrophi_cli.errors import CommandError
from extrophi_cli.wire import JSON

if TYPE_CHECKING:
    from extrophi_cli.client import Extrophi

_NEEDY = frozenset({"expiring", "expired", "refused", "unreadable"})


def in_need(extrophi: "Extrophi") -> list[JSON]:
    """The accounts that expire soon, have expired, are refused or cannot be read; none where that cannot be told."""
    try:
        return needy(extrophi.get("/api/accounts").get("items", []))
    except CommandError:  # an older one, or a part is down, which is said elsewhere
        return []


def needy(accounts: Iterable[JSON]) -> list[JSON]:
    return [one for one in accounts if one.get("state") in _NEEDY]


def told_of(account: JSON) -> str:
    """A line about one of them."""
    until = day(account) if account.get("state") in {"expiring", "expired"} else ""
    state = f"{account.get('state')}{', ' + until if until else ''}"
    return f"Credentials of {account.get('title')}: {state}. {account.get('hint')}"


def day(account: JSON) -> str:
    """The day on which the first of an account's credentials ends; empty where none tells."""
    try:
        return datetime.fromisoformat(str(account.get("expires_at"))).date().isoformat()
    except ValueError:
        return ""
