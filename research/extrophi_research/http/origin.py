"""Who may ask a process that answers without a key, since it is bound to loopback.

It answers whoever is on this machine, and a browser is, with any page in it: so neither a page of another site may ask
(scripts, forms and images tell by one header or another), nor one whose name was made to point here (DNS rebinding).
"""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit


def is_of_here(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request is for this machine by its own name, and from no page of another site."""
    origin = headers.get(b"origin")
    if origin is not None and not _is_this_machine(_name(origin.decode("latin-1").partition("://")[2])):
        return False
    if origin is None and headers.get(b"sec-fetch-site") == b"cross-site":  # https://www.w3.org/TR/fetch-metadata/
        return False
    host = _name(headers.get(b"host", b"").decode("latin-1"))
    # No site of the internet has a name without a dot; `research` may well be ours.
    return "." not in host or _is_this_machine(host) or _is_address(host)


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return "not.a.host"


def _is_this_machine(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost") or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
