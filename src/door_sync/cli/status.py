"""`status`: how the site stands, what waits for a person, and who is cut off (§6, §8)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import click

from door_sync.app.approvals import changes_of
from door_sync.app.bootstrap import journal_to_look_into
from door_sync.app.clock import SystemClock
from door_sync.app.sentences import named, sentence
from door_sync.cli.context import Options
from door_sync.cli.output.facts import answered_line, next_cycle, next_line, pins_line
from door_sync.cli.output.revocations import SPAN, times_json, times_line, unproven_line
from door_sync.cli.output.times import ago, local
from door_sync.cli.output.wording import counted, harmless, tally_of
from door_sync.cli.showing import show
from door_sync.core.causes import Identity
from door_sync.core.guards import UNAPPROVABLE
from door_sync.core.steps import ChangeClass
from door_sync.journal.cutoffs import CutOff
from door_sync.journal.holds import APPROVAL_AGE, REJECTED, KeptHold, Word
from door_sync.journal.revocations import RevocationTimes
from door_sync.journal.standing import LastCycle, OpenStep, Standing

_HELD = Identity.HELD.value
"""The alert that says what is shown above it as the plan that waits."""


@dataclass(frozen=True, slots=True)
class _Site:
    now: datetime
    standing: Standing
    times: RevocationTimes
    cadence: timedelta
    pins: Sequence[str]
    waiting: Sequence[KeptHold]
    approved: Sequence[tuple[KeptHold, Word]]
    cut_off: Sequence[CutOff]


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print the status as JSON, for scripts.")
@click.pass_obj
def command(options: Options, as_json: bool) -> int:
    """Show how the site stands: last and next cycle, what waits for a person, revocations.

    It reads the journal alone, and asks neither CiviCRM nor the controller.
    """
    settings, clock = options.load(), SystemClock()
    with journal_to_look_into(settings.ops.history_db, clock) as journal:
        holds, now = journal.holds(), clock.now()
        site = _Site(
            now=now,
            standing=journal.standing(),
            times=journal.revocation_times(now - SPAN),
            cadence=timedelta(seconds=settings.cadence_seconds),
            pins=settings.unifi.tls_fingerprint,
            waiting=holds.waiting(),
            approved=holds.in_force(),
            cut_off=journal.cut_offs().standing(),
        )
    show(_json(site) if as_json else _text(site))
    return 0


def _text(site: _Site) -> str:
    alerts = [one for one in site.standing.alerts if not (one.cause == _HELD and site.waiting)]
    lines = [*_headline(site), *_cycles(site), *_facts(site, len(alerts))]
    for kept in site.waiting:
        lines += _hold(kept, site.now)
    for kept, word in site.approved:
        part = _part(word)
        lines.append(
            f"Approved by {word.asked_by} {ago(word.at, site.now)}: plan {kept.hold.digest}{part}, "
            f"good until {local(word.at + APPROVAL_AGE)}."
        )
    if site.cut_off:
        lines += ["", "Cut off by hand, whatever CiviCRM says:"]
        lines += [
            f"  - contact {one.contact_id}, by {one.asked_by} {ago(one.at, site.now)}"
            f"{f': {one.reason}' if one.reason else ''}. "
            f"`door-sync restore {one.contact_id}` ends that."
            for one in site.cut_off
        ]
    if alerts:
        lines += ["", "A person is needed:"]
        for alert in alerts:
            lines.append(f"  - {alert.cause}, since {local(alert.began)}: {alert.happened}")
            lines.append(f"    {alert.settles}")
    return "".join(f"{harmless(line)}\n" for line in lines)


def _facts(site: _Site, alerts: int) -> list[str]:
    """Return what is always said, below the cycles; details of it follow."""
    waiting = counted(len(site.waiting), "plan", "plans") if site.waiting else "no plan"
    # The alert about a plan that waits is told with the plan, but it raises the flag all the same.
    none = "no other alert" if site.waiting else "no alert"
    needed = counted(alerts, "alert", "alerts") if alerts else none
    cut_off = counted(len(site.cut_off), "person", "people") if site.cut_off else "nobody"
    return [
        *next_line(site.standing, site.cadence, site.now),
        f"Waiting for a person: {waiting}, {needed}. Cut off by hand: {cut_off}.",
        times_line(site.times),
        unproven_line(site.times, site.now),
        answered_line(site.standing, site.now),
        pins_line(site.pins),
    ]


def _headline(site: _Site) -> list[str]:
    standing, last = site.standing, site.standing.last
    if last is None:
        return ["No cycle has ended yet. `door-sync run --once` runs the first one."]
    if last.event == "applied":
        since = f" since {local(standing.good_since)}" if standing.good_since else ""
        lines = [f"Good: the controller has matched the membership list{since}."]
    elif last.event == "halted":
        lines = ["Held: a guard holds changes until a person has looked."]
    elif last.event == "partial":
        lines = ["Not good: the last cycle failed for some people; the next one tries again."]
    elif last.event == "interrupted":
        lines = [_interrupted(standing)]
    else:
        lines = ["Not good: the last cycle stopped before it was done."]
    if last.event != "applied" and last.reason:
        lines.append(f"Why: {sentence(last.reason)}")
    if standing.is_provisioning:
        lines.append("The site is being filled for the first time: additions are not limited.")
    return lines


def _interrupted(standing: Standing) -> str:
    where = f", at {_step(standing.died_in)}" if standing.died_in else ""
    return f"Not good: the process of the last cycle died{where}; the next cycle heals that."


def _whereabouts(standing: Standing) -> str:
    if standing.is_at is None:
        return ""
    step = _step(standing.is_at)
    return f": it is at {step}, or its process died there, which the next cycle heals"


def _step(step: OpenStep) -> str:
    return f"{step.kind} for contact {step.contact_id} ({step.change})"


def _cycles(site: _Site) -> list[str]:
    standing, lines = site.standing, []
    if standing.last is not None:
        lines.append(f"Last cycle: {_when(standing.last, site.now)}, {standing.last.event}.")
    if standing.last_good is not None and standing.last_good != standing.last:
        lines.append(f"Last good cycle: {_when(standing.last_good, site.now)}.")
    if standing.running is not None:
        began = f"A cycle began {ago(standing.running.started, site.now)} and has not ended"
        lines.append(f"{began}{_whereabouts(standing)}.")
    return lines


def _when(cycle: LastCycle, now: datetime) -> str:
    return f"{local(cycle.started)} ({ago(cycle.started, now)})"


def _hold(kept: KeptHold, now: datetime) -> list[str]:
    digest, changes = kept.hold.digest, changes_of(kept)
    lines = ["", f"Waiting for a person, plan {digest}, held {ago(kept.held_at, now)}:"]
    lines += [f"  - guard '{guard}': {sentence(text)}" for guard, text in kept.texts.items()]
    lines += [
        f"  - {tally_of([one] * len(people))}: {named(people)}"
        for one in ChangeClass
        if (people := [contact_id for contact_id, change in changes if change is one])
    ]
    if not changes:
        lines.append("  - nobody would be changed; the read itself is in doubt")
    rejected = [word for word in kept.words if word.verdict == REJECTED]
    if rejected:
        last = rejected[-1]
        lines.append(
            f"  Rejected by {last.asked_by} {ago(last.at, now)}: mend the data in CiviCRM."
        )
    if UNAPPROVABLE & kept.hold.guards.keys():
        lines.append("  Approving cannot settle it: `door-sync plan` says what does.")
    else:
        lines.append(
            f"  `door-sync approve {digest}` lets it pass, `door-sync reject {digest}` refuses it, "
            "`door-sync plan` shows it with names."
        )
    return lines


def _part(word: Word) -> str:
    classes = ", ".join(one.value for one in word.classes)
    people = named(word.contacts) if word.contacts else ""
    part = " for ".join(text for text in (classes, people) if text)
    return f" ({part} only)" if part else ""


def _json(site: _Site) -> str:
    standing = site.standing
    content = {
        "converged": standing.last is not None and standing.last.event == "applied",
        "good_since": _iso(standing.good_since),
        "provisioning": standing.is_provisioning,
        "running": _cycle_json(standing.running),
        "last_cycle": _cycle_json(standing.last),
        "last_good_cycle": _cycle_json(standing.last_good),
        "next_cycle": _next_json(site),
        "revocations": times_json(site.times),
        "answered_at": _iso(standing.answered_at),
        "pins": [*site.pins],
        "died_in": _step_json(standing.died_in),
        "is_at": _step_json(standing.is_at),
        "holds": [
            {
                "digest": kept.hold.digest,
                "held_at": _iso(kept.held_at),
                "guards": dict(kept.texts),
                "approvable": not UNAPPROVABLE & kept.hold.guards.keys(),
                "rejected": any(word.verdict == REJECTED for word in kept.words),
                "changes": [{"contact": c, "class": one.value} for c, one in changes_of(kept)],
            }
            for kept in site.waiting
        ],
        "approvals": [
            {
                "digest": kept.hold.digest,
                "asked_by": word.asked_by,
                "at": _iso(word.at),
                "until": _iso(word.at + APPROVAL_AGE),
                "classes": [one.value for one in word.classes],
                "contacts": [*word.contacts],
            }
            for kept, word in site.approved
        ],
        "cut_off": [
            {
                "contact": one.contact_id,
                "asked_by": one.asked_by,
                "at": _iso(one.at),
                "reason": one.reason,
            }
            for one in site.cut_off
        ],
        "alerts": [
            {
                "cause": one.cause,
                "began": _iso(one.began),
                "announced": _iso(one.announced),
                "happened": one.happened,
                "settles": one.settles,
            }
            for one in standing.alerts
        ],
    }
    return json.dumps(content, indent=2) + "\n"


def _next_json(site: _Site) -> dict[str, object]:
    found = next_cycle(site.standing, site.cadence, site.now)
    return {"due": _iso(found.due), "missed": found.is_missed}


def _cycle_json(cycle: LastCycle | None) -> dict[str, object] | None:
    if cycle is None:
        return None
    return {
        "cycle": cycle.cycle_id,
        "started": _iso(cycle.started),
        "ended": _iso(cycle.ended),
        "event": cycle.event,
        "reason": cycle.reason,
    }


def _step_json(step: OpenStep | None) -> dict[str, object] | None:
    if step is None:
        return None
    return {"contact": step.contact_id, "step": step.kind, "class": step.change}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
