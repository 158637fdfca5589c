"""What a site that is set up once more is offered of its former answers."""

from pathlib import Path

import pytest

from door_sync.app.setting_up import question as q
from door_sync.app.setting_up.answers import Answers, RuleAnswer
from door_sync.app.setting_up.former import Former, read_former
from door_sync.app.setting_up.interview import Interview
from tests.app.setting_up.conftest import Scripted

CONFIG = """
[civicrm]
host = "https://crm.example.org"
active_statuses = ["Current", "New"]
auth = "sideways"
[unifi]
tls_fingerprint = ["AA", "BB"]
facility_code = 42
[tier_mapping.rules.Gold]
resolution = "tier"
target_policy = "Gold hours"
rank = 7
[tier_mapping.rules.Bad]
resolution = "sideways"
"""


@pytest.fixture
def former(tmp_path: Path) -> Former:
    config, env = tmp_path / "config.toml", tmp_path / ".env"
    config.write_text(CONFIG)
    env.write_text("CIVICRM_API_KEY=the-former-key\n")
    return read_former(config, env)


def test_settings_rules_and_keys_are_read_as_a_person_would_type_them(former: Former) -> None:
    assert former.answer(q.CIVICRM_HOST) == "https://crm.example.org"
    assert former.answer(q.STATUSES) == "Current, New"
    assert former.answer(q.FACILITY) == "42"
    assert former.answer(q.CIVICRM_KEY) == "the-former-key"
    assert former.answer(q.UNIFI_TOKEN) is None
    assert former.rules == {"Gold": RuleAnswer("tier", "Gold hours", 7)}


def test_a_fingerprint_is_never_an_answer_and_a_choice_that_is_none_neither(former: Former) -> None:
    assert former.answer(q.FINGERPRINT) is None
    assert former.fingerprints == "AA, BB"
    assert former.answer(q.CIVICRM_AUTH) is None


def test_keys_do_not_show_themselves(former: Former) -> None:
    assert "the-former-key" not in repr(former)


@pytest.mark.parametrize("content", [b"= no toml", b"\xff", b"tier_mapping = 3", b"[" * 5000])
def test_files_that_cannot_be_read_propose_nothing(tmp_path: Path, content: bytes) -> None:
    config = tmp_path / "config.toml"
    config.write_bytes(content)
    former = read_former(config, tmp_path / "missing")
    assert former.answer(q.CIVICRM_HOST) is None
    assert former.rules == {}


def talk(former: Former, *words: str) -> tuple[Interview, list[str]]:
    told: list[str] = []
    return Interview(Answers(), told.append, Scripted([*words]), former), told


def test_enter_takes_the_former_answer_once_and_a_key_is_said_to_be_kept(former: Former) -> None:
    interview, told = talk(former, "", "")
    assert interview.ask(q.FACILITY, int, proposal="7") == 42
    assert interview.ask(q.CIVICRM_KEY, str) == "the-former-key"
    assert "Enter keeps the one that there is." in told
    assert "the-former-key" not in " ".join(told)


def test_when_asked_again_what_was_typed_is_proposed_and_not_the_former_answer(
    former: Former,
) -> None:
    interview, _ = talk(former, "https://new.example.org", "")
    interview.ask(q.CIVICRM_HOST, str)
    assert interview.ask(q.CIVICRM_HOST, str, proposal="https://new.example.org") == (
        "https://new.example.org"
    )


def test_where_nobody_is_asked_nothing_former_counts(former: Former) -> None:
    told: list[str] = []
    interview = Interview(Answers(), told.append, None, former)
    assert interview.former == Former()
