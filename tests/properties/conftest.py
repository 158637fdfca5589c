"""Retries of the program follow at once, and a mail server for its alerts."""

import ssl
from collections.abc import Iterator

import pytest
import stamina

from tests.notify.conftest import Behaviour, MailServer


@pytest.fixture
def no_waiting() -> Iterator[None]:
    """Let retries follow at once."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server on loopback, without TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server = MailServer(context, tls_from_the_start=False, behaviour=Behaviour())
    yield server
    server.close()
