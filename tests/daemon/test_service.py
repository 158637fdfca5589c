"""The service of one site, with a real club behind it: figures, pings, calls, other settings."""

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from door_sync.app.bootstrap import run_site
from door_sync.app.clock import SystemClock
from door_sync.app.cycle import Progress
from door_sync.app.report import CycleReport
from door_sync.daemon.service import Service, Told
from door_sync.daemon.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER
from door_sync.daemon.start import DryRuns
from door_sync.journal.lock import SiteLock
from door_sync.ports import LockHeld
from door_sync.settings import BadSettings, Settings, load_settings
from tests.club import Club, open_club
from tests.daemon.test_hooks import PATIENCE
from tests.daemon.test_pings import Switch
from tests.daemon.test_signature import SECRET, sign


@pytest.fixture(scope="module")
def running_club() -> Iterator[Club]:
    with open_club() as club:
        yield club


@pytest.fixture
def club(running_club: Club) -> Club:
    running_club.reset()
    running_club.forget()
    return running_club


class Files:
    """The two files of a site, and what they load as."""

    def __init__(self, club: Club, directory: Path) -> None:
        self.config = club.write_files(directory)
        self.env = directory / ".env"
        self._config, self._env = self.config.read_text(), self.env.read_text()
        self.textfile = directory / "door-sync.prom"

    def write(self, config: str = "", env: str = "") -> None:
        """Add lines to both files as they were made."""
        self.config.write_text(f"{self._config}\n{config}\n")
        self.env.write_text(f"{self._env}\n{env}\n")

    def load(self) -> Settings:
        return load_settings(self.config, self.env, {}).settings


@pytest.fixture
def files(club: Club, tmp_path: Path) -> Files:
    return Files(club, tmp_path)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def listening(port: int, *, metrics: bool = True) -> str:
    return f'[daemon]\nlisten = "127.0.0.1:{port}"\nmetrics = {str(metrics).lower()}'


@pytest.fixture
def service_of() -> Iterator[Callable[[Files], Service]]:
    made: list[Service] = []

    def make(files: Files) -> Service:
        shown: list[CycleReport] = []
        made.append(Service(files.load(), files.load, SystemClock(), shown.append, run_site))
        return made[-1]

    yield make
    for service in made:
        service.close()


ServiceOf = Callable[[Files], Service]


def fetch(port: int, method: str, path: str, headers: dict[str, str] | None = None) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, b"", headers or {})
        return connection.getresponse().read()
    finally:
        connection.close()


def test_a_cycle_is_counted_to_the_figures_and_to_the_file(
    club: Club, files: Files, service_of: ServiceOf
) -> None:
    leaver = club.join(1101)
    club.join(1102)
    files.write(listening(free_port()))
    service = service_of(files)
    service.open(lambda: False)
    service.cycle(Progress(), is_early_retry=False)
    club.lapse(leaver)
    service.cycle(Progress(), is_early_retry=False)
    text = fetch(service.port, "GET", "/metrics").decode()
    assert 'door_sync_changes_total{class="grant",outcome="done"} 2.0' in text
    assert 'door_sync_changes_total{class="revoke",outcome="done"} 1.0' in text
    assert "door_sync_revocation_seconds_count 1.0" in text
    assert 'door_sync_cycles_total{ending="clean"} 2.0' in text
    assert "door_sync_holds 0.0" in text
    counted = [line for line in text.splitlines() if line.startswith("door_sync_requests_total{")]
    assert {line.split('"')[1] for line in counted} == {"civicrm", "unifi"}
    assert all(float(line.split()[-1]) > 4 for line in counted)
    assert str(leaver) not in text.replace(".", " ").split()


def test_held_and_failed_changes_are_shown(club: Club, files: Files, service_of: ServiceOf) -> None:
    files.write('[daemon]\nlisten = "127.0.0.1:1"\n')
    text = files.config.read_text()
    files.config.write_text(
        text.replace("[ops]", f'[ops]\nmetrics_textfile = "{files.textfile}"', 1)
    )
    people = [club.join(1100 + n) for n in range(5)]
    service = service_of(files)
    service.cycle(Progress(), is_early_retry=False)
    for one in people:
        club.lapse(one)
    service.cycle(Progress(), is_early_retry=False)
    written = files.textfile.read_text()
    assert 'door_sync_held_changes{class="revoke"} 5.0' in written
    assert "door_sync_holds 0.0" not in written
    assert 'door_sync_cycles_total{ending="held"} 1.0' in written


def test_a_call_rings_and_other_settings_act_at_once(
    club: Club, files: Files, service_of: ServiceOf
) -> None:
    rung: list[int] = []

    def ring() -> bool:
        rung.append(1)
        return False

    def call(port: int, secret: str) -> bytes:
        stamp = str(int(time.time()))
        headers = {TIMESTAMP_HEADER: stamp, SIGNATURE_HEADER: sign(stamp, b"", secret)}
        return fetch(port, "POST", "/hooks/sync", headers)

    port = free_port()
    files.write(listening(port), f"TRIGGER_SECRET={SECRET}")
    service = service_of(files)
    service.open(ring)
    assert json.loads(call(port, SECRET)) == {"accepted": True, "merged": False}
    other = SECRET[::-1]
    files.write(listening(port, metrics=False), f"TRIGGER_SECRET={other}")
    service.reload()
    assert call(port, SECRET) == b"Forbidden\n"
    assert json.loads(call(port, other))["accepted"] is True
    assert fetch(port, "GET", "/metrics") == b"Not Found"
    files.write()
    service.reload()
    assert service.port == 0
    assert len(rung) == 2


