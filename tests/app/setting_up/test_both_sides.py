"""The talk about either system, against the simulators: what goes wrong is said and asked again."""

from pathlib import Path

import pytest

from door_sync.app.setting_up import flow
from door_sync.app.setting_up.answers import Answers, AnswersError
from door_sync.app.setting_up.civicrm_side import ask_civicrm
from door_sync.app.setting_up.controller_side import NotTrusted, ask_controller
from door_sync.app.setting_up.flow import NotWanted, Place, set_up
from door_sync.settings import BadSettings
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN
from door_sync.simulators.unifi.site import SCOPES
from door_sync.simulators.unifi.switches import Switches
from tests.app.setting_up.conftest import MakeTalk
from tests.club import CARD_FIELD, FACILITY, Club

PLAIN = "/?civiwp=CiviCRM&q=civicrm/ajax/api4"


def key(club: Club) -> str:
    return club.civicrm.world.secret_of("full")


def shown(club: Club) -> str:
    return club.unifi_server.fingerprint or ""


def crm_words(club: Club) -> list[str]:
    return [club.civicrm_server.url, key(club), "", ""]


def door_words(club: Club) -> list[str]:
    return [club.unifi_server.url, "yes", DEFAULT_TOKEN, str(FACILITY), ""]


RULE_WORDS = ["3", "", ""]
"""Mystery gives no access; take it all."""


def test_civicrm_is_asked_until_it_answers(club: Club, talk: MakeTalk) -> None:
    words = ["", "http://crm.example.org", "http://127.0.0.1:1", *crm_words(club)]
    begun = talk(*words)
    side = ask_civicrm(begun.interview, club.clock)
    assert (side.host, side.auth, side.card_field) == (
        club.civicrm_server.url,
        "x-civi-auth",
        CARD_FIELD,
    )
    for told in ("must begin with https://", "nothing listens on that port"):
        assert told in begun.text
    assert "config.toml" not in begun.text
    assert key(club) not in begun.text + repr(side)


def test_a_path_is_asked_for_only_where_something_else_answers(club: Club, talk: MakeTalk) -> None:
    club.civicrm.switches.pretty_urls = False
    words = crm_words(club)
    begun = talk(words[0], "no-slash", PLAIN, "", *words[1:])
    try:
        side = ask_civicrm(begun.interview, club.clock)
    finally:
        club.civicrm.switches.pretty_urls = True
    assert side.path == PLAIN
    assert "must begin with one slash" in begun.text


def test_a_path_that_was_answered_beforehand_is_taken_and_checked(
    club: Club, talk: MakeTalk
) -> None:
    words = crm_words(club)
    begun = talk("/civicrm/ajax/api4", *words, answers=Answers({"civicrm.path": "bad"}))
    assert ask_civicrm(begun.interview, club.clock).path == "/civicrm/ajax/api4"
    with pytest.raises(AnswersError, match=r"civicrm\.path"):
        ask_civicrm(talk(answers=Answers({"civicrm.path": "bad"})).interview, club.clock)


def test_the_other_header_is_tried_only_when_the_person_says_so(club: Club, talk: MakeTalk) -> None:
    club.civicrm.switches.xheader_credentials = frozenset()
    url, secret, *rest = crm_words(club)
    begun = talk(url, secret, "", "", *rest)
    club.forget()
    try:
        side = ask_civicrm(begun.interview, club.clock)
    finally:
        club.civicrm.switches.xheader_credentials = frozenset({"jwt", "api_key"})
    assert side.auth == "authorization"
    assert begun.person is not None
    assert any("Which header carries the key" in prompt for prompt in begun.person.asked)


def test_the_header_may_be_answered_beforehand(club: Club, talk: MakeTalk) -> None:
    begun = talk(*crm_words(club), answers=Answers({"civicrm.auth": "authorization"}))
    assert ask_civicrm(begun.interview, club.clock).auth == "authorization"


def test_a_missing_right_is_mended_and_the_same_key_tried_again(club: Club, talk: MakeTalk) -> None:
    club.civicrm.world.add_key("narrow-key", "noview")
    url, secret, *rest = crm_words(club)
    begun = talk(url, "narrow-key", secret, *rest)
    ask_civicrm(begun.interview, club.clock)
    assert "view all contacts" in begun.text
    assert "Enter tries the same key once more." in begun.text


def test_a_status_that_the_site_has_not_is_asked_again(club: Club, talk: MakeTalk) -> None:
    url, secret, *_ = crm_words(club)
    begun = talk(url, secret, "Current, Paid", ",", "Current,Current", "2", "1")
    assert ask_civicrm(begun.interview, club.clock).statuses == ("Current",)
    assert "CiviCRM has no status Paid" in begun.text


def test_a_site_without_a_field_for_cards_is_told_what_to_make(club: Club, talk: MakeTalk) -> None:
    club.civicrm.world.set_field_active(CARD_FIELD, False)
    values = {"civicrm.host": club.civicrm_server.url, "civicrm.api_key": key(club)}
    begun = talk(answers=Answers({**values, "civicrm.card_id_field": CARD_FIELD}))
    with pytest.raises(AnswersError, match="there is no field to choose"):
        ask_civicrm(begun.interview, club.clock)
    assert "no custom field of contacts" in begun.text


