"""Past cycles and one person's story as JSON, for scripts: ids, digests and times in UTC."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from types import MappingProxyType

from door_sync.app.past import Story
from door_sync.journal.history import PastStep
from door_sync.journal.lookback import Changed, CutOff, Happening, Held, Lifted, Run, Said, Told
from door_sync.journal.moments import time_text

_KINDS: dict[type[Happening], str] = {
    Changed: "changed",
    Held: "held",
    Said: "said",
    CutOff: "cut off",
    Lifted: "lifted",
}


def cycles_json(runs: Sequence[Run], more: Mapping[str, object] = MappingProxyType({})) -> str:
    """Return the list of cycles, the newest last, and `more`."""
    found = [{"first": run.first, "cycles": run.cycles, **_cycle(run.last)} for run in runs]
    return _printed({"cycles": found, **more})


def cycle_json(told: Told) -> str:
    """Return one cycle with its steps."""
    return _printed({**_cycle(told), "steps": [asdict(step) for step in told.steps]})


def story_json(story: Story) -> str:
    """Return everything on record about one person, the newest last."""
    return _printed(
        {
            "contact": story.contact_id,
            "since": story.since,
            "events": [happening_json(one) for one in story.happenings],
        }
    )


def _cycle(told: Told) -> dict[str, object]:
    return {
        "cycle": told.cycle_id,
        "command": told.command or None,
        "asked_by": told.asked_by or None,
        "started": told.started,
        "ended": told.ended,
        "event": told.event,
        "reason": told.reason or None,
        "digest": told.digest or None,
        "writes": len(told.steps),
        "died_in": None if told.died_in is None else _step(told.died_in),
    }


def happening_json(one: Happening) -> dict[str, object]:
    """Return one event; its times are still moments."""
    kind = {"event": _KINDS[type(one)]}
    if isinstance(one, Changed):
        steps = [_step(step) for step in one.steps]
        cycle = _cycle(one.cycle)
        return kind | {
            "at": one.at,
            "class": one.change,
            "reason": one.reason,
            "cycle": {name: cycle[name] for name in ("cycle", "command", "asked_by", "event")},
            "was_read_back": one.cycle.was_read_back,
            "steps": steps,
        }
    return kind | asdict(one)


def _step(step: PastStep) -> dict[str, object]:
    return asdict(step)


def _printed(value: object) -> str:
    return json.dumps(value, indent=2, default=moment_json) + "\n"


def moment_json(value: object) -> str:
    """Return a moment as text, for `json.dumps`; raise TypeError for anything else."""
    if isinstance(value, datetime):
        return time_text(value)
    raise TypeError(type(value).__name__)
