"""Figures for monitoring: counted right, kept over processes, and without anybody's name."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from door_sync.app.report import CycleReport
from door_sync.app.traffic import Traffic
from door_sync.daemon.figures import FIGURES, Kind
from door_sync.daemon.metrics import BUSY, FAULT, Metrics
from tests.daemon.harness import DOWN, GOOD, NOON, HandClock


def figures(metrics: Metrics) -> dict[str, float]:
    """Every sample by its name and labels, as Prometheus would read it."""
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def metrics(clock: HandClock) -> Metrics:
    return Metrics(clock)


def test_before_the_first_cycle_nothing_is_claimed(metrics: Metrics) -> None:
    found = figures(metrics)
    assert "door_sync_last_success_timestamp_seconds" not in found
    assert metrics.last_cycle is None
    assert found["door_sync_cycle_seconds_count"] == 0
    assert "door_sync_holds" not in found


def test_every_counter_is_there_from_the_start_for_a_rate_needs_two_values(
    metrics: Metrics,
) -> None:
    found = figures(metrics)
    assert found["door_sync_cycles_total fault"] == 0
    assert found["door_sync_changes_total revoke failed"] == 0
    assert found["door_sync_trigger_calls_total refused"] == 0
    assert found["door_sync_settings_refused"] == 0


def test_a_good_cycle_moves_the_last_success_and_a_bad_one_the_last_cycle_alone(
    metrics: Metrics, clock: HandClock
) -> None:
    metrics.cycle(GOOD, 3.0, Traffic())
    clock.pass_by(600)
    metrics.cycle(DOWN, 0.5, Traffic())
    found = figures(metrics)
    assert found["door_sync_last_success_timestamp_seconds"] == NOON.timestamp()
    assert found["door_sync_last_cycle_timestamp_seconds"] == NOON.timestamp() + 600
    assert metrics.last_cycle == clock.wall
    assert found["door_sync_cycles_total clean"] == 1
    assert found["door_sync_cycles_total failed"] == 1
    assert found["door_sync_cycle_seconds_sum"] == 3.5
    assert found["door_sync_cycle_seconds_bucket 1"] == 1
    assert found["door_sync_cycle_seconds_bucket 5"] == 2
    assert found["door_sync_cycle_seconds_bucket +Inf"] == 2


def test_cycles_without_a_report_are_counted_and_one_left_out_is_no_cycle(
    metrics: Metrics,
) -> None:
    metrics.broke(FAULT, 2.0, Traffic())
    metrics.broke(BUSY, 0.0, Traffic())
    found = figures(metrics)
    assert (found["door_sync_cycles_total fault"], found["door_sync_cycles_total busy"]) == (1, 1)
    assert found["door_sync_cycle_seconds_count"] == 1


def test_revocations_fall_into_their_classes(metrics: Metrics) -> None:
    metrics.cycle(GOOD, 1.0, Traffic(), [4.0, 5.0, 5.1, 1e9])
    found = figures(metrics)
    assert found["door_sync_revocation_seconds_bucket 5"] == 2
    assert found["door_sync_revocation_seconds_bucket 15"] == 3
    assert found["door_sync_revocation_seconds_bucket 86400"] == 3
    assert found["door_sync_revocation_seconds_count"] == 4


def test_refused_settings_and_calls_are_shown(metrics: Metrics) -> None:
    metrics.settings_refused(are=True)
    metrics.trigger("refused")
    metrics.trigger("refused")
    found = figures(metrics)
    assert found["door_sync_settings_refused"] == 1
    assert found["door_sync_trigger_calls_total refused"] == 2
    metrics.settings_refused(are=False)
    assert figures(metrics)["door_sync_settings_refused"] == 0


def test_what_counts_goes_on_in_the_next_process(
    metrics: Metrics, clock: HandClock, tmp_path: Path
) -> None:
    path = tmp_path / "door-sync.prom"
    metrics.cycle(GOOD, 3.0, Traffic(), [7.0, 70.0])
    metrics.trigger("accepted")
    metrics.settings_refused(are=True)
    metrics.write(path)
    assert path.stat().st_mode & 0o777 == 0o644
    later = Metrics(clock)
    later.go_on_from(path)
    before, after = figures(metrics), figures(later)
    name = "door_sync_settings_refused"
    assert (before.pop(name), after.pop(name)) == (1, 0), "of one process alone"
    assert after == before
    later.cycle(GOOD, 3.0, Traffic(), [7.0])
    found = figures(later)
    assert found["door_sync_cycles_total clean"] == 2
    assert found["door_sync_revocation_seconds_bucket 15"] == 2
    assert found["door_sync_revocation_seconds_sum"] == 84


@pytest.mark.parametrize(
    "content",
    [
        b"this is no such file {",
        b"\xff\xfe\x00",
        b"",
        b'door_sync_cycles_total{other="x"} 5\n',
        b'door_sync_cycle_seconds_bucket{le="7"} 3\ndoor_sync_cycle_seconds_sum 9\n',
        b"somebody_elses_total 5\n" * 10,
    ],
)
def test_a_file_of_somebody_else_counts_as_none(
    metrics: Metrics, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "door-sync.prom"
    path.write_bytes(content)
    before = figures(metrics)
    with capture_logs():
        metrics.go_on_from(path)
    assert figures(metrics) == before


def test_a_file_that_cannot_be_read_is_said_and_counting_begins_anew(
    metrics: Metrics, tmp_path: Path
) -> None:
    path = tmp_path / "door-sync.prom"
    path.write_bytes(b"\xff")
    with capture_logs() as logged:
        metrics.go_on_from(path)
        metrics.go_on_from(tmp_path / "none")
        metrics.go_on_from(tmp_path)
    assert [(e["log_level"], e["code"]) for e in logged] == [("warning", "UnicodeDecodeError")]


def test_a_file_that_cannot_be_written_is_a_line_in_the_log(
    metrics: Metrics, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with capture_logs() as logged:
        metrics.write(tmp_path / "file" / "door-sync.prom")
    assert [e["event"] for e in logged] == ["the metrics file was not written"]


def test_each_figure_has_its_kind_by_its_name() -> None:
    for figure in FIGURES:
        assert figure.name.endswith("_total") == (figure.kind is Kind.COUNTER)
        assert bool(figure.bounds) == (figure.kind is Kind.HISTOGRAM)
        assert figure.name.startswith("door_sync_")


def test_an_ending_of_each_report_is_a_label(metrics: Metrics) -> None:
    one = CycleReport(NOON, dry_run=False, key=b"", troubles=("x",))
    metrics.cycle(one, 1, Traffic())
    assert figures(metrics)["door_sync_cycles_total failed"] == 1
