"""The handbook's worked examples are what the rules make of them, row by row."""

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from door_sync.app.causes import causes
from door_sync.app.report import CycleReport
from door_sync.core.cards import BadCard, CardNumber, parse_card
from door_sync.core.controller import Policy, PolicyId
from door_sync.core.decision import Decision
from door_sync.core.guards import Budgets, Evidence, objections
from door_sync.core.names import name_of
from door_sync.core.people import ContactId, Member, Membership, MembershipType
from door_sync.core.steps import Change, ChangeClass, Plan
from door_sync.core.tiers import (
    CardUnknown,
    Deny,
    Grant,
    Resolution,
    ResolvedPolicies,
    Rule,
    Skip,
    TierBook,
    Unknown,
    Verdict,
    match_rules,
    resolve_policies,
    verdicts,
)
from door_sync.notify.flag import flag_text
from tests.docs.pages import blocks, page, section, table
from tests.proof.readings import DISPUTED, EVERY_READING

DECIDING = page("deciding.md")
BAD_DAYS = page("bad-days.md")
FILES = page("files.md")

STARTED = datetime(2026, 11, 22, tzinfo=UTC)

WHO_MAY = section(DECIDING, "R1 Who may")
TYPES = ("Maker", "Friend", "Day pass", "Supporter", "Locker")


def book() -> TierBook:
    """The rules that the page shows, with the policies that they name."""
    [toml] = [block.text for block in blocks(WHO_MAY) if block.kind == "toml"]
    shown = tomllib.loads(toml)["tier_mapping"]["rules"]
    rules = [
        Rule(name, Resolution(r["resolution"]), r["rank"], r.get("target_policy", ""))
        for name, r in shown.items()
    ]
    types = [MembershipType(n, name, name) for n, name in enumerate(TYPES)]
    policies = [Policy(PolicyId(rule.target_policy), rule.target_policy) for rule in rules]
    return TierBook(
        match_rules(types, rules),
        resolve_policies(rules, policies),
        frozenset({"Current", "Grace", "New"}),
        date(2026, 11, 22),
    )


def memberships(cell: str) -> Iterator[Membership]:
    """The memberships of a cell such as `Maker, Current + Friend, Expired`."""
    for number, text in enumerate([] if cell == "none" else cell.split(" + ")):
        found = re.fullmatch(r"([\w ]+), (\w+)( \(test\))?", text)
        assert found, text
        kind = MembershipType(TYPES.index(found[1]), found[1], found[1])
        yield Membership(number, kind, found[2], None, is_test=found[3] is not None)


def field(cell: str) -> str:
    """What the cell of a card field or a name holds."""
    return "" if cell == "empty" else cell.replace("␣", " ")


def told(verdict: Verdict) -> str:
    """A verdict in the page's own words."""
    match verdict.entitlement:
        case Grant(policy):
            unknown = ", card unknown" if isinstance(verdict.card, CardUnknown) else ""
            return f"**Grant** {policy}{unknown}"
        case Deny(reason):
            return f"**Deny** {reason}"
        case Skip():
            return "**Skip**"
        case Unknown(reason):
            return f"**Unknown** {reason}"


@pytest.mark.parametrize("row", table(WHO_MAY, "memberships in CiviCRM"), ids=" · ".join)
def test_memberships_and_card_field_lead_to_what_the_page_says(row: list[str]) -> None:
    held, card, outcome = row
    member = Member(
        ContactId(42), card=parse_card(field(card)), memberships=tuple(memberships(held))
    )
    assert told(verdicts([member], book())[ContactId(42)]) == outcome


@pytest.mark.parametrize(
    "row", table(section(DECIDING, "The card field"), "card field"), ids=" · ".join
)
def test_the_card_field_is_read_as_the_page_says(row: list[str]) -> None:
    text, outcome = row
    match parse_card(field(text)):
        case None:
            assert outcome == "no card"
        case BadCard():
            assert outcome == "malformed"
        case CardNumber() as number:
            assert outcome == f"number {number.reveal()}"


@pytest.mark.parametrize("row", table(section(DECIDING, "Names"), "first name"), ids=" · ".join)
def test_a_name_is_written_as_the_page_says(row: list[str]) -> None:
    first, last, display, outcome = row
    email = display if "@" in display else ""
    name = name_of(Member(ContactId(42), field(first), field(last), display, email))
    assert f"{name.first} · {name.last}" == outcome


def leavers(people: int) -> Plan:
    """A plan in which so many people lose their access."""
    return Plan(tuple(Change(ContactId(n), ChangeClass.REVOKE, "", ()) for n in range(people)))


def evidence(active: int) -> Evidence:
    """A site with so many active people, in which nothing else is doubtful."""
    return Evidence(active_managed=active, grants=active, contacts=active, users=active)


@pytest.mark.parametrize(
    "row", table(section(BAD_DAYS, "When it is held"), "active people"), ids=" · ".join
)
def test_the_guard_against_many_leavers_counts_as_the_page_says(row: list[str]) -> None:
    active, people = int(row[0]), int(row[1])
    found = objections(leavers(people), evidence(active), Budgets())
    assert ("yes" if found else "no") == row[3]
    share = "does not apply" if active < Budgets().floor else f"{people / active:.1%}"
    assert row[2].replace(" ", "") == share.replace(".0%", "%").replace(" ", "")


def test_the_shares_in_the_guards_table_are_the_defaults() -> None:
    rows = table(section(BAD_DAYS, "Guards that count"), "guard")
    budgets = Budgets()
    shares = (budgets.deactivate, budgets.add, budgets.policy, budgets.card, budgets.profile)
    assert [row[2] for row in rows] == [
        f"more than {share:.0%}".replace("%", " %") for share in shares
    ]


def test_the_sample_of_the_flag_is_what_a_hold_writes() -> None:
    plan = leavers(7)
    decision = Decision(
        full=plan,
        plan=Plan(),
        held=frozenset((c.contact_id, c.change_class) for c in plan.changes),
        objections=objections(plan, evidence(36), Budgets()),
        verdicts={},
        policies=ResolvedPolicies({}, ()),
        notices=(),
        missing=frozenset(),
        provisioning=False,
    )
    report = CycleReport(STARTED, dry_run=False, key=bytes(32), decision=decision)
    [sample] = blocks(section(FILES, "The flag"))
    assert sample.text == flag_text(causes(report))
    for title in ("The audit file", "The state file"):
        assert f'"{report.reason()}"' in section(FILES, title)


def test_the_disputed_readings_are_those_that_the_tests_run_through() -> None:
    text = section(page("rehearsing.md"), "Switches of the controller")
    rows = table(text, "switch")
    assert [row[0].strip("`") for row in rows] == [*DISPUTED]
    assert f"all {len(EVERY_READING)} combinations" in text
    for name, readings in rows:
        for value in DISPUTED[name.strip("`")]:
            shown = value if isinstance(value, str) else json.dumps(value)
            assert f"`{shown}`" in readings or name == "`page_size_cap`"
