"""Whatever a test does, the test runner keeps its signals; the daemon puts them back too."""

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _handlers_as_before() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    assert {number: signal.getsignal(number) for number in before} == before
