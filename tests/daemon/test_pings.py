"""The dead-man's switch: what it hears after which cycle, and that no cycle hears of it."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from structlog.testing import capture_logs

from door_sync.app.clock import SystemClock
from door_sync.app.remembering import AlertMemory
from door_sync.app.report import CycleReport
from door_sync.core.causes import Cause, Identity, Standing
from door_sync.daemon.pings import DeadMan
from door_sync.ports import JournalError, SourceUnreachable
from door_sync.settings import Secret
from tests.daemon.harness import DOWN, GOOD, NOON

PATIENCE = 10


class Switch:
    """The other end: keeps the paths that were asked for, and answers as it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.status = 200
        self.silent = threading.Event()
        self.silent.set()
        switch = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                switch.heard.append(self.path)
                switch.silent.wait(PATIENCE)
                self.send_response(switch.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/ping/verysecret"

    def close(self) -> None:
        self.silent.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def switch() -> Iterator[Switch]:
    one = Switch()
    yield one
    one.close()


def dead_man(url: str, seconds: float = PATIENCE) -> DeadMan:
    return DeadMan(Secret(url), SystemClock(), timeout_seconds=seconds)


def standing(failures: int, *, may_pass: bool = True, told: bool = False) -> AlertMemory:
    cause = Cause(Identity.SOURCE, "x", "y", "z", may_pass=may_pass)
    announced = NOON if told else None
    return AlertMemory((Standing(cause, NOON, failures, announced),))


FAILED = replace(DOWN, error=JournalError("x"))


@pytest.mark.parametrize(
    ("report", "alerts", "heard"),
    [
        (GOOD, AlertMemory(), ["/start", ""]),
        (FAILED, AlertMemory(()), ["/start", "/fail"]),
        (replace(GOOD, troubles=("x",)), AlertMemory(()), ["/start", "/fail"]),
        (DOWN, standing(1), ["/start"]),
        (DOWN, standing(2), ["/start", "/fail"]),
        (DOWN, standing(1, told=True), ["/start", "/fail"]),
        (DOWN, standing(1, may_pass=False), ["/start", "/fail"]),
        (DOWN, AlertMemory(None), ["/start", "/fail"]),
    ],
)
def test_it_hears_start_and_then_how_the_cycle_ended(
    switch: Switch, report: CycleReport, alerts: AlertMemory, heard: list[str]
) -> None:
    """A side that gives no answer is a failure from the moment at which people are told of it."""
    one = dead_man(switch.url)
    one.start()
    one.end(report, alerts, after_failures=2)
    one.close()
    assert switch.heard == [f"/ping/verysecret{suffix}" for suffix in heard]


def test_a_cycle_that_broke_off_is_a_failure(switch: Switch) -> None:
    one = dead_man(switch.url)
    one.broke()
    one.close()
    assert switch.heard == ["/ping/verysecret/fail"]


def test_a_query_stays_at_the_end(switch: Switch) -> None:
    one = dead_man(f"{switch.url}/?rid=7")
    one.start()
    one.close()
    assert switch.heard == ["/ping/verysecret/start?rid=7"]


def test_without_an_address_nothing_is_sent_and_nothing_started() -> None:
    before = threading.active_count()
    one = DeadMan(None, SystemClock())
    one.start()
    one.broke()
    one.close()
    assert threading.active_count() == before


def test_it_may_go_on_after_it_was_closed(switch: Switch) -> None:
    one = dead_man(switch.url)
    one.start()
    one.close()
    one.end(GOOD, AlertMemory(), after_failures=2)
    one.close()
    assert switch.heard == ["/ping/verysecret/start", "/ping/verysecret"]


def test_a_switch_that_says_no_or_is_gone_is_a_line_in_the_log_without_its_address(
    switch: Switch,
) -> None:
    switch.status = 404
    with capture_logs() as logged:
        one = dead_man(switch.url)
        one.start()
        one.close()
        gone = dead_man("http://127.0.0.1:1/ping/verysecret")
        gone.start()
        gone.close()
        odd = dead_man("http://192.0.2.1/ping/verysecret")
        odd.start()
        odd.close()
    assert [(e["log_level"], e.get("status"), e.get("code")) for e in logged] == [
        ("warning", 404, None),
        ("warning", None, "Unreachable"),
        ("warning", None, "ValueError"),
    ]
    assert "secret" not in str(logged)
    assert "127.0.0.1" not in str(logged)


def test_a_switch_that_does_not_answer_delays_nothing_and_old_pings_are_left_out(
    switch: Switch,
) -> None:
    switch.silent.clear()
    one = dead_man(switch.url)
    for _ in range(20):
        one.start()
        one.end(GOOD, AlertMemory(), after_failures=2)
    switch.silent.set()
    one.close()
    assert len(switch.heard) <= 6, "one that hung, and the few newest"
    assert switch.heard[-1] == "/ping/verysecret"


def test_closing_waits_for_a_hanging_switch_no_longer_than_two_pings(switch: Switch) -> None:
    switch.silent.clear()
    one = dead_man(switch.url, seconds=0.05)
    begun = time.monotonic()
    with capture_logs() as logged:
        for _ in range(4):
            one.start()
        one.close()
    assert time.monotonic() - begun < PATIENCE / 2
    assert {e["code"] for e in logged} == {"TimedOut"}


def test_a_side_that_is_down_beside_other_trouble_is_a_failure(switch: Switch) -> None:
    one = dead_man(switch.url)
    report = replace(DOWN, error=SourceUnreachable("x"), troubles=("a full disk",))
    one.end(report, standing(1), after_failures=2)
    one.close()
    assert switch.heard == ["/ping/verysecret/fail"]
