"""`doctor` before CiviCRM: each fault turns its own line, and its remedy mends it."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from door_sync.app.checkup.check import Name
from door_sync.simulators.civicrm.permissions import AUTHENTICATE, SYSTEM
from tests.cli.conftest import Site
from tests.cli.doctoring import (
    Bench,
    Case,
    Cure,
    Inject,
    certificate_of_civicrm,
    named_right,
    open_secured_club,
    prove,
)
from tests.club import CARD_FIELD, Club

OF_CIVICRM = tuple(name for name in Name if name.family.value == "CiviCRM")
BEHIND_THE_KEY = OF_CIVICRM[OF_CIVICRM.index(Name.CIVICRM_KEY) + 1 :]
CONTENTS = OF_CIVICRM[OF_CIVICRM.index(Name.CARD_FIELD) :]
OF_MEMBERSHIPS = (Name.STATUSES, Name.TYPES, Name.JOB)


@pytest.fixture(scope="module")
def running_club() -> Iterator[Club]:
    with open_secured_club() as club:
        yield club


@pytest.fixture
def bench(site: Site) -> Bench:
    return Bench(site)


def no_server(bench: Bench, undoing: ExitStack) -> Cure:
    server = bench.club.civicrm_server
    server.stop()

    def switch_on(remedy: str) -> None:
        assert "Check that it is switched on" in remedy
        undoing.close()

    undoing.callback(lambda: server._running or server.start())
    return switch_on


def a_setting(**values: object) -> Inject:
    """Write a wrong setting; the remedy must name its key, and it is put right then."""

    def inject(bench: Bench, _undoing: ExitStack) -> Cure:
        bench.configure(**values)
        [name] = values

        def correct(remedy: str) -> None:
            assert name.replace("__", ".") in remedy
            bench.configure()

        return correct

    return inject


def an_outage(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.club.civicrm.switches.outage = "civicrm-database"

    def repair(remedy: str) -> None:
        assert "administrator" in remedy
        bench.club.civicrm.switches.outage = None

    return repair


def a_private_authority(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.configure(civicrm__ca_file=None)

    def name_it(remedy: str) -> None:
        assert "name that authority's PEM file in civicrm.ca_file" in remedy
        bench.configure(civicrm__ca_file=str(bench.ca_file))

    return name_it


def a_certificate(days: int) -> Inject:
    """Let the certificate end so many days from now."""

    def inject(bench: Bench, _undoing: ExitStack) -> Cure:
        bench.trust(certificate_of_civicrm(datetime.now(UTC) + timedelta(days=days)))

        def renew(remedy: str) -> None:
            assert "enew" in remedy
            bench.trust(certificate_of_civicrm())

        return renew

    return inject


def a_clock(ahead: timedelta) -> Inject:
    def inject(bench: Bench, undoing: ExitStack) -> Cure:
        server = bench.club.civicrm_server
        server.ahead = ahead

        def put_right() -> None:
            server.ahead = timedelta()

        undoing.callback(put_right)

        def set_clock(remedy: str) -> None:
            assert "timedatectl" in remedy
            put_right()

        return set_clock

    return inject


def a_wrong_key(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.site.keys(civicrm="not-a-key")

    def copy_again(remedy: str) -> None:
        assert "Check CIVICRM_API_KEY" in remedy
        bench.site.keys()

    return copy_again


def a_header_that_gets_lost(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.club.civicrm.switches.drops_authorization = True
    bench.configure(civicrm__auth="authorization")

    def take_the_other(remedy: str) -> None:
        [other] = re.findall(r'set civicrm.auth = "([^"]+)"', remedy)
        bench.configure(civicrm__auth=other)

    return take_the_other


def an_extension_switched_off(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.club.civicrm.switches.authx = False

    def switch_on(remedy: str) -> None:
        assert "the extension AuthX is switched on" in remedy
        bench.club.civicrm.switches.authx = True

    return switch_on


def without(right: str) -> Inject:
    """Take a right from the key's user; the remedy must name exactly that."""

    def inject(bench: Bench, _undoing: ExitStack) -> Cure:
        bench.crm.permissions("full").discard(right)

        def give(remedy: str) -> None:
            bench.crm.permissions("full").add(named_right(remedy))

        return give

    return inject


