"""Who is trusted over TLS."""

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """The system's authorities (SSL_CERT_FILE, SSL_CERT_DIR) or certifi's. One for all: each takes megabytes and 45 ms."""
    return httpx.create_ssl_context()
