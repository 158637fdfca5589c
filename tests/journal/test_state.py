"""The state file (§7)."""

import json
import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from door_sync.files import OpsFileError
from door_sync.journal.state import (
    SiteState,
    StateReading,
    read_state,
    update_state,
    write_state,
)

AT = datetime(2025, 3, 10, 8, 15, tzinfo=UTC)
LATER = AT + timedelta(minutes=10)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
KEYS = ("last_success_iso", "last_halt_iso", "last_halt_reason", "run_count")


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    return tmp_path / "lib" / "state.json"


def test_it_has_the_four_keys_that_monitoring_reads(state_file: Path) -> None:
    write_state(state_file, SiteState(AT, LATER, "empty source", 12))
    assert json.loads(state_file.read_text()) == {
        "last_success_iso": "2025-03-10T08:15:00.000000+00:00",
        "last_halt_iso": "2025-03-10T08:25:00.000000+00:00",
        "last_halt_reason": "empty source",
        "run_count": 12,
    }
    assert stat.S_IMODE(state_file.stat().st_mode) == 0o644


@st.composite
def states(draw: st.DrawFn) -> SiteState:
    moments = st.none() | st.datetimes(timezones=st.just(UTC))
    texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]))
    return SiteState(draw(moments), draw(moments), draw(texts), draw(st.integers(0, 10**9)))


@given(states())
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, state: SiteState
) -> None:
    path = tmp_path_factory.getbasetemp() / "round-trip.json"
    write_state(path, state)
    assert read_state(path) == StateReading(state)


def test_a_missing_file_starts_anew_and_reading_makes_none(state_file: Path) -> None:
    """P7: a dry run reads at most."""
    reading = read_state(state_file)
    assert reading.state == SiteState()
    assert "starts anew" in reading.note
    assert not state_file.parent.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"run_count": true}',
        b'{"run_count": -1}',
        b'{"run_count": "3"}',
        b'{"run_count": 1.5}',
        b'{"last_success_iso": "yesterday"}',
        b'{"last_success_iso": 1741594500}',
        b'{"last_halt_iso": "0001-01-01T00:00:00+14:00"}',
        b'{"last_halt_reason": ["many"]}',
    ],
)
def test_a_broken_file_starts_anew_with_a_note(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(content)
    reading = read_state(path)
    assert reading.state == SiteState()
    assert str(path) in reading.note
    assert "starts anew" in reading.note
    assert path.read_bytes() == content


@given(st.dictionaries(st.sampled_from(KEYS), json_values) | json_values)
def test_no_json_at_all_stops_a_cycle(
    tmp_path_factory: pytest.TempPathFactory, content: object
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(content))
    reading = read_state(path)
    assert reading.state.run_count >= 0
    assert (reading.note == "") or reading.state == SiteState()


def test_a_file_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """Keys that never came to be may be absent, others unknown; a time without a zone is UTC."""
    path = tmp_path / "state.json"
    path.write_text(
        json.dumps(
            {"last_success_iso": "2025-03-10T09:15:00+01:00", "run_count": 7, "host": "north"}
        )
    )
    assert read_state(path) == StateReading(SiteState(last_success=AT, run_count=7))
    path.write_text(json.dumps({"last_success_iso": "2025-03-10T08:15:00", "run_count": 7}))
    assert read_state(path) == StateReading(SiteState(last_success=AT, run_count=7))


def test_cycles_are_counted_however_they_end(state_file: Path) -> None:
    first_note = update_state(state_file, lambda state: state.succeeded(AT))
    assert "starts anew" in first_note
    assert update_state(state_file, lambda state: state.halted(LATER, "empty source")) == ""
    assert update_state(state_file, lambda state: state.failed()) == ""
    assert read_state(state_file).state == SiteState(AT, LATER, "empty source", 3)


def test_a_success_keeps_what_was_said_of_the_last_halt(state_file: Path) -> None:
    halted = SiteState().halted(AT, "empty source")
    assert halted.succeeded(LATER) == SiteState(LATER, AT, "empty source", 2)


def test_times_are_written_in_utc(state_file: Path) -> None:
    write_state(state_file, SiteState(last_success=AT.astimezone(timezone(timedelta(hours=1)))))
    assert "2025-03-10T08:15:00.000000+00:00" in state_file.read_text()


def test_a_directory_in_its_place_is_noted_when_read_and_an_error_when_written(
    tmp_path: Path,
) -> None:
    reading = read_state(tmp_path)
    assert (reading.state, "IsADirectoryError" in reading.note) == (SiteState(), True)
    with pytest.raises(OpsFileError) as caught:
        update_state(tmp_path, lambda state: state.failed())
    assert str(tmp_path) in caught.value.message
