"""Answers beforehand, a person, or an error that names the key: one flow for all."""

from pathlib import Path

import pytest

from door_sync.app.setting_up import question as q
from door_sync.app.setting_up.alerts_side import ask_alerts
from door_sync.app.setting_up.answers import Answers, AnswersError, RuleAnswer, read_answers
from door_sync.app.setting_up.checks import key_text, line_text, one_of, picked, whole_number
from door_sync.app.setting_up.mapping import ask_rules
from door_sync.app.setting_up.question import QUESTIONS, Wrong
from door_sync.civicrm.survey import TypeFound
from door_sync.core.controller import Policy, PolicyId
from door_sync.settings.writing import RuleWritten
from tests.app.setting_up.conftest import MakeTalk

GOLD, SILVER = (Policy(PolicyId(f"{name}-id"), f"{name} hours") for name in ("Gold", "Silver"))
TYPES = (
    TypeFound("Gold", "Gold", True, 3, 0, 1),
    TypeFound("Maker", "Maker", True, 2, 0, 2),
)


def test_an_answer_beforehand_is_not_asked_for(talk: MakeTalk) -> None:
    begun = talk("unused", answers=Answers({"unifi.facility_code": "7"}))
    assert begun.interview.ask(q.FACILITY, whole_number(0, 255)) == 7
    assert begun.person is not None
    assert begun.person.asked == []


def test_an_answer_beforehand_that_cannot_be_taken_is_asked_of_a_person(talk: MakeTalk) -> None:
    begun = talk("8", answers=Answers({"unifi.facility_code": "700"}))
    assert begun.interview.ask(q.FACILITY, whole_number(0, 255)) == 8
    assert "from 0 to 255" in begun.text


def test_a_proposal_counts_for_a_person_and_for_nobody_else(talk: MakeTalk) -> None:
    """No script decides by what looked likely."""
    assert talk("").interview.ask(q.FACILITY, whole_number(0, 255), proposal="9") == 9
    with pytest.raises(AnswersError, match=r"not answered: unifi\.facility_code"):
        talk().interview.ask(q.FACILITY, whole_number(0, 255), proposal="9")


def test_a_default_counts_without_a_person_if_it_fits(talk: MakeTalk) -> None:
    assert talk().interview.ask(q.TRANSPORT, one_of(q.TRANSPORT)) == "flag-file"

    def refuses(_: str) -> str:
        raise Wrong("there is no such status", "Choose another.")

    with pytest.raises(AnswersError, match=r"civicrm\.active_statuses: there is no such status"):
        talk().interview.ask(q.STATUSES, refuses)


def test_a_secret_is_hidden_and_never_told(talk: MakeTalk) -> None:
    begun = talk("with blank", "s3cret")
    assert begun.interview.ask(q.UNIFI_TOKEN, key_text) == "s3cret"
    assert begun.person is not None
    assert len(begun.person.hidden) == 2
    assert begun.person.asked == []
    assert "s3cret" not in begun.text
    assert "with blank" not in begun.text


def test_a_secret_of_the_environment_is_taken_once_and_said_so(talk: MakeTalk) -> None:
    """If it is refused, the person is asked, and not the environment again."""
    answers = Answers(environ={"UNIFI_API_KEY": "from-outside"})
    begun = talk("typed", answers=answers)
    assert begun.interview.ask(q.UNIFI_TOKEN, key_text) == "from-outside"
    assert "taken as given beforehand" in begun.text
    assert "from-outside" not in begun.text
    assert begun.interview.ask(q.UNIFI_TOKEN, key_text) == "typed"


def test_every_secret_prompt_says_that_nothing_is_shown() -> None:
    told = {key for key, one in QUESTIONS.items() if "not shown" in one.prompt}
    hidden = {key for key, one in QUESTIONS.items() if one.secret}
    assert hidden - told == {q.SMTP_USER.key}