def without_a_login(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.crm.permissions("full").discard(AUTHENTICATE)

    def give(remedy: str) -> None:
        [right] = re.findall(r'with the right "([^"]+)"', remedy)
        bench.crm.permissions("full").add(right)

    return give


def no_component(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.club.civicrm.switches.civimember = False

    def switch_on(remedy: str) -> None:
        assert "Switch on the component CiviMember" in remedy
        bench.club.civicrm.switches.civimember = True

    return switch_on


def a_misspelt_field(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.configure(civicrm__card_id_field="Door_access.card_id")

    def take_the_near_one(remedy: str) -> None:
        [near] = re.findall(r"Did you mean (\S+)\?", remedy)
        bench.configure(civicrm__card_id_field=near)

    return take_the_near_one


def a_field_switched_off(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.crm.add_custom_group("Other", extends="Contact")
    bench.crm.add_custom_field("Other", "thing")
    bench.crm.set_field_active(CARD_FIELD, False)

    def switch_on(remedy: str) -> None:
        assert "Field and group must be switched on" in remedy
        bench.crm.set_field_active(CARD_FIELD, True)

    return switch_on


def no_cards(bench: Bench, _undoing: ExitStack) -> Cure:
    cards = {contact: bench.club.card_text(contact) for contact in bench.crm.contact_ids()}
    cards = {contact: card for contact, card in cards.items() if card}
    for contact in cards:
        bench.crm.clear_card(contact)
    bench.configure(civicrm__canary_contact=None)

    def enter(remedy: str) -> None:
        assert remedy == "Enter the card numbers in CiviCRM."
        for contact, card in cards.items():
            bench.crm.set_card(contact, card)
        bench.configure()

    return enter


def an_unknown_status(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.crm.rename_status("Grace", "Mercy")

    def write(remedy: str) -> None:
        there = re.findall(r'"([^"]+)"', remedy)
        assert "Mercy" in there
        bench.configure(civicrm__active_statuses=[n for n in there if n in ("Current", "Mercy")])

    return write


def a_type_without_a_rule(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.crm.add_type("Patron")

    def add(remedy: str) -> None:
        assert "Add a table [tier_mapping.rules.NAME] for each" in remedy
        bench.configure(**{"tier_mapping.rules.Patron__resolution": "none"})

    return add


def a_retired_type_without_a_rule(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.crm.add_type("Founder")
    bench.crm.set_type_active("Founder", False)
    return lambda _: bench.configure(**{"tier_mapping.rules.Founder__resolution": "none"})


def a_rule_for_nothing(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.configure(**{"tier_mapping.rules.Glod__resolution": "none"})

    def remove(remedy: str) -> None:
        assert "remove a rule that fits nothing" in remedy
        bench.configure()

    return remove


def no_types(bench: Bench, _undoing: ExitStack) -> Cure:
    types = {**bench.crm.membership_types}
    bench.crm.membership_types.clear()

    def create(remedy: str) -> None:
        assert "Create them in CiviCRM" in remedy
        bench.crm.membership_types.update(types)

    return create


def a_job_that_does_not_run(bench: Bench, _undoing: ExitStack) -> Cure:
    [membership] = bench.club.memberships[bench.member]
    bench.crm.set_end_date(membership, datetime.now(UTC).date() - timedelta(days=90))

    def run(remedy: str) -> None:
        assert 'enable "Update Membership Statuses" and execute it now' in remedy
        bench.crm.run_status_job()

    return run


def a_job_seen(ran: timedelta | None, *, is_active: bool = True) -> Inject:
    """Let the key see the job, which ran so long ago; None for never."""

    def inject(bench: Bench, _undoing: ExitStack) -> Cure:
        bench.crm.permissions("full").add(SYSTEM)
        bench.crm.set_job_active("process_membership", is_active)
        job = bench.crm._job("process_membership")
        job.last_run = None if ran is None else bench.crm.now() - ran

        def run(remedy: str) -> None:
            assert 'enable "Update Membership Statuses" and execute it now' in remedy
            bench.crm.set_job_active("process_membership", True)
            bench.crm.run_status_job()

        return run

    return inject


def a_canary_that_is_gone(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.crm.clear_card(bench.member)

    def fill(remedy: str) -> None:
        assert "fill that contact's card field" in remedy
        bench.crm.set_card(bench.member, "1101")

    return fill


NOT_THE_RIGHT = (Name.ACCESS_MEMBERS, Name.CUSTOM_DATA)
CASES = [
    Case("no server", Name.CIVICRM, no_server, unasked=OF_CIVICRM[1:]),
    Case(
        "a wrong path",
        Name.CIVICRM,
        a_setting(civicrm__path="/elsewhere"),
        unasked=OF_CIVICRM[3:],
    ),
    Case("an outage", Name.CIVICRM, an_outage, unasked=OF_CIVICRM[3:]),
    Case(
        "a private authority",
        Name.CERTIFICATE,
        a_private_authority,
        unasked=(Name.CIVICRM, *OF_CIVICRM[2:]),
    ),
    Case(
        "a certificate that ran out",
        Name.CERTIFICATE,
        a_certificate(-1),
        unasked=(Name.CIVICRM, *OF_CIVICRM[2:]),
    ),
    Case("a certificate that runs out soon", Name.CERTIFICATE, a_certificate(9), "warn"),
    Case("a clock minutes ahead", Name.CIVICRM_CLOCK, a_clock(timedelta(minutes=5)), "warn"),
    Case("a clock hours behind", Name.CIVICRM_CLOCK, a_clock(-timedelta(hours=7))),
    Case("a wrong key", Name.CIVICRM_KEY, a_wrong_key, unasked=BEHIND_THE_KEY),
    Case(
        "a header that gets lost",
        Name.CIVICRM_KEY,
        a_header_that_gets_lost,
        unasked=BEHIND_THE_KEY,
    ),
    Case(
        "an extension switched off",
        Name.CIVICRM_KEY,
        an_extension_switched_off,
        unasked=BEHIND_THE_KEY,
    ),
    Case("no login", Name.AUTHENTICATE, without_a_login, unasked=BEHIND_THE_KEY[1:]),
    Case(
        "no access to CiviCRM",
        Name.ACCESS_CIVICRM,
        without("access CiviCRM"),
        unasked=(*NOT_THE_RIGHT, Name.CARD_FIELD, *OF_MEMBERSHIPS),
    ),
    Case(
        "no view of all contacts",
        Name.VIEW_ALL,
        without("view all contacts"),
        unasked=(Name.CARD_FIELD, Name.JOB, Name.CANARY_CONTACT),
    ),
    Case(
        "no access to memberships",
        Name.ACCESS_MEMBERS,
        without("access CiviMember"),
        unasked=OF_MEMBERSHIPS,
    ),
    Case("no component", Name.ACCESS_MEMBERS, no_component, unasked=OF_MEMBERSHIPS),
    Case(
        "no custom data",
        Name.CUSTOM_DATA,
        without("access all custom data"),
        unasked=(Name.CARD_FIELD, Name.CANARY_CONTACT),
    ),
    Case(
        "a misspelt field",
        Name.CARD_FIELD,
        a_misspelt_field,
        unasked=(Name.CANARY_CONTACT,),
    ),
    Case(
        "a field switched off",
        Name.CARD_FIELD,
        a_field_switched_off,
        unasked=(Name.CANARY_CONTACT,),
    ),
    Case("no cards", Name.CARD_FIELD, no_cards, "warn", unasked=(Name.CANARY_CONTACT,)),
    Case("an unknown status", Name.STATUSES, an_unknown_status),
    Case("a type without a rule", Name.TYPES, a_type_without_a_rule),
    Case("a retired type without a rule", Name.TYPES, a_retired_type_without_a_rule, "warn"),
    Case("a rule for nothing", Name.TYPES, a_rule_for_nothing, "warn"),
    Case("no types", Name.TYPES, no_types),
    Case("a job that does not run", Name.JOB, a_job_that_does_not_run),
    Case("a job switched off", Name.JOB, a_job_seen(timedelta(hours=3), is_active=False)),
    Case("a job that never ran", Name.JOB, a_job_seen(None)),
    Case("a job that ran long ago", Name.JOB, a_job_seen(timedelta(days=9))),
    Case("a canary that is gone", Name.CANARY_CONTACT, a_canary_that_is_gone),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_a_fault_turns_its_line_and_its_remedy_mends_it(bench: Bench, case: Case) -> None:
    prove(bench, case)


def test_each_check_of_civicrm_has_a_fault_that_turns_it() -> None:
    assert {case.line for case in CASES} == {*OF_CIVICRM}