def test_the_token_is_asked_until_the_controller_takes_it(club: Club, talk: MakeTalk) -> None:
    url, yes, token, *rest = door_words(club)
    begun = talk("127.0.0.1:1", url, yes, "wrong-token", token, *rest)
    side = ask_controller(begun.interview, club.clock)
    assert side.fingerprint == shown(club)
    assert (side.facility, side.email) == (FACILITY, "off")
    assert "refuses the API token" in begun.text
    assert "wrong-token" not in begun.text
    assert DEFAULT_TOKEN not in begun.text + repr(side)


def test_the_fingerprint_may_be_pasted_in_any_form(club: Club, talk: MakeTalk) -> None:
    url, _, *rest = door_words(club)
    pasted = f"sha256 Fingerprint={shown(club).lower()}"
    other = ":".join(["00"] * 32)
    begun = talk(url, "hm", other, pasted, *rest)
    ask_controller(begun.interview, club.clock)
    assert "the console shows another fingerprint" in begun.text


def test_who_says_no_sends_nothing(club: Club, talk: MakeTalk) -> None:
    club.forget()
    begun = talk(club.unifi_server.url, "n")
    with pytest.raises(NotTrusted):
        ask_controller(begun.interview, club.clock)
    assert len(club.unifi.journal.requests()) == 0


def test_what_the_controller_has_is_told_and_its_facility_code_proposed(
    club: Club, talk: MakeTalk
) -> None:
    club.unifi.switches = Switches(nfc_id_in_card_list=True)
    club.add_user("17", cards=[1201, 1202])
    url, yes, token, _, email = door_words(club)
    begun = talk(url, yes, token, "", email)
    assert ask_controller(begun.interview, club.clock).facility == FACILITY
    assert f"Facility codes of the cards in the controller: {FACILITY} (on 2)" in begun.text
    assert "Users with a whole number as employee number: 1." in begun.text
    assert "1201" not in begun.text


def test_policies_that_are_missing_or_hidden_are_told(club: Club, talk: MakeTalk) -> None:
    club.unifi.world.add_token("blind", scopes=SCOPES - {"view:policy", "edit:policy"})
    url, yes, _, *rest = door_words(club)
    hidden = talk(url, yes, "blind", *rest)
    assert ask_controller(hidden.interview, club.clock).survey.policies is None
    assert "may not read access policies" in hidden.text
    club.unifi.reset().add_user("Olga", "Owner", is_admin=True)
    none = talk(*door_words(club))
    assert ask_controller(none.interview, club.clock).survey.policies == ()
    assert "It has no access policy yet" in none.text


def place(directory: Path, *, force: bool = False, is_system: bool = False) -> Place:
    return Place(directory / "config.toml", directory / ".env", force=force, is_system=is_system)


def test_the_whole_talk_with_a_channel_and_another_header(
    club: Club, talk: MakeTalk, tmp_path: Path
) -> None:
    channel = ["apprise", "json://127.0.0.1/x"]
    words = [*crm_words(club), *door_words(club), *RULE_WORDS, *channel, "", ""]
    answers = Answers({"civicrm.auth": "authorization", "civicrm.path": PLAIN})
    begun = talk(*words, answers=answers)
    set_up(begun.interview, place(tmp_path, is_system=True), club.clock)
    text = (tmp_path / "config.toml").read_text()
    assert '\nauth = "authorization"' in text
    assert "\npath = " in text
    assert '\nstate_json = "/var/lib/door-sync/state.json"' in text
    assert "notify-test" in begun.text
    assert "json://127.0.0.1/x" in (tmp_path / ".env").read_text()
    assert "json://" not in begun.text + text


def test_existing_files_are_replaced_only_by_a_yes(
    club: Club, talk: MakeTalk, tmp_path: Path
) -> None:
    """Enter is no yes here."""
    (tmp_path / ".env").write_text("CIVICRM_API_KEY=old\n")
    words = [*crm_words(club), *door_words(club), *RULE_WORDS, "", "here"]
    begun = talk(*words, "")
    with pytest.raises(NotWanted):
        set_up(begun.interview, place(tmp_path), club.clock)
    assert [path.name for path in tmp_path.iterdir()] == [".env"]
    set_up(talk(*words, "yes").interview, place(tmp_path), club.clock)
    assert len([*tmp_path.iterdir()]) == 3


def test_files_that_no_command_could_read_are_not_written(
    club: Club, talk: MakeTalk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours in between must not leave a site with two broken files."""
    monkeypatch.setitem(flow.LAYOUTS, "here", ("", "state.json", "alert.flag"))
    words = [*crm_words(club), *door_words(club), *RULE_WORDS, "", "here", ""]
    with pytest.raises(BadSettings, match=r"ops\.audit_jsonl"):
        set_up(talk(*words).interview, place(tmp_path), club.clock)
    assert [*tmp_path.iterdir()] == []
