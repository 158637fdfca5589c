"""A client for what the simulators serve: real sockets, and no check of who answers."""

import ssl
from collections.abc import Iterator

import httpx2
import pytest


@pytest.fixture(scope="session")
def trusting() -> ssl.SSLContext:
    """A TLS context that accepts any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.fixture
def client(trusting: ssl.SSLContext) -> Iterator[httpx2.Client]:
    """An HTTP client that accepts any certificate and asks no proxy."""
    with httpx2.Client(verify=trusting, trust_env=False, timeout=10) as client:
        yield client
