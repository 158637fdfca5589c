"""P12: names where a person asked for a plan, and nowhere else; numbers, tokens and keys nowhere.

Everybody and everything in these clubs carries a mark, and whatever door-sync prints or writes is
searched for the marks, on good ways and on bad ones, with -v too.
"""

from collections.abc import Callable, Iterator

import pytest

from door_sync.simulators.faults import Answer, Rewrite, Truncate, html_error, json_answer
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN
from tests.app.watching import at_bind, at_create, at_import, at_status, bad_token, refused
from tests.cli.conftest import Site
from tests.cli.marked import EMAIL, FIRST, HAND, LAST, Marked, marked_site


@pytest.fixture
def marked(site: Site) -> Iterator[Marked]:
    """The marked site."""
    with marked_site(site) as opened:
        yield opened


def test_the_marks_are_there_to_be_found(marked: Marked) -> None:
    """Else every other test here would prove nothing."""
    club = marked.site.club
    assert marked.site.run("run", "--once").code == 0
    users = [user for user in club.unifi.world.users if user.employee_number]
    assert {(user.first_name, user.last_name) for user in users} == {(FIRST, LAST)}
    assert EMAIL in {user.user_email for user in users}
    assert "sync-54321" in {card.alias for card in club.unifi.world.cards}
    with pytest.raises(AssertionError):
        marked.holds_no_secret(b"the card 54321 of")
    with pytest.raises(AssertionError):
        marked.holds_no_secret(b'{"card": "4321"}')
    with pytest.raises(AssertionError):
        marked.holds_no_secret(f"Bearer {DEFAULT_TOKEN}".encode())


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_a_plan_shows_names_on_standard_output_and_nothing_else(marked: Marked, form: str) -> None:
    ran = marked.run("plan", "--format", form, shows_names=True)
    assert f"{FIRST} {LAST}" in ran.out
    assert EMAIL not in ran.out


@pytest.mark.parametrize("way", [[], ["--json"], ["--dry-run"], ["--dry-run", "--json"]])
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_run_shows_contact_ids_alone(marked: Marked, way: list[str], log_format: str) -> None:
    ran = marked.run("--log-format", log_format, "run", "--once", *way)
    assert ran.code == 0
    assert str(marked.member) in ran.out


def test_a_life_of_changes_leaves_no_mark(marked: Marked) -> None:
    club = marked.site.club
    marked.run("run", "--once")
    club.lapse(marked.leaver)
    club.retier(marked.member, "Silver")
    club.civicrm.world.set_name(marked.member, last_name=f"{LAST}-{HAND}")
    assert "1 person lost access" in marked.run("run", "--once").out
    club.rejoin(marked.leaver)
    assert "1 person got access back" in marked.run("run", "--once").out
    assert marked.run("run", "--once").code == 0


def test_a_held_cycle_leaves_no_mark(marked: Marked) -> None:
    marked.run("run", "--once")
    marked.site.club.lapse(marked.leaver)
    marked.site.configure(safety__small_site_max=0, safety__mass_deactivate_pct=0.01)
    assert marked.run("run", "--once").code == 1
    assert marked.site.flag.exists()
    assert marked.run("plan", shows_names=True).code == 1


def _shout(document: object) -> object:
    """Let the answer's message quote what it was asked."""
    if isinstance(document, dict):
        document["msg"] = f"no good: {FIRST} {LAST} {EMAIL} 54321 sync-54321 {DEFAULT_TOKEN}"
        document["code"] = "CODE_PARAMS_INVALID"
    return document


SHOUTING = f"{FIRST} {LAST} <{EMAIL}> 54321 sync-54321".encode()

Break = Callable[[Site], object]

TROUBLES: dict[str, tuple[Break, int]] = {
    "a refusal that quotes": (lambda s: at_create(s.club, Rewrite(_shout), times=None), 3),
    "a bind that is refused": (lambda s: at_bind(s.club, refused()), 3),
    "an import that fails": (lambda s: at_import(s.club, refused()), 3),
    "an import that went well and quotes": (lambda s: at_import(s.club, Rewrite(_shout)), 0),
    "an e-mail that is refused": (
        lambda s: at_create(s.club, refused("CODE_USER_EMAIL_ERROR"), times=None),
        3,
    ),
    "a key that dies on the way": (lambda s: at_bind(s.club, bad_token()), 2),
    "an answer cut short": (lambda s: at_create(s.club, Truncate(cut=True), times=None), 0),
    "a list that is no list": (
        lambda s: s.club.unifi.faults.add(Answer(200, SHOUTING), path="/users", times=None),
        2,
    ),
    "an error page of the website": (
        lambda s: s.club.civicrm.faults.add(Answer(500, SHOUTING, "text/html"), times=None),
        2,
    ),
    "an error of CiviCRM that quotes": (
        lambda s: s.club.civicrm.faults.add(
            json_answer({"error_code": 0, "error_message": SHOUTING.decode(), "status": 500}),
            times=None,
        ),
        2,
    ),
    "a proxy's page": (lambda s: s.club.unifi.faults.add(html_error(502), times=None), 2),
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("way", [[], ["--json"]])
def test_trouble_leaves_no_mark(marked: Marked, trouble: str, way: list[str]) -> None:
    break_it, code = TROUBLES[trouble]
    break_it(marked.site)
    ran = marked.run("run", "--once", *way)
    assert ran.code == code, ran.out
    # A card that somebody else holds is among them, which calls for a person in any case.
    assert marked.site.flag.exists()


def test_a_revocation_that_fails_leaves_no_mark(marked: Marked) -> None:
    club = marked.site.club
    marked.run("run", "--once")
    club.lapse(marked.leaver)
    user = club.user_of(marked.leaver)
    at_status(club, Rewrite(_shout), user, {"status": "DEACTIVATED"})
    assert marked.run("run", "--once").code == 3


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_fault_of_the_program_leaves_no_mark(
    marked: Marked, log_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise LookupError(SHOUTING.decode())

    monkeypatch.setattr("door_sync.app.cycle.decide", broken)
    ran = marked.run("--log-format", log_format, "run", "--once")
    assert ran.code == 2
    assert "LookupError" in ran.err
    assert "in broken" in ran.err


def test_a_key_in_the_wrong_place_is_not_repeated(marked: Marked) -> None:
    """A slip of the hand puts a key into config.toml, or half of one on a line of its own."""
    site = marked.site
    site.config.write_text(
        site.config.read_text().replace("[unifi]", f'[unifi]\napi_key = "{DEFAULT_TOKEN}"')
    )
    site.env_file.write_text(f"CIVICRM_API_KEY={site.civicrm_key}\n{DEFAULT_TOKEN}\n")
    ran = marked.run("validate-config")
    assert ran.code == 78
    assert "unifi.api_key" in ran.err
