"""`run` without --once: cycle after cycle, signals, bad cycles, another program beside it (§8)."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from typing import IO

import pytest

from door_sync.app.clock import WakingClock
from door_sync.daemon import start
from door_sync.daemon.wishes import Wishes
from door_sync.journal.lock import SiteLock
from door_sync.simulators.faults import Hang, html_error
from tests.app.watching import at_create
from tests.cli.conftest import PATIENCE_SECONDS, Ran, Site


class Evening(Wishes):
    """No time passes in the pauses: what is to happen in each happens, at last the end."""

    happenings: tuple[Callable[[], object], ...] = ()
    pauses: list[float]

    def __init__(self) -> None:
        super().__init__()
        Evening.pauses = []

    def wait(self, seconds: float) -> None:
        """Do what belongs into this pause; ask for the end when nothing is left to happen."""
        number = len(self.pauses)
        self.pauses.append(seconds)
        if number in range(len(self.happenings)):
            self.happenings[number]()
            FREE.jump()
        else:
            self.ask_to_end("bedtime")


class Freely(WakingClock):
    """The machine's clock, put ahead over each pause."""

    ahead = 0.0

    def jump(self) -> None:
        """Let a day go by."""
        self.ahead += 86_400

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return super().monotonic() + self.ahead


FREE = Freely()


@pytest.fixture
def evening(monkeypatch: pytest.MonkeyPatch) -> type[Evening]:
    monkeypatch.setattr(start, "Wishes", Evening)
    monkeypatch.setattr(start, "WakingClock", lambda: FREE)
    monkeypatch.setattr(Evening, "happenings", ())
    return Evening


def finish(process: "subprocess.Popen[str]") -> Ran:
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    return Ran(process.returncode, out, err)


def lines_until(stream: IO[str] | None, start: str) -> list[str]:
    """Read lines to the first that begins so, which must come."""
    assert stream is not None
    lines = []
    for line in stream:
        lines.append(line)
        if line.startswith(start):
            return lines
    raise AssertionError(f"no line began with {start!r}: {lines}")


def test_each_cycle_sees_what_changed_since_the_last(site: Site, evening: type[Evening]) -> None:
    leaver = site.club.join(1101)
    site.club.join(1102)
    evening.happenings = (lambda: site.club.lapse(leaver),)
    ran = site.run("run")
    assert ran.code == 0
    assert evening.pauses == [30, 30], "the loop looks at the clock now and then"
    assert ran.out.count("Done: ") == 2
    assert "2 people gained access" in ran.out
    assert "1 person lost access" in ran.out
    assert [cycle.event for cycle in site.cycles()] == ["applied", "applied"]
    assert not site.club.opens(1101)
    assert site.state_content()["run_count"] == 2


def test_reports_go_to_standard_output_and_the_log_to_standard_error(
    site: Site, evening: type[Evening]
) -> None:
    site.club.join(1101)
    ran = site.run("--log-format", "json", "run")
    assert ran.out.startswith("Done: 1 person gained access.")
    started, cycle, ended = map(json.loads, ran.err.splitlines())
    assert (started["event"], started["cadence_seconds"]) == ("started", 600)
    assert (cycle["event"], cycle["ending"], cycle["added"]) == ("cycle", "clean", 1)
    assert cycle["cycle"] == site.cycles()[0].cycle_id
    assert (ended["event"], ended["why"]) == ("ended", "bedtime")


def test_for_scripts_each_cycle_is_one_line(site: Site, evening: type[Evening]) -> None:
    site.club.join(1101)
    evening.happenings = (lambda: None,)
    first, second = map(json.loads, site.run("run", "--json").out.splitlines())
    assert first["summary"]["added"] == 1
    assert second["summary"]["added"] == 0
    assert first["cycle"] != second["cycle"]


def test_dry_it_writes_nothing_time_after_time(site: Site, evening: type[Evening]) -> None:
    site.club.join(1101)
    evening.happenings = (lambda: None,)
    ran = site.run("run", "--dry-run")
    assert ran.out.count("A live cycle would write: 1 person gains access.") == 2
    assert site.club.writes() == 0
    assert len(site.audit.read_text().splitlines()) == 2


