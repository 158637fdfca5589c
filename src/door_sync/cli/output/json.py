"""A cycle's report as JSON, for scripts. Keys stay as they are; new ones may be added."""

import json
from collections.abc import Mapping
from types import MappingProxyType

from door_sync.app.report import CycleReport
from door_sync.cli.output.wording import Wording
from door_sync.core.steps import Blocked, Change, Notice, PlannedStep, kind_of


def report_json(
    report: CycleReport,
    *,
    shows_names: bool,
    in_one_line: bool = False,
    more: Mapping[str, object] = MappingProxyType({}),
) -> str:
    """Return the whole report, and `more`. Names stand in it only if a person asked for a plan
    (P12).

    It is ASCII, so that no terminal and no character set can take harm.
    """
    words = Wording(report, shows_names)
    decision, held = report.decision, None
    if decision is not None and decision.objections:
        held = decision.held_plan
    content: dict[str, object] = {
        "ending": report.ending.name.lower(),
        "exit_code": report.ending.value,
        "dry_run": report.dry_run,
        "started": report.started.isoformat(timespec="seconds"),
        "cycle": report.cycle_id,
        "digest": report.digest(),
        "summary": dict(report.summary()),
        "error": _error(report),
        "troubles": [*report.troubles],
        "unsent": report.unsent or None,
        "objections": [
            {"guard": o.guard, "holds": o.scope.value, "text": o.text, "remedy": o.remedy}
            | {"setting": o.setting, "classes": [one.value for one in o.classes]}
            | {"approvable": o.is_approvable}
            for o in (decision.objections if decision else ())
        ],
        "approved": [
            {"guard": o.guard, "text": o.text} for o in (decision.settled if decision else ())
        ],
        "grown": [
            {
                "digest": one.digest,
                "guards": [*one.guards],
                "changes": [{"contact": c, "class": k.value} for c, k in one.changes],
            }
            for one in (decision.grown if decision else ())
        ],
        "steps": [_step(planned, words) for planned in report.plan.steps()],
        "held": None
        if held is None
        else {
            "digest": report.hold_digest,
            "changes": [_change(change, words) for change in held.changes],
        },
        "outcomes": [
            _change(result.change, words)
            | {"outcome": "done" if result.is_done else "failed"}
            | {"problems": [*result.problems, *result.doubts]}
            for result in (report.ledger.changes.values() if report.ledger else ())
        ],
        "blocked": [_blocked(one, words) for one in report.blocked],
        "notices": [_notice(one) for one in report.notices],
    }
    content |= more
    return json.dumps(content, indent=None if in_one_line else 2) + "\n"


def _error(report: CycleReport) -> Mapping[str, str] | None:
    if report.error is None:
        return None
    return {
        "class": type(report.error).__name__,
        "message": report.error.message,
        "remedy": report.error.remedy,
    }


def _named(words: Wording, change: Change) -> dict[str, object]:
    named: dict[str, object] = {"contact": change.contact_id}
    if words.shows_names:
        named["name"] = words.name(change.contact_id)
    return named


def _change(change: Change, words: Wording) -> dict[str, object]:
    named = _named(words, change)
    return named | {"class": change.change_class.value, "reason": change.reason}


def _step(planned: PlannedStep, words: Wording) -> dict[str, object]:
    return _change(planned.change, words) | {
        "step": kind_of(planned.step),
        "text": words.step(planned.step),
    }


def _blocked(blocked: Blocked, words: Wording) -> dict[str, object]:
    holder = blocked.holder
    return {
        "contact": blocked.contact_id,
        "card": words.card(blocked.number),
        "reason": blocked.reason,
        "holder": None
        if holder is None
        else {
            "contact": holder.contact_id,
            "user": holder.user_id,
            "visitor": holder.visitor_id,
            "status": holder.status.value if holder.status else None,
        },
        "waits_for_hold": blocked.waits_for_hold,
        "leaves_no_card": blocked.leaves_no_card,
    }


def _notice(notice: Notice) -> dict[str, object]:
    return {"kind": notice.kind.value, "contact": notice.contact_id, "text": notice.text}
