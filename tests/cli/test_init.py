"""A new site, by an answers file and at a terminal: from nothing to members who may open doors."""

import io
import stat
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Sequence

import pytest

from door_sync.cli import init
from door_sync.simulators.tls import self_signed
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN
from tests.cli.conftest import PATIENCE_SECONDS, PROGRAM, Site, environment
from tests.cli.interviewing import Terminal, answered, answers
from tests.club import CARD_FIELD, FACILITY

MISTAKE = "not-the-key-0123456789"


@pytest.fixture
def new(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site without its two files, and nobody at a terminal; the keys are in the environment."""
    site.config.unlink()
    site.env_file.unlink()
    monkeypatch.setenv("CIVICRM_API_KEY", site.civicrm_key)
    monkeypatch.setenv("UNIFI_API_KEY", DEFAULT_TOKEN)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return site


def nothing_written(site: Site) -> bool:
    return not site.config.exists() and not site.env_file.exists()


def test_answers_from_a_file_set_a_site_up_that_lets_members_in(new: Site) -> None:
    gold, silver = new.club.join(1101), new.club.join(1102, "Silver")
    before = new.club.end_state()
    ran = answered(new, answers(new.club))
    assert ran.code == 0, ran.out + ran.err
    assert "Ready: nothing is wrong" in ran.out
    assert "2 people gain access" in ran.out
    assert new.club.end_state() == before
    assert new.run("doctor").code == 0
    assert new.run("plan").code == 0
    assert new.run("run", "--once").code == 0
    assert new.club.opens(1101, new.club.workshop)
    assert new.club.opens(1102)
    assert not new.club.opens(1102, new.club.workshop)
    assert new.club.status_of(gold) == new.club.status_of(silver) == "ACTIVE"
    assert new.run("run", "--once").out.startswith("Nothing to do")


def test_the_files_have_their_modes_and_the_settings_hold_no_secret(new: Site) -> None:
    answered(new, answers(new.club))
    assert stat.S_IMODE(new.config.stat().st_mode) == 0o640
    assert stat.S_IMODE(new.env_file.stat().st_mode) == 0o600
    text = new.config.read_text()
    assert new.civicrm_key not in text
    assert DEFAULT_TOKEN not in text
    assert new.civicrm_key in new.env_file.read_text()
    written = tomllib.loads(text)
    assert written["unifi"]["email"] == "off"
    assert written["civicrm"]["card_id_field"] == CARD_FIELD
    assert written["unifi"]["facility_code"] == FACILITY
    assert "#email" not in text


def test_types_without_a_rule_are_named_with_what_that_means(new: Site) -> None:
    """The checkup finds them, too: a site is not ready while members of a type hang in the air."""
    text = answers(new.club).replace(
        'Mystery]\nresolution = "none"', 'Mystery]\nresolution = "unmapped"'
    )
    ran = answered(new, text)
    assert ran.code == 2
    assert "Mystery" not in tomllib.loads(new.config.read_text())["tier_mapping"]["rules"]
    assert "Without a rule: Mystery" in ran.out
    assert "neither let in nor shut out" in ran.out


def test_no_key_is_ever_printed(new: Site) -> None:
    ran = answered(new, answers(new.club))
    for secret in (new.civicrm_key, DEFAULT_TOKEN):
        assert secret not in ran.out + ran.err


def test_no_value_of_a_custom_field_is_ever_printed(new: Site) -> None:
    new.club.join(54321)
    ran = answered(new, answers(new.club))
    assert "card numbers: 1 of 1 looked at" in ran.out
    assert "54321" not in ran.out + ran.err


def test_answers_may_come_on_standard_input(new: Site) -> None:
    process = subprocess.run(
        [*PROGRAM, *new.where(), "init", "--answers", "-"],
        input=answers(new.club),
        env={**environment(), "CIVICRM_API_KEY": new.civicrm_key, "UNIFI_API_KEY": DEFAULT_TOKEN},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert new.config.exists()


def test_keys_may_come_from_files(new: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CIVICRM_API_KEY")
    key_file = new.directory / "key"
    key_file.write_text(new.civicrm_key + "\n")
    text = answers(new.club).replace("[civicrm]", f'[civicrm]\napi_key_file = "{key_file}"')
    assert answered(new, text).code == 0


def test_everything_that_is_not_answered_is_named_at_once(
    new: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UNIFI_API_KEY")
    ran = answered(new, '[civicrm]\nhost = "https://crm.example.org"\n')
    assert ran.code == 78
    for key in ("civicrm.card_id_field", "unifi.host", "unifi.token", "unifi.tls_fingerprint"):
        assert key in ran.err
    assert "civicrm.host" not in ran.err
    assert nothing_written(new)


def test_without_a_terminal_and_answers_nothing_is_asked(new: Site) -> None:
    ran = new.run("init")
    assert ran.code == 78
    assert "not answered: civicrm.host" in ran.err


def test_membership_types_that_are_not_answered_are_named_at_once(new: Site) -> None:
    text = answers(new.club)
    ran = answered(new, text[: text.index("[rules.Silver]")])
    assert ran.code == 78
    assert 'rules."Silver", rules."Supporter", rules."Day pass", rules."Mystery"' in ran.err
    assert nothing_written(new)


@pytest.mark.parametrize(
    ("old", "bad", "told"),
    [
        ("Gold hours", "Golden hours", "names no access policy"),
        ("rules.Silver", "rules.Sliver", "CiviCRM has no membership type of that name"),
        ("Door_Access.card_id", "Door_Access.nope", "civicrm.card_id_field: is none of"),
        ("facility_code = 42", "facility_code = 256", "unifi.facility_code: must be a whole"),
        ('email = "off"', 'email = "maybe"', "unifi.email: is none of the choices"),
        ('"here"', '"there"', "ops.layout: is none of the choices"),
        ("[ops]", '[ops]\nlayuot = "here"', '"ops.layuot" (is "ops.layout" meant?)'),
        ("[ops]", "[ops", "not valid TOML"),
    ],
)
def test_an_answer_that_cannot_be_taken_is_named_and_nothing_is_written(
    new: Site, old: str, bad: str, told: str
) -> None:
    ran = answered(new, answers(new.club).replace(old, bad))
    assert ran.code == 78
    assert told in ran.err
    assert nothing_written(new)
    assert "Traceback" not in ran.err


def test_a_wrong_key_is_told_with_its_question(new: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIVICRM_API_KEY", MISTAKE)
    ran = answered(new, answers(new.club))
    assert ran.code == 78
    assert "civicrm.api_key: CiviCRM does not know the API key" in ran.err
    assert MISTAKE not in ran.out + ran.err


def test_a_controller_with_another_fingerprint_gets_no_token(new: Site) -> None:
    other = self_signed("unifi.local").fingerprint
    text = answers(new.club).replace(new.club.unifi_server.fingerprint or "", other)
    new.club.forget()
    ran = answered(new, text)
    assert ran.code == 78
    assert "the console shows another fingerprint" in ran.err
    assert len(new.club.unifi.journal.requests()) == 0
    assert nothing_written(new)


def test_trust_without_a_comparison_must_be_said(new: Site) -> None:
    text = answers(new.club)
    pinned = f'tls_fingerprint = "{new.club.unifi_server.fingerprint}"'
    assert answered(new, text.replace(pinned, "")).code == 78
    ran = answered(new, text.replace(pinned, "trust_shown_fingerprint = true"))
    assert ran.code == 0, ran.out
    assert "without a comparison" in ran.out


def test_existing_files_are_left_alone_without_force(site: Site, new: Site) -> None:
    new.config.write_text("cadence_seconds = 60\n")
    ran = answered(new, answers(new.club))
    assert ran.code == 64
    assert "--force" in ran.err
    assert new.config.read_text() == "cadence_seconds = 60\n"


def test_with_force_existing_files_are_kept_beside_and_other_keys_stay(new: Site) -> None:
    new.config.write_text("cadence_seconds = 60\n[odd]\nsecret = 'hidden-in-plain-sight'\n")
    new.env_file.write_text("CIVICRM_API_KEY=old\nDEAD_MAN_URL=https://hc.example.org/1\n")
    ran = answered(new, answers(new.club), "--force")
    assert ran.code == 0, ran.err
    assert "cadence_seconds = 60 would become 600" in ran.out
    assert "odd.secret would go" in ran.out
    assert "hidden-in-plain-sight" not in ran.out
    [config] = new.directory.glob("config.toml.bak-*")
    [env] = new.directory.glob(".env.bak-*")
    assert config.read_text().startswith("cadence_seconds = 60")
    assert env.read_text().startswith("CIVICRM_API_KEY=old")
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert "DEAD_MAN_URL=https://hc.example.org/1" in new.env_file.read_text()


def test_a_site_that_is_not_ready_is_written_and_says_so(
    new: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the token may not import cards, which only the checkup tries."""
    from door_sync.simulators.unifi.site import SCOPES

    new.club.unifi.world.add_token("viewer", scopes=SCOPES - {"edit:credential"})
    monkeypatch.setenv("UNIFI_API_KEY", "viewer")
    ran = answered(new, answers(new.club))
    assert ran.code == 2
    assert "Not ready yet" in ran.out
    assert new.config.exists()


def test_a_long_plan_is_told_by_its_headline(new: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init, "LONGEST_PLAN", 3)
    new.club.join(1101, first="Zaphodine")
    ran = answered(new, answers(new.club))
    assert "A live cycle would write: 1 person gains access." in ran.out
    assert "Zaphodine" not in ran.out


def test_answers_that_cannot_be_read_are_named(new: Site) -> None:
    ran = new.run("init", "--answers", str(new.directory / "nowhere.toml"))
    assert ran.code == 78
    assert "cannot be read" in ran.err


Sit = Callable[[], Terminal]


@pytest.fixture
def sit(new: Site) -> Iterator[Sit]:
    """Sit down at a terminal where `init` runs."""
    terminals: list[Terminal] = []

    def down() -> Terminal:
        terminals.append(Terminal(new))
        return terminals[-1]

    yield down
    for terminal in terminals:
        terminal.close()


def dialogue(site: Site) -> list[tuple[str, str | None]]:
    """What a new user is asked, and types, mistakes included."""
    club = site.club
    return [
        ("Address of CiviCRM", "http://127.0.0.1:1"),
        ("nothing listens on that port", None),
        ("Address of CiviCRM", club.civicrm_server.url),
        ("API key in CiviCRM", MISTAKE),
        ("CiviCRM does not know the API key", None),
        ("API key in CiviCRM", site.civicrm_key),
        ("Which statuses give access", ""),
        ("Which field holds the card number [Door_Access.card_id]", ""),
        ("Address of the UniFi console", club.unifi_server.url.removeprefix("https://")),
        ((club.unifi_server.fingerprint or "")[48:], None),
        ("Is it the same?", "yes"),
        ("API token of UniFi Access", DEFAULT_TOKEN),
        ("Facility code of your cards", "4200"),
        ("must be a whole number from 0 to 255", None),
        ("Facility code of your cards", "42"),
        ("Write e-mail addresses to the controller (off, sync) [off]", ""),
        ("Mystery member", None),
        ("Number", "3"),
        ("Rank", "0"),
        ("Take it so?", "5"),
        ("Number", "3"),
        ("Rank", "1"),
        ("Take it so?", ""),
        ("How shall it call for a person", ""),
        ("Where shall journal", "here"),
        ("Write both files?", ""),
    ]


def talk(terminal: Terminal, words: Sequence[tuple[str, str | None]]) -> None:
    """Go through a dialogue; with None there is nothing to type."""
    for text, typed in words:
        if typed is None:
            terminal.wait_for(text)
        else:
            terminal.type(text, typed)


def test_a_new_user_at_a_terminal_ends_with_members_who_may_open_doors(new: Site, sit: Sit) -> None:
    new.club.join(1101)
    terminal = sit()
    talk(terminal, dialogue(new))
    assert terminal.end() == 0, terminal.shown
    assert "door-sync run --once" in terminal.shown
    for secret in (new.civicrm_key, DEFAULT_TOKEN, MISTAKE):
        assert secret not in terminal.shown
    assert new.run("doctor").code == 0
    assert new.run("run", "--once").code == 0
    assert new.club.opens(1101, new.club.workshop)


@pytest.mark.parametrize("at", range(1, 26, 6))
def test_stopping_at_any_question_leaves_nothing_written(new: Site, sit: Sit, at: int) -> None:
    words = dialogue(new)[:at]
    terminal = sit()
    talk(terminal, words[:-1])
    terminal.wait_for(words[-1][0])
    assert terminal.interrupt() == 130
    assert "Stopped: nothing was written." in terminal.shown
    assert nothing_written(new)
    assert [*new.directory.iterdir()] == []


def test_who_says_no_to_the_fingerprint_gets_nothing_sent(new: Site, sit: Sit) -> None:
    words = dialogue(new)
    terminal = sit()
    new.club.forget()
    talk(terminal, words[:9])
    terminal.type("Is it the same?", "no")
    assert terminal.end() == 2
    assert "the token was not sent" in terminal.shown
    assert len(new.club.unifi.journal.requests()) == 0
    assert nothing_written(new)


def test_who_says_no_at_the_end_keeps_the_files_there_were(new: Site, sit: Sit) -> None:
    new.config.write_text("cadence_seconds = 60\n")
    terminal = sit()
    talk(terminal, dialogue(new)[:-1])
    terminal.wait_for("cadence_seconds = 60 would become 600")
    terminal.type("Replace them", "")
    assert terminal.end() == 2
    assert new.config.read_text() == "cadence_seconds = 60\n"
    assert not new.env_file.exists()
