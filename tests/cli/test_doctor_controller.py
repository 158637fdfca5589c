"""`doctor` before the controller: each fault turns its own line, and nothing is changed there."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from door_sync.app.checkup.check import Name
from door_sync.simulators.faults import Answer, Fault
from door_sync.simulators.tls import self_signed
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN
from door_sync.simulators.unifi.trouble import business_error, null_data
from tests.cli.conftest import Site
from tests.cli.doctoring import (
    Bench,
    Case,
    Cure,
    Inject,
    files_of,
    open_secured_club,
    prove,
    state_of,
)
from tests.club import Club

OF_CONTROLLER = tuple(name for name in Name if name.family.value == "The controller")
BEHIND_THE_TOKEN = OF_CONTROLLER[OF_CONTROLLER.index(Name.TOKEN) + 1 :]
FULL = ("edit:user", "edit:credential", "view:policy", "view:visitor")


@pytest.fixture(scope="module")
def running_club() -> Iterator[Club]:
    with open_secured_club() as club:
        yield club


@pytest.fixture
def bench(site: Site) -> Bench:
    bench = Bench(site)
    bench.limit_token(*FULL)
    return bench


def no_server(bench: Bench, undoing: ExitStack) -> Cure:
    server = bench.club.unifi_server
    server.stop()
    undoing.callback(lambda: server._running or server.start())

    def switch_on(remedy: str) -> None:
        assert "Check that it is switched on" in remedy
        undoing.close()

    return switch_on


def another_certificate(bench: Bench, _undoing: ExitStack) -> Cure:
    before = bench.club.unifi_server.fingerprint
    bench.club.unifi_server.swap_certificate(self_signed("unifi.local"))
    shown = bench.club.unifi_server.fingerprint
    line = bench.look().line(Name.FINGERPRINT)
    assert f"another certificate: {shown}; pinned is {before}" in line["text"]

    def pin_it(remedy: str) -> None:
        assert "unifi.tls_fingerprint" in remedy
        assert f"openssl s_client -connect 127.0.0.1:{bench.club.unifi_server.port}" in remedy
        [seen] = re.findall(r"certificate: ([0-9A-F:]+);", line["text"])
        bench.configure(unifi__tls_fingerprint=seen)

    return pin_it


def a_clock(ahead: timedelta) -> Inject:
    def inject(bench: Bench, undoing: ExitStack) -> Cure:
        server = bench.club.unifi_server
        server.ahead = ahead

        def put_right() -> None:
            server.ahead = timedelta()

        undoing.callback(put_right)

        def set_clock(remedy: str) -> None:
            assert "timedatectl" in remedy
            put_right()

        return set_clock

    return inject


def an_upgrade(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.club.unifi.switch(identity_enterprise=True)

    def take_back(remedy: str) -> None:
        assert "door-sync cannot work there" in remedy
        bench.club.unifi.switch(identity_enterprise=False)

    return take_back


def a_deleted_token(bench: Bench, _undoing: ExitStack) -> Cure:
    bench.unifi.delete_token(DEFAULT_TOKEN)
    return bench.replace_token


def a_token_with(*scopes: str) -> Inject:
    def inject(bench: Bench, _undoing: ExitStack) -> Cure:
        bench.limit_token(*scopes)
        return bench.replace_token

    return inject


def ids_in_the_rules(bench: Bench) -> None:
    """Let every rule name its policy by id, as a token without the right asks for."""
    bench.settings |= {
        'tier_mapping.rules."Gold"__target_policy': bench.club.gold,
        'tier_mapping.rules."Silver"__target_policy': bench.club.silver,
    }
    bench.configure()


def no_policies_by_id(bench: Bench, _undoing: ExitStack) -> Cure:
    ids_in_the_rules(bench)
    bench.limit_token("edit:user", "edit:credential", "view:visitor")
    return bench.replace_token


def a_firmware(version: str) -> Inject:
    def inject(bench: Bench, _undoing: ExitStack) -> Cure:
        bench.club.unifi.switch(firmware=version)

        def update(remedy: str) -> None:
            [wanted] = re.findall(r"to (\d+\.\d+\.\d+) or newer", remedy)
            bench.club.unifi.switch(firmware=wanted)

        return update

    return inject


def a_renamed_policy(bench: Bench, _undoing: ExitStack) -> Cure:
    rule = 'tier_mapping.rules."Gold"'
    bench.configure(**{f"{rule}__target_policy": "Golden hours"})

    def write_exactly(remedy: str) -> None:
        there = re.findall(r'"([^"]+)"', remedy)
        [name] = [one for one in there if one.startswith("Gold")]
        bench.configure(**{f"{rule}__target_policy": name})

    return write_exactly


def a_canary_that_is_gone(bench: Bench, _undoing: ExitStack) -> Cure:
    gone = "00000000-0000-4000-8000-000000000000"
    bench.configure(unifi__canary_user=gone)

    def name_another(remedy: str) -> None:
        assert "Set unifi.canary_user" in remedy
        bench.configure(unifi__canary_user=bench.club.owner)

    return name_another


def trouble(fault: Fault, path: str = "*", method: str = "GET") -> Inject:
    """Let the controller answer one kind of question with trouble, until it is restarted."""

    def inject(bench: Bench, _undoing: ExitStack) -> Cure:
        bench.club.unifi.faults.add(fault, path=path, method=method, times=None)

        def restart(remedy: str) -> None:
            assert "estart the Access application" in remedy or "console's own address" in remedy
            bench.club.unifi.faults.clear()

        return restart

    return inject


CASES = [
    Case("no server", Name.CONTROLLER, no_server, unasked=OF_CONTROLLER[1:]),
    Case(
        "an overloaded controller",
        Name.CONTROLLER,
        trouble(Answer(503)),
        unasked=OF_CONTROLLER[3:],
    ),
    Case(
        "another program",
        Name.CONTROLLER,
        trouble(Answer(200, b"<html>log in</html>", "text/html")),
        unasked=OF_CONTROLLER[3:],
    ),
    Case(
        "another certificate",
        Name.FINGERPRINT,
        another_certificate,
        unasked=OF_CONTROLLER[2:],
    ),
    Case("a clock minutes ahead", Name.CONTROLLER_CLOCK, a_clock(timedelta(minutes=5)), "warn"),
    Case("a clock days behind", Name.CONTROLLER_CLOCK, a_clock(-timedelta(days=3))),
    Case("an upgrade", Name.IDENTITY, an_upgrade, unasked=OF_CONTROLLER[4:]),
    Case("a deleted token", Name.TOKEN, a_deleted_token, unasked=BEHIND_THE_TOKEN),
    Case(
        "no right to people",
        Name.PEOPLE,
        a_token_with("edit:credential", "view:policy", "view:visitor"),
        unasked=(Name.CANARY_USER,),
    ),
    Case(
        "people to be read only",
        Name.PEOPLE,
        a_token_with("view:user", "edit:credential", "view:policy", "view:visitor"),
    ),
    Case("no list of people", Name.PEOPLE, trouble(business_error(), "/users")),
    Case(
        "no right to cards",
        Name.CREDENTIALS,
        a_token_with("edit:user", "view:policy", "view:visitor"),
    ),
    Case(
        "cards to be read only",
        Name.CREDENTIALS,
        a_token_with("edit:user", "view:credential", "view:policy", "view:visitor"),
    ),
    Case(
        "no list of cards",
        Name.CREDENTIALS,
        trouble(business_error(), "/credentials/nfc_cards/tokens"),
    ),
    Case(
        "no right to policies, which are named by name",
        Name.VIEW_POLICIES,
        a_token_with("edit:user", "edit:credential", "view:visitor"),
        unasked=(Name.POLICIES,),
    ),
    Case(
        "no right to policies, which are named by id",
        Name.VIEW_POLICIES,
        no_policies_by_id,
        "warn",
        unasked=(Name.POLICIES,),
    ),
    Case(
        "no list of policies",
        Name.VIEW_POLICIES,
        trouble(business_error(), "/access_policies"),
        unasked=(Name.POLICIES,),
    ),
    Case(
        "no right to visitors",
        Name.VIEW_VISITORS,
        a_token_with("edit:user", "edit:credential", "view:policy"),
        "warn",
    ),
    Case("no list of visitors", Name.VIEW_VISITORS, trouble(business_error(), "/visitors")),
    Case("a firmware that imports no cards", Name.VERSION, a_firmware("3.3.9")),
    Case("a renamed policy", Name.POLICIES, a_renamed_policy),
    Case("a malformed list of policies", Name.POLICIES, trouble(null_data(), "/access_policies")),
    Case("a canary that is gone", Name.CANARY_USER, a_canary_that_is_gone),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_a_fault_turns_its_line_and_its_remedy_mends_it(bench: Bench, case: Case) -> None:
    prove(bench, case)


def test_each_check_of_the_controller_has_a_fault_that_turns_it() -> None:
    assert {case.line for case in CASES} == {*OF_CONTROLLER}


@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize("dialect", ["string", "numeric"])
def test_a_missing_right_is_seen_however_it_is_told(
    bench: Bench, status: int, dialect: str
) -> None:
    bench.club.unifi.switch(scope_error_status=status, dialect=dialect)
    bench.limit_token("view:user", "view:credential")
    assert bench.look().lines("bad", "warn") == [
        "right: People & Groups: Edit",
        "right: Credentials: Edit",
        "right: Access Policy: View",
        "right: Visitor: View",
    ]


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    "code", ["CODE_USER_WORKER_NOT_EXISTS", "CODE_USER_ACCOUNT_NOT_EXIST", "CODE_NOT_EXISTS"]
)
def test_a_right_is_seen_whatever_a_missing_record_is_called(
    bench: Bench, status: int, code: str
) -> None:
    bench.club.unifi.switch(business_error_status=status, unknown_user_code=code)
    assert bench.look().lines("bad", "warn") == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/users/:id", Name.PEOPLE),
        ("/credentials/nfc_cards/*", Name.CREDENTIALS),
    ],
)
def test_a_right_that_is_not_told_without_writing_is_left_open(
    bench: Bench, path: str, name: Name
) -> None:
    """A refusal for another reason proves neither that the right is there nor that it lacks."""
    refusal = business_error("CODE_PARAMS_INVALID")
    for method in ("PUT", "POST"):
        bench.club.unifi.faults.add(refusal, method=method, path=path, times=None)
    looked = bench.look()
    assert looked.code == 0
    assert looked.line(name)["verdict"] == "unknown"
    assert "the first cycle shows it" in looked.line(name)["text"]


def test_a_version_that_is_not_told_is_left_open(bench: Bench) -> None:
    where = "/credentials/nfc_cards/import"
    bench.club.unifi.faults.add(Answer(500), method="POST", path=where)
    line = bench.look().line(Name.VERSION)
    assert (line["verdict"], "the first cycle shows it" in line["text"]) == ("unknown", True)


def test_an_old_firmware_without_a_list_of_cards_is_one_fault(bench: Bench) -> None:
    bench.club.unifi.switch(firmware="1.9.1")
    looked = bench.look()
    assert looked.lines("bad", "warn") == ["controller version"]
    assert "has no list of cards" in looked.line(Name.CREDENTIALS)["text"]


def test_nothing_changes_on_the_controller_and_no_file_changes_here(bench: Bench) -> None:
    """What is sent as a write is refused by the controller, each and all."""
    bench.club.forget()
    before, files = state_of(bench), files_of(bench.site.directory)
    assert bench.look().code == 0
    assert state_of(bench) == before
    assert files_of(bench.site.directory) == files
    writes = bench.club.unifi.journal.writes()
    assert len(writes) == 3
    assert [one.carried_out for one in writes] == [False] * 3


def test_no_byte_of_http_reaches_a_controller_with_another_certificate(bench: Bench) -> None:
    """P11: not even for a look."""
    bench.club.forget()
    bench.club.unifi_server.swap_certificate(self_signed("unifi.local"))
    assert bench.look().lines("bad") == ["controller fingerprint"]
    assert bench.club.unifi.journal.requests() == ()
    assert "Nothing was sent to it" in bench.look().line(Name.FINGERPRINT)["text"]


def test_without_its_own_token_only_the_controller_is_not_asked(bench: Bench) -> None:
    bench.site.env_file.write_text(f"CIVICRM_API_KEY={bench.site.civicrm_key}\n")
    looked = bench.look()
    assert looked.lines("bad") == ["settings"]
    assert looked.line(Name.TOKEN)["text"].endswith("UNIFI_API_KEY is missing or malformed")
    assert "membership types" in looked.lines("ok")


def test_rules_with_a_fault_are_not_compared_with_either_side(bench: Bench) -> None:
    bench.configure(**{'tier_mapping.rules."Gold"__rank': "high"})
    looked = bench.look()
    assert looked.lines("bad") == ["settings"]
    for name in (Name.TYPES, Name.POLICIES):
        assert looked.line(name)["text"].endswith("the rules in config.toml have a fault")
    assert "right: Access Policy: View" in looked.lines("ok")


def test_an_address_that_is_none_keeps_the_other_side_in_sight(bench: Bench) -> None:
    bench.configure(unifi__host="controller")
    looked = bench.look()
    assert looked.lines("bad") == ["settings"]
    assert {name.title for name in OF_CONTROLLER} <= {*looked.lines("unknown")}
    assert "unifi.host in config.toml" in looked.line(Name.CONTROLLER)["text"]
