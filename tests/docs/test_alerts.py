"""Each alert has a part of the page on bad days, and the sample there is what it says."""

import errno
from pathlib import Path

import pytest

from door_sync.app.causes import (
    _failed,
    broken_channel,
    causes,
    fault_of_the_program,
    undone,
    unusable_journal,
    unwritable_file,
)
from door_sync.app.report import CycleReport
from door_sync.core.cards import CardNumber
from door_sync.core.causes import Cause, Identity
from door_sync.core.custody import VISITOR
from door_sync.core.decision import Decision
from door_sync.core.guards import Budgets, objections
from door_sync.core.people import ContactId
from door_sync.core.steps import Blocked, Notice, NoticeKind, Plan
from door_sync.core.tiers import ResolvedPolicies
from door_sync.files import explain
from door_sync.http.errors import HttpError, Unreachable, WrongCertificate
from door_sync.journal.errors import journal_error
from door_sync.notify.notifier import NotifyError
from door_sync.notify.wording import TITLES, paragraphs
from door_sync.ports import DoorSyncError, SourceUnreachable, WrongController
from tests.docs.pages import blocks, page, section
from tests.docs.test_examples import STARTED, evidence, leavers

EACH = section(page("bad-days.md"), "The alerts one by one")
FINGERPRINT = ":".join(f"{number:02X}" for number in range(0xA0, 0xC0))


def stopped(error: DoorSyncError) -> Cause:
    """The cause of a cycle that this error stopped before it wrote anything."""
    return of(CycleReport(STARTED, dry_run=False, key=bytes(32), error=error))


def of(report: CycleReport) -> Cause:
    """The one cause of a report."""
    [cause] = causes(report)
    return cause


def translated(kind: type[DoorSyncError], error: HttpError) -> DoorSyncError:
    """An error of the transport as the adapters hand it on."""
    return kind(error.message, remedy=error.remedy)


def decided(plan: Plan, *notices: Notice) -> Cause:
    """The cause of a cycle that decided this."""
    decision = Decision(
        full=plan,
        plan=Plan(blocked=plan.blocked),
        held=frozenset((one.contact_id, one.change_class) for one in plan.changes),
        objections=objections(plan, evidence(36), Budgets()),
        verdicts={},
        policies=ResolvedPolicies({}, ()),
        notices=notices,
        missing=frozenset(),
        provisioning=False,
    )
    return of(CycleReport(STARTED, dry_run=False, key=bytes(32), decision=decision))


def samples() -> dict[Identity, Cause]:
    """A cause of each kind, made as the program makes it."""
    full, remedy = explain(OSError(errno.ENOSPC, ""))
    crm, console = "https://crm.example.org", "https://192.0.2.10:12445"
    refused = Unreachable(host=crm, reason="nothing listens on that port")
    another = WrongCertificate(host=console, seen=FINGERPRINT)
    held_by_visitor = Blocked(ContactId(311), CardNumber(1), VISITOR, leaves_no_card=True)
    stale = Notice(NoticeKind.STALE_MEMBERSHIP, "", ContactId(118))
    return {
        Identity.JOURNAL: unusable_journal(
            journal_error(Path("/var/lib/door-sync/history.db"), OSError(errno.ENOSPC, ""))
        ),
        Identity.FAULT: fault_of_the_program(KeyError()),
        Identity.SOURCE: stopped(translated(SourceUnreachable, refused)),
        Identity.TARGET: stopped(translated(WrongController, another)),
        Identity.STOPPED: stopped(
            DoorSyncError(
                "the authorities in /etc/door-sync/authority.pem cannot be used",
                remedy="Correct civicrm.ca_file, or remove the line.",
            )
        ),
        Identity.HELD: decided(leavers(7)),
        Identity.PEOPLE_FAILED: _failed([ContactId(108), ContactId(141)]),
        Identity.NOT_CONVERGING: undone([(ContactId(108), "card")]),
        Identity.BLOCKED: decided(Plan(blocked=(held_by_visitor,))),
        Identity.STALE: decided(Plan(), stale),
        Identity.FILES: unwritable_file(
            f"cannot append to /var/log/door-sync/audit.jsonl: {full}. {remedy}"
        ),
        Identity.CHANNEL: broken_channel(
            NotifyError(
                "the mail server refused the login (status 535)",
                code="535",
                remedy="Put the right SMTP_USERNAME and SMTP_PASSWORD into the env file.",
            )
        ),
    }


def sample_text(identity: Identity) -> str:
    """What the page shows of an alert: its subject and its three sentences."""
    title = TITLES[identity]
    return f"[door-sync] {title[0].upper()}{title[1:]}\n\n{paragraphs(samples()[identity])}"


@pytest.mark.parametrize("identity", Identity, ids=lambda one: one.value)
def test_the_sample_of_each_alert_is_what_it_says(identity: Identity) -> None:
    part = section(EACH, f"`{identity.value}`")
    [sample] = blocks(part)
    assert sample.text == sample_text(identity)
    assert samples()[identity].identity is identity
    prose = part[part.index("```\n", part.index("```text") + 7) + 4 :]
    assert "**What to do.**" in prose


def test_the_alerts_stand_in_the_order_in_which_they_are_told() -> None:
    titles = [line[5:-1] for line in EACH.splitlines() if line.startswith("### `")]
    assert titles == [identity.value for identity in Identity]
