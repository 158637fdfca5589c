"""`doctor` before CiviCRM: what it asks, what it believes, and what it keeps to itself."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from door_sync.app.checkup.check import Name
from door_sync.simulators.faults import Answer, Rewrite, null_key
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN
from tests.cli.conftest import Site
from tests.cli.doctoring import Bench, open_secured_club
from tests.club import Club

OF_CIVICRM = tuple(name for name in Name if name.family.value == "CiviCRM")


@pytest.fixture(scope="module")
def running_club() -> Iterator[Club]:
    with open_secured_club() as club:
        yield club


@pytest.fixture
def bench(site: Site) -> Bench:
    return Bench(site)


def test_a_field_that_cannot_hold_a_number_is_told(bench: Bench) -> None:
    """The canary has no value in it, so that two lines turn: one for each setting."""
    bench.crm.add_custom_group("Other", extends="Contact")
    bench.crm.add_custom_field("Other", "day", data_type="Date")
    bench.configure(civicrm__card_id_field="Other.day")
    looked = bench.look()
    assert "cannot hold one card number" in looked.line(Name.CARD_FIELD)["text"]
    assert "civicrm.card_id_field" in looked.line(Name.CARD_FIELD)["remedy"]
    assert looked.code == 2


def test_faults_on_one_side_hide_none_of_another(bench: Bench) -> None:
    """Several at once: each has its own line."""
    bench.crm.permissions("full").discard("view all contacts")
    bench.crm.add_type("Patron")
    bench.club.civicrm_server.ahead = timedelta(hours=7)
    bench.site.keys(unifi="not-a-token")
    try:
        looked = bench.look()
    finally:
        bench.club.civicrm_server.ahead = timedelta()
    assert looked.lines("bad") == [
        *("CiviCRM clock", "right: view all contacts", "membership types", "controller token"),
    ]


def test_older_versions_of_civicrm_are_asked_the_same(bench: Bench) -> None:
    bench.club.civicrm.switches.version = "5.77"
    assert bench.look().code == 0
    bench.crm.permissions("full").discard("access CiviMember")
    assert bench.look().lines("bad") == ["right: access CiviMember"]


def test_a_side_that_tells_no_time_is_not_asked_for_it(bench: Bench) -> None:
    bench.club.civicrm_server.ahead = None
    try:
        line = bench.look().line(Name.CIVICRM_CLOCK)
    finally:
        bench.club.civicrm_server.ahead = timedelta()
    assert line["text"] == "not asked, because CiviCRM does not say what time it is"


def test_without_tls_on_this_machine_there_is_no_certificate_to_look_at(bench: Bench) -> None:
    with bench.club.civicrm.serve() as plain:
        bench.configure(civicrm__host=plain.url, civicrm__ca_file=None)
        looked = bench.look()
    assert looked.code == 0
    assert "without TLS" in looked.line(Name.CERTIFICATE)["text"]


@pytest.mark.parametrize(
    "answer",
    [Answer(200, b'{"values": 5}'), null_key("card_field", "values"), null_key("own")],
    ids=["another question", "no rows", "no part"],
)
def test_an_answer_that_must_not_be_believed_is_a_fault_of_civicrm(
    bench: Bench, answer: Answer | Rewrite
) -> None:
    bench.club.civicrm.faults.add(answer)
    looked = bench.look()
    assert looked.lines("bad") == ["CiviCRM reachable"]
    assert {*looked.lines("unknown")} >= {name.title for name in OF_CIVICRM[3:]}


def test_an_inherited_or_overridden_membership_does_not_accuse_the_job(bench: Bench) -> None:
    """The job leaves those alone (CiviCRM sheet §7)."""
    long_ago = datetime.now(UTC).date() - timedelta(days=90)
    [first], [second] = bench.club.memberships.values()
    for membership in (first, second):
        bench.crm.set_end_date(membership, long_ago)
    bench.crm.membership(first).owner_membership_id = second
    bench.crm.set_status(second, "Current", override=True)
    assert bench.look().line(Name.JOB)["verdict"] == "ok"


@pytest.mark.parametrize("status", ["New", "Grace"])
def test_a_status_that_may_outlast_the_end_date_does_not_accuse_the_job(
    bench: Bench, status: str
) -> None:
    [membership] = bench.club.memberships[bench.member]
    bench.crm.set_end_date(membership, datetime.now(UTC).date() - timedelta(days=20))
    bench.crm.set_status(membership, status)
    assert bench.look().line(Name.JOB)["verdict"] == "ok"


def test_looking_at_civicrm_is_one_request(bench: Bench) -> None:
    bench.club.forget()
    bench.look()
    assert len(bench.club.civicrm.journal.entries()) == 1


def test_no_key_and_no_name_is_printed(bench: Bench) -> None:
    bench.crm.set_name(bench.member, first_name="Zebulon", last_name="Quill")
    for words in (("doctor",), ("doctor", "--json"), ("-v", "doctor")):
        ran = bench.site.run(*words)
        for secret in ("Zebulon", "Quill", "1101", bench.site.civicrm_key, DEFAULT_TOKEN):
            assert secret not in ran.out + ran.err
