"""Who is trusted over TLS at collected addresses and webhooks."""

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """Those of SSL_CERT_FILE, else of SSL_CERT_DIR, else certifi's. One for all: each takes megabytes, and 45 ms."""
    return httpx.create_ssl_context()