def test_a_secret_in_the_answers_wins_over_its_file_and_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("of the file\n")
    environ = {"UNIFI_API_KEY": "outside"}
    values = {"unifi.token": "inside", "unifi.token_file": str(file)}
    assert Answers(dict(values), environ=environ).take(q.UNIFI_TOKEN) == "inside"
    del values["unifi.token"]
    assert Answers(values, environ=environ).take(q.UNIFI_TOKEN) == "of the file"


def test_a_file_of_a_secret_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnswersError, match=r"unifi\.token_file"):
        Answers({"unifi.token_file": str(tmp_path / "none")}).take(q.UNIFI_TOKEN)


def test_answers_show_no_secret() -> None:
    answers = read_answers('[unifi]\ntoken = "SECRET"\n', {"CIVICRM_API_KEY": "HIDDEN"})
    assert "SECRET" not in repr(answers)
    assert "HIDDEN" not in repr(answers)


def test_a_yes_is_asked_until_it_is_one(talk: MakeTalk) -> None:
    assert talk("perhaps", "Y").interview.yes("Go on?", proposal=False)
    assert not talk("").interview.yes("Go on?", proposal=False)
    assert not talk("no").interview.yes("Go on?", proposal=True)
    assert talk().interview.yes("Go on?", proposal=False)


def test_nobody_answers_a_question_without_a_key(talk: MakeTalk) -> None:
    with pytest.raises(AnswersError):
        talk().interview.line("Number")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('nonsense = "x"', 'no question "nonsense"'),
        ("[unifi]\nhots = 'x'", 'is "unifi.host" meant'),
        ("[unifi]\nfacility_code = 4.2", "unifi.facility_code must be"),
        ("[civicrm]\nactive_statuses = [1]", "civicrm.active_statuses must be"),
        ("rules = 1", "rules must be a table"),
        ("[rules.Gold]\nresolution = 'gold'", 'rules."Gold".resolution must be one of'),
        ("[rules.Gold]\nrank = 1", 'rules."Gold".resolution must be one of'),
        ("[rules.Gold]\nresolution = 'tier'", "needs target_policy"),
        ("[rules.Gold]\nresolution = 'none'\ntarget_policy = 'x'", "and with no other"),
        ("[rules.Gold]\nresolution = 'tier'\ntarget_policy = 1", "needs target_policy"),
        ("[rules.Gold]\nresolution = 'none'\nrank = 'x'", "rank must be a whole number"),
        ("[rules.Gold]\nresolution = 'none'\ncolour = 1", "and nothing else"),
    ],
)
def test_answers_of_a_wrong_form_are_named(text: str, told: str) -> None:
    with pytest.raises(AnswersError) as caught:
        read_answers(text, {})
    assert told in caught.value.message


def test_answers_are_texts_whatever_their_kind() -> None:
    text = '[civicrm]\nactive_statuses = ["A", "B"]\n[unifi]\nfacility_code = 7\n'
    found = read_answers(f"{text}trust_shown_fingerprint = false\n", {}).values
    assert found == {
        "civicrm.active_statuses": "A, B",
        "unifi.facility_code": "7",
        "unifi.trust_shown_fingerprint": "no",
    }


def test_a_choice_may_be_named_or_counted() -> None:
    options = ("off", "Sync", "3")
    assert [picked(text, options) for text in ("off", "SYNC", "2", "3")] == [
        "off",
        "Sync",
        "Sync",
        "3",
    ]
    for text in ("", "0", "4", "of"):
        with pytest.raises(Wrong):
            picked(text, options)


@pytest.mark.parametrize("text", ["", "two words", "ümlaut", "tab\there"])
def test_what_no_header_could_carry_is_no_key(text: str) -> None:
    with pytest.raises(Wrong):
        key_text(text)


def test_a_secret_is_one_line() -> None:
    with pytest.raises(Wrong):
        line_text("two\nlines")