def test_bad_cycles_end_nothing_and_the_next_good_one_takes_the_flag_down(
    site: Site, evening: type[Evening], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A side that is down, then a fault of the program, then all is well again."""
    site.club.join(1101)
    flags: list[bool] = []
    armed = site.club.unifi.faults.add(html_error(503), times=None)

    def broken(*_: object, **__: object) -> None:
        raise LookupError("Zaphodine Quux")

    def then_a_fault() -> None:
        assert armed.struck
        site.club.unifi.faults.clear()
        flags.append(site.flag.exists())
        monkeypatch.setattr("door_sync.app.cycle.decide", broken)

    def then_all_is_well() -> None:
        flags.append(site.flag.exists())
        monkeypatch.undo()

    evening.happenings = (then_a_fault, then_all_is_well)
    ran = site.run("run")
    assert ran.code == 0
    assert [cycle.event for cycle in site.cycles()] == ["failed", "crashed", "applied"]
    assert flags == [True, True]
    assert not site.flag.exists()
    assert site.club.opens(1101)
    assert "fault=LookupError" in ran.err
    assert "Zaphodine" not in ran.err + ran.out


def test_beside_a_cycle_that_runs_already_it_ends_with_75(
    site: Site, evening: type[Evening]
) -> None:
    with SiteLock(site.journal):
        ran = site.run("run")
    assert (ran.code, ran.out) == (75, "")
    assert "another cycle of this site is running" in ran.err


def test_a_cycle_run_by_hand_in_between_costs_one_cycle(site: Site, evening: type[Evening]) -> None:
    site.club.join(1101)
    by_hand = SiteLock(site.journal)
    evening.happenings = (
        by_hand.__enter__,
        lambda: by_hand.__exit__(None, None, None),
    )
    ran = site.run("run")
    assert ran.code == 0
    assert len(site.cycles()) == 2
    assert "no cycle this time" in ran.err
    assert not site.flag.exists()


def test_sigterm_ends_it_after_the_cycle_in_progress(site: Site) -> None:
    """The controller is silent in the middle of a write when the signal comes: the write, what
    hangs on it, the read-back and the record are all there before the process ends."""
    contact = site.club.join(1101)
    armed = at_create(site.club, Hang(), contact)
    heard, speaks = os.openpty()
    process = site.start("run", stderr=speaks)
    os.close(speaks)
    try:
        armed.wait(PATIENCE_SECONDS)
        process.send_signal(signal.SIGTERM)
        said = b""
        while b"Ending after the cycle in progress." not in said:
            said += os.read(heard, 10_000)
        assert process.poll() is None
        assert not site.club.opens(1101)
        armed.release()
        out, _ = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        armed.release()
        process.kill()
        process.wait()
        os.close(heard)
    assert process.returncode == 0
    assert out.startswith("Done: 1 person gained access. Everything written was read back.")
    assert site.club.opens(1101)
    assert site.last_event() == "applied"
    assert site.state_content()["run_count"] == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_pause_ends_it_at_once(site: Site, number: signal.Signals) -> None:
    """The pause is ten minutes long."""
    site.club.join(1101)
    process = site.start("run")
    try:
        lines_until(process.stdout, "Done:")
        process.send_signal(number)
        ran = finish(process)
    finally:
        process.kill()
        process.wait()
    assert ran.code == 0
    assert f"why={number.name}" in ran.err
    assert "Traceback" not in ran.err


def test_a_reader_who_leaves_does_not_end_it(site: Site) -> None:
    """systemd's journal may restart; the doors must not notice."""
    site.club.join(1101)
    armed = at_create(site.club, Hang(), times=1)
    process = site.start("run")
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        armed.wait(PATIENCE_SECONDS)
        process.stdout.close()
        armed.release()
        lines_until(process.stderr, "")
        for line in process.stderr:
            if "ending=clean" in line:
                break
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
        process.wait(PATIENCE_SECONDS)
    finally:
        armed.release()
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()
    assert process.returncode == 0
    assert "ended" in rest
    assert "Traceback" not in rest
    assert site.club.opens(1101)
