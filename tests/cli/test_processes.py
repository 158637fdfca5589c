"""The real program as a process: exit codes, streams, and progress on a terminal alone (§8)."""

import os
import subprocess
from collections.abc import Callable

import pytest

from door_sync.journal.lock import SiteLock
from tests.app.watching import at_create, refused
from tests.cli.conftest import PATIENCE_SECONDS, PROGRAM, Ran, Site, environment


def clean(site: Site) -> Ran:
    site.club.join(1101)
    return site.run_apart("run", "--once")


def held(site: Site) -> Ran:
    site.club.join(1101)
    leaver = site.club.join(1102)
    site.settle()
    site.club.lapse(leaver)
    site.configure(safety__small_site_max=0, safety__mass_deactivate_pct=0.1)
    return site.run_apart("run", "--once")


def failed(site: Site) -> Ran:
    site.keys(unifi="x" * 20)
    return site.run_apart("run", "--once")


def partial(site: Site) -> Ran:
    at_create(site.club, refused(), site.club.join(1101), times=None)
    try:
        return site.run_apart("run", "--once")
    finally:
        site.club.unifi.faults.clear()


def changes(site: Site) -> Ran:
    site.club.join(1101)
    return site.run_apart("plan", "--detailed-exitcode")


def wrong_use(site: Site) -> Ran:
    return site.run_apart("run", "--twice")


def locked(site: Site) -> Ran:
    with SiteLock(site.journal):
        return site.run_apart("run", "--once")


def misconfigured(site: Site) -> Ran:
    site.configure(unifi__facility_code=256)
    return site.run_apart("run", "--once")


@pytest.mark.parametrize(
    ("case", "code", "said_in_err"),
    [
        (clean, 0, ""),
        (held, 1, ""),
        (failed, 2, ""),
        (partial, 3, ""),
        (changes, 10, ""),
        (wrong_use, 64, "No such option"),
        (locked, 75, "another cycle of this site is running"),
        (misconfigured, 78, "unifi.facility_code"),
    ],
)
def test_the_exit_code_says_how_it_went(
    site: Site, case: Callable[[Site], Ran], code: int, said_in_err: str
) -> None:
    ran = case(site)
    assert ran.code == code, ran.err
    assert said_in_err in ran.err
    assert (ran.out == "") is (code >= 64)
    assert (ran.err == "") is (code < 64)
    assert "Traceback" not in ran.err


def on_terminal(site: Site, *words: str) -> tuple[str, str]:
    """Run a command whose standard error is a terminal; return what it printed to both."""
    heard, speaks = os.openpty()
    process = subprocess.Popen(
        [*PROGRAM, *site.where(), *words],
        env={**environment(), "TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=speaks,
        text=True,
    )
    os.close(speaks)
    said = b""
    while piece := _read(heard):
        said += piece
    os.close(heard)
    out, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    return out, said.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 10_000)
    except OSError:  # the process has ended, and with it the terminal
        return b""


def test_on_a_terminal_the_stages_and_steps_of_a_cycle_are_shown(site: Site) -> None:
    site.club.join(1101, first="Zaphodine")
    out, shown = on_terminal(site, "run", "--once")
    assert out.startswith("Done: 1 person gained access.")
    assert "Reading back what was written" in shown
    assert "1/1" in shown
    assert "Zaphodine" not in shown


def test_a_plan_on_a_terminal_is_printed_whole_below_the_progress(site: Site) -> None:
    site.club.join(1101, first="Anna")
    out, shown = on_terminal(site, "plan")
    assert "(Anna Ber)" in out
    assert "Reading CiviCRM and the controller" in shown
    assert "Anna" not in shown


@pytest.mark.parametrize("way", ["run --once | head -0", "plan | head -0", "plan | true"])
def test_a_reader_who_has_seen_enough_does_not_change_the_exit_code(site: Site, way: str) -> None:
    site.keys(unifi="x" * 20)
    done = in_shell(site, f"$DOOR_SYNC {way}; echo ${{PIPESTATUS[0]}}")
    assert (done.stdout, done.stderr) == ("2\n", "")


def test_a_full_disk_is_a_failure_that_says_so(site: Site) -> None:
    site.club.join(1101)
    done = in_shell(site, "$DOOR_SYNC plan >/dev/full; echo $?")
    assert done.stdout == "2\n"
    assert "cannot write to standard output: the disk is full" in done.stderr
    assert "Traceback" not in done.stderr


def test_nobody_listening_to_warnings_stops_no_cycle(site: Site) -> None:
    """A daemon's log may have gone; the doors must not notice."""
    site.club.join(1101)
    site.keys(mode=0o644)
    done = in_shell(site, "$DOOR_SYNC run --once 2>/dev/full; echo $?")
    assert done.stdout.endswith("\n0\n")
    assert site.club.opens(1101)
    silent = in_shell(site, "$DOOR_SYNC run --once 2>&-; echo $?")
    assert silent.stdout.endswith("\n0\n")


def in_shell(site: Site, line: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["/bin/bash", "-c", line],
        env={**environment(), "DOOR_SYNC": " ".join([*PROGRAM, *site.where()])},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