def test_alerts_by_mail_ask_for_what_mail_needs(talk: MakeTalk) -> None:
    words = ("smtp", "https://mail", "mail.example.org", "0", "", "me@example.org", "", "nobody")
    begun = talk(*words, "a@example.org, b@example.org", "login", "", "pass word")
    found = ask_alerts(begun.interview)
    assert found.values == {
        ("alert", "transport"): "smtp",
        ("alert", "smtp", "host"): "mail.example.org",
        ("alert", "smtp", "port"): 587,
        ("alert", "smtp", "from"): "me@example.org",
        ("alert", "smtp", "to"): ["a@example.org", "b@example.org"],
    }
    assert found.secrets == {"SMTP_USERNAME": "login", "SMTP_PASSWORD": "pass word"}
    assert "pass word" not in repr(found) + begun.text


def test_alerts_by_mailgun_without_a_person(talk: MakeTalk) -> None:
    values = {
        "alert.transport": "mailgun",
        "alert.mailgun.domain": "mg.example.org",
        "alert.mailgun.from": "me@example.org",
        "alert.mailgun.to": "a@example.org",
    }
    answers = Answers(values, environ={"MAILGUN_API_KEY": "key"})
    found = ask_alerts(talk(answers=answers).interview)
    assert found.values["alert", "mailgun", "region"] == "us"
    assert found.secrets == {"MAILGUN_API_KEY": "key"}


def test_alerts_by_apprise_ask_for_addresses_that_are_secrets(talk: MakeTalk) -> None:
    begun = talk("apprise", "", "ntfy://topic")
    found = ask_alerts(begun.interview)
    assert found.secrets == {"APPRISE_URLS": "ntfy://topic"}
    assert begun.person is not None
    assert len(begun.person.hidden) == 2


def rules(begun: MakeTalk, *words: str, answers: Answers | None = None) -> dict[str, RuleWritten]:
    return ask_rules(begun(*words, answers=answers).interview, TYPES, (GOLD, SILVER))


def test_what_is_undecided_is_asked_and_the_rest_can_be_changed(talk: MakeTalk) -> None:
    """Maker is like no policy: choose the second. Then Gold is given Silver hours."""
    words = ("7", "2", "x", "2", "5", "nonsense", "9", "1", "2", "99", "yes")
    assert rules(talk, *words) == {
        "Gold": RuleWritten("tier", "Silver hours", 99),
        "Maker": RuleWritten("tier", "Silver hours", 5),
    }


def test_nobody_can_be_left_out_of_everything(talk: MakeTalk) -> None:
    words = ("5", "1", "5", "", "1", "1", "", "")
    begun = talk(*words)
    found = ask_rules(begun.interview, TYPES, (GOLD, SILVER))
    assert "nobody could be let in" in begun.text
    assert found == {"Gold": RuleWritten("tier", "Gold hours", 20)}
    assert "Without a rule: Maker" in begun.text


def test_policies_that_may_not_be_read_are_named_by_id(talk: MakeTalk) -> None:
    begun = talk("1", "gold-id", "10", "2", "0", "")
    found = ask_rules(begun.interview, TYPES, None)
    assert found["Gold"] == RuleWritten("tier", "gold-id", 10)
    answers = Answers(rules={one.name: RuleAnswer("tier", "some-id", 1) for one in TYPES})
    unseen = ask_rules(talk(answers=answers).interview, TYPES, None)
    assert unseen["Maker"] == RuleWritten("tier", "some-id", 1)


def test_two_policies_of_one_name_must_be_told_apart(talk: MakeTalk) -> None:
    twins = (Policy(PolicyId("one"), "Same"), Policy(PolicyId("two"), "Same"))
    given = {"Gold": RuleAnswer("tier", "Same"), "Maker": RuleAnswer("none")}
    with pytest.raises(AnswersError, match="names several access policies"):
        ask_rules(talk(answers=Answers(rules=given)).interview, TYPES, twins)
    given["Gold"] = RuleAnswer("tier", "two")
    found = ask_rules(talk(answers=Answers(rules=given)).interview, TYPES, twins)
    assert found["Gold"].target_policy == "two"
