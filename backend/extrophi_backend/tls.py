"""Who is trusted over TLS."""

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """Those of SSL_CERT_FILE and SSL_CERT_DIR, or certifi's. One for all: each takes megabytes, and 45 ms to load."""
    return httpx.create_ssl_context()
