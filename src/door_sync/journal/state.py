"""The state file: when the last cycle succeeded or was held, for whoever watches the site (§7).

A dry run reads it at most; only `write_state` and `update_state` touch the disk (P7).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from door_sync.files import replace_file
from door_sync.journal.moments import time_from, time_text

FILE_MODE: Final = 0o644


@dataclass(frozen=True, slots=True)
class SiteState:
    """How this site has fared. `run_count` counts live cycles, however they ended."""

    last_success: datetime | None = None
    last_halt: datetime | None = None
    last_halt_reason: str | None = None
    run_count: int = 0

    def succeeded(self, at: datetime) -> Self:
        """Return the state after a cycle that reached its end at `at`."""
        return replace(self, last_success=at, run_count=self.run_count + 1)

    def halted(self, at: datetime, reason: str) -> Self:
        """Return the state after a cycle that a guard held at `at`."""
        return replace(self, last_halt=at, last_halt_reason=reason, run_count=self.run_count + 1)

    def failed(self) -> Self:
        """Return the state after a cycle that neither succeeded nor was held."""
        return replace(self, run_count=self.run_count + 1)


@dataclass(frozen=True, slots=True)
class StateReading:
    """A state, and a note for the log where it had to start anew; "" where it was read."""

    state: SiteState
    note: str = ""


def read_state(path: Path) -> StateReading:
    """Return what the state file says; without a readable one the state starts anew.

    Nothing depends on it but people and monitoring, so a broken one stops no cycle. Files of
    earlier versions are read too: their times may lack a zone, which means UTC.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return StateReading(SiteState(), f"there is no state file {path} yet; it starts anew")
    except (OSError, UnicodeDecodeError) as error:
        return _anew(path, type(error).__name__)
    try:
        return StateReading(_state_from(json.loads(text)))
    except (ValueError, OverflowError, RecursionError):
        return _anew(path, "not what door-sync writes")


def write_state(path: Path, state: SiteState) -> None:
    """Replace the state file in one move; raise OpsFileError."""
    content = {
        "last_success_iso": _text_or_none(state.last_success),
        "last_halt_iso": _text_or_none(state.last_halt),
        "last_halt_reason": state.last_halt_reason,
        "run_count": state.run_count,
    }
    replace_file(path, json.dumps(content, indent=2) + "\n", mode=FILE_MODE)


def update_state(path: Path, change: Callable[[SiteState], SiteState]) -> str:
    """Read the state, change it and write it back; return the note of the reading.

    For live cycles alone. Raise OpsFileError if it cannot be written.
    """
    reading = read_state(path)
    write_state(path, change(reading.state))
    return reading.note


def _anew(path: Path, why: str) -> StateReading:
    return StateReading(SiteState(), f"the state file {path} cannot be read ({why}); starts anew")


def _state_from(content: object) -> SiteState:
    if not isinstance(content, dict):
        raise ValueError("no JSON object")
    count = content.get("run_count", 0)
    if type(count) is not int or count < 0:
        raise ValueError("no count")
    return SiteState(
        last_success=_time_or_none(content.get("last_success_iso")),
        last_halt=_time_or_none(content.get("last_halt_iso")),
        last_halt_reason=_string_or_none(content.get("last_halt_reason")),
        run_count=count,
    )


def _text_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else time_text(moment)


def _time_or_none(value: object) -> datetime | None:
    text = _string_or_none(value)
    return None if text is None else time_from(text)


def _string_or_none(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError("no text")
    return value