def test_bad_settings_change_nothing_and_are_a_figure(
    club: Club, files: Files, service_of: ServiceOf
) -> None:
    port = free_port()
    files.write(listening(port))
    service = service_of(files)
    service.open(lambda: False)
    before = service.cadence_seconds
    files.config.write_text("cadence_seconds = 1")
    with pytest.raises(BadSettings):
        service.reload()
    assert service.cadence_seconds == before
    assert b"door_sync_settings_refused 1.0" in fetch(port, "GET", "/metrics")
    files.write(listening(port))
    service.reload()
    assert b"door_sync_settings_refused 0.0" in fetch(port, "GET", "/metrics")


def test_other_files_are_used_from_the_next_cycle_on(
    club: Club, files: Files, service_of: ServiceOf, tmp_path: Path
) -> None:
    service = service_of(files)
    service.cycle(Progress(), is_early_retry=False)
    elsewhere = tmp_path / "elsewhere" / "history.db"
    text = files.config.read_text()
    files.config.write_text(text.replace("[ops]", f'[ops]\nhistory_db = "{elsewhere}"', 1))
    service.reload()
    assert not elsewhere.exists()
    service.cycle(Progress(), is_early_retry=False)
    assert elsewhere.exists()


def test_a_port_that_is_taken_stops_no_cycle_and_is_tried_again(
    club: Club, files: Files, service_of: ServiceOf
) -> None:
    """Nobody keeps access because another program was quicker."""
    member = club.join(1101)
    with socket.socket() as other, capture_logs() as logged:
        other.bind(("127.0.0.1", 0))
        other.listen()
        files.write(listening(other.getsockname()[1]))
        service = service_of(files)
        service.open(lambda: False)
        service.cycle(Progress(), is_early_retry=False)
        assert club.opens(1101), member
        assert service.port == 0
    assert [e["event"] for e in logged].count("not listening") == 2
    service.cycle(Progress(), is_early_retry=False)
    assert service.port != 0


def test_the_switch_hears_of_good_cycles_faults_and_another_address_after_a_reload(
    club: Club, files: Files
) -> None:
    switch, other = Switch(), Switch()
    try:
        files.write(env=f"DEAD_MAN_URL={switch.url}")
        outcomes: list[Exception | None] = [None, LookupError("x"), None]

        def run(*_: object, **__: object) -> CycleReport:
            trouble = outcomes.pop(0)
            if trouble is not None:
                raise trouble
            return run_site(files.load())

        service = Service(files.load(), files.load, SystemClock(), lambda _: None, run)
        service.cycle(Progress(), is_early_retry=False)
        with pytest.raises(LookupError):
            service.cycle(Progress(), is_early_retry=False)
        files.write(env=f"DEAD_MAN_URL={other.url}")
        service.reload()
        service.cycle(Progress(), is_early_retry=False)
        service.close()
    finally:
        switch.close()
        other.close()
    endings = [path.rpartition("verysecret")[2] for path in switch.heard]
    assert endings == ["/start", "", "/start", "/fail"]
    assert [path.rpartition("verysecret")[2] for path in other.heard] == ["/start", ""]


def test_a_cycle_that_another_program_runs_is_told_by_that_one(club: Club, files: Files) -> None:
    settings = files.load()
    told = Told(settings, SystemClock())
    with SiteLock(settings.ops.history_db), pytest.raises(LockHeld):
        told.cycle(lambda alerts, traffic: run_site(settings, alerts=alerts, traffic=traffic))
    told.close()
    assert b'door_sync_cycles_total{ending="busy"} 1.0' in told.metrics.text()


def test_a_journal_that_cannot_be_read_costs_the_times_alone(
    club: Club, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = files.load()
    told = Told(settings, SystemClock())

    def run(*_: object) -> CycleReport:
        report = run_site(settings)
        settings.ops.history_db.write_bytes(b"broken" * 1000)
        return report

    told.cycle(run)
    told.close()
    assert b"door_sync_revocation_seconds_count 0.0" in told.metrics.text()


def test_dry_runs_are_told_to_nobody_and_take_other_settings_too(club: Club, files: Files) -> None:
    ran: list[Settings] = []

    def run(settings: Settings, _progress: Progress) -> CycleReport:
        ran.append(settings)
        return run_site(settings)

    shown: list[CycleReport] = []
    runs = DryRuns(files.load(), files.load, shown.append, run)
    runs.open(lambda: False)
    runs.show(runs.cycle(Progress(), is_early_retry=False))
    text = files.config.read_text()
    files.config.write_text(f"cadence_seconds = 90\n{text}")
    runs.reload()
    runs.cycle(Progress(), is_early_retry=True)
    runs.close()
    assert [one.cadence_seconds for one in ran] == [600, 90]
    assert runs.cadence_seconds == 90
    assert runs.request_seconds == 60
    assert len(shown) == 1
