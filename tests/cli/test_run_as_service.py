"""`run` as systemd starts it: a process of its own, its signals, its socket, its callers."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from door_sync.daemon.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER
from door_sync.simulators.faults import Hang, html_error
from tests.app.watching import at_create
from tests.cli.conftest import PATIENCE_SECONDS, PROGRAM, Site, environment
from tests.daemon.test_pings import Switch
from tests.daemon.test_signature import SECRET, sign


class Unit:
    """One service with the sockets of its manager and its callers."""

    def __init__(self, site: Site, directory: Path) -> None:
        self.site = site
        self.ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ear.bind(str(directory / "notify"))
        self.ear.settimeout(PATIENCE_SECONDS)
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port: int = one.getsockname()[1]
        self.configure()
        self.process: subprocess.Popen[str] | None = None
        self.heard: list[str] = []
        self.log = (directory / "log.txt").open("w+")
        self._environment = {
            **environment(),
            "NOTIFY_SOCKET": str(directory / "notify"),
            "WATCHDOG_USEC": "300000000",
        }

    def configure(self, **values: object) -> None:
        self.site.configure(daemon__listen=f"127.0.0.1:{self.port}", daemon__metrics=True, **values)
        with self.site.env_file.open("a") as env_file:
            env_file.write(f"TRIGGER_SECRET={SECRET}\n")

    def start(self) -> "subprocess.Popen[str]":
        words = [*PROGRAM, *self.site.where(), "--log-format", "json", "run"]
        self.process = subprocess.Popen(
            words, env=self._environment, stdout=subprocess.DEVNULL, stderr=self.log, text=True
        )
        return self.process

    def hear(self, wanted: str) -> None:
        """Wait until the manager is told this."""
        while True:
            message = self.ear.recv(4096).decode()
            self.heard.append(message)
            if wanted in message:
                return

    def call(self) -> dict[str, bool]:
        body = os.urandom(8).hex().encode()
        stamp = str(int(time.time()))
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        headers = {TIMESTAMP_HEADER: stamp, SIGNATURE_HEADER: sign(stamp, body)}
        connection.request("POST", "/hooks/sync", body, headers)
        answer: dict[str, bool] = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def finish(self) -> list[dict[str, object]]:
        """End it; return its log."""
        assert self.process is not None
        self.signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE_SECONDS) == 0
        self.log.seek(0)
        lines = [line for line in self.log if line.startswith("{")]
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.ear.close()


@pytest.fixture
def unit(site: Site, tmp_path: Path) -> Iterator[Unit]:
    one = Unit(site, tmp_path)
    yield one
    one.close()


def test_it_is_ready_cycles_pauses_takes_a_call_and_ends(site: Site, unit: Unit) -> None:
    site.club.join(1102)
    leaver = site.club.join(1101)
    unit.start()
    unit.hear("READY=1")
    unit.hear("the last cycle was clean")
    assert site.club.opens(1101)
    site.club.lapse(leaver)
    assert unit.call() == {"accepted": True, "merged": False}
    unit.hear("the last cycle was clean")
    assert not site.club.opens(1101), "within seconds, though the pause is ten minutes"
    events = [line["event"] for line in unit.finish()]
    assert events == ["listening", "started", "cycle", "trigger", "cycle", "ended"]
    unit.hear("STOPPING=1")
    assert any("WATCHDOG=1" in message for message in unit.heard)
    assert any("STATUS=Reading CiviCRM and the controller" in one for one in unit.heard)


def test_other_settings_are_read_on_sighup_and_bad_ones_refused(site: Site, unit: Unit) -> None:
    """Another journal from the next cycle on; the old settings stay while the file is bad."""
    unit.start()
    unit.hear("the last cycle was clean")
    site.config.write_text("cadence_seconds = 1\n")
    unit.signal(signal.SIGHUP)
    unit.hear("READY=1")
    assert "New settings refused, the old ones stay; wrong:" in unit.heard[-1]
    assert "cadence_seconds" in unit.heard[-1]
    assert any("RELOADING=1\nMONOTONIC_USEC=" in message for message in unit.heard)
    unit.call()
    unit.hear("the last cycle was clean")
    elsewhere = site.directory / "elsewhere.db"
    site.keys()
    unit.configure(ops__history_db=str(elsewhere))
    unit.signal(signal.SIGHUP)
    unit.hear("STATUS=Settings read again")
    assert not elsewhere.exists()
    unit.call()
    unit.hear("the last cycle was clean")
    assert elsewhere.exists()
    assert site.state_content()["run_count"] == 3
    log = unit.finish()
    [refused] = [line for line in log if line["event"] == "settings refused, the old ones stay"]
    faults = refused["faults"]
    assert isinstance(faults, list)
    assert {"cadence_seconds", "civicrm", "unifi"} <= set(faults)


def test_signals_in_the_middle_of_a_write_wait_for_the_end_of_the_cycle(
    site: Site, unit: Unit
) -> None:
    contact = site.club.join(1101)
    armed = at_create(site.club, Hang(), contact)
    process = unit.start()
    try:
        armed.wait(PATIENCE_SECONDS)
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGHUP, signal.SIGTERM):
            unit.signal(number)
        assert process.poll() is None
    finally:
        armed.release()
    assert process.wait(PATIENCE_SECONDS) == 0
    assert site.club.opens(1101)
    assert site.last_event() == "applied"
    unit.hear("STOPPING=1")


def test_a_side_that_comes_back_is_met_by_a_call_although_it_was_backing_off(
    site: Site, unit: Unit
) -> None:
    site.club.join(1101)
    site.club.unifi.faults.add(html_error(503), times=None)
    unit.start()
    unit.hear("the last cycle was failed")
    site.club.unifi.faults.clear()
    unit.call()
    unit.hear("the last cycle was clean")
    assert site.club.opens(1101)
    assert "trying again soon" in [line["event"] for line in unit.finish()]


@pytest.mark.parametrize("is_down", [False, True])
def test_once_is_counted_and_told_to_the_switch_too(site: Site, is_down: bool) -> None:
    switch, textfile = Switch(), site.directory / "door-sync.prom"
    try:
        site.configure(ops__metrics_textfile=str(textfile))
        with site.env_file.open("a") as env_file:
            env_file.write(f"DEAD_MAN_URL={switch.url}\n")
        if is_down:
            site.keys(unifi="x" * 20)
            with site.env_file.open("a") as env_file:
                env_file.write(f"DEAD_MAN_URL={switch.url}\n")
        codes = [site.run("run", "--once").code for _ in range(2)]
        site.run("run", "--once", "--dry-run")
    finally:
        switch.close()
    ending = "failed" if is_down else "clean"
    assert codes == [2 if is_down else 0] * 2
    assert f'door_sync_cycles_total{{ending="{ending}"}} 2.0' in textfile.read_text()
    endings = [path.rpartition("verysecret")[2] for path in switch.heard]
    assert endings == ["/start", "/fail" if is_down else ""] * 2, "a dry run tells nobody"
