"""`validate-config`: everything that is wrong, at once, and nobody is asked (§8, §10)."""

import pytest

from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN
from tests.cli.conftest import Site


def test_good_files_are_called_good_and_neither_side_is_asked(site: Site) -> None:
    ran = site.run("validate-config")
    assert (ran.code, ran.err) == (0, "")
    assert f"{site.config} and {site.env_file} are good: 4 tier rules" in ran.out
    assert "`door-sync plan` asks both" in ran.out
    assert site.club.unifi.journal.requests() == ()
    assert site.club.civicrm.journal.entries() == []


def test_one_rule_is_one_rule(site: Site) -> None:
    text = site.config.read_text()
    site.config.write_text(text[: text.index('[tier_mapping.rules."Silver"]')])
    assert "are good: 1 tier rule, " in site.run("validate-config").out


def test_every_kind_of_fault_is_told_at_once_with_its_key_and_what_to_do(site: Site) -> None:
    site.configure(
        civicrm__host="crm.example.org/wp",  # not an address
        civicrm__card_id_field=7,  # not a text
        civicrm__cardfield="x",  # no such key
        unifi__facility_code=256,  # out of range
        unifi__tls_fingerprint="ab:cd",  # not a fingerprint
        safety__mass_add_pct=25,  # a percentage where a share belongs
        alert__transport="mailgun",  # without its table and its key
        ops__audit_jsonl="",  # no path
    )
    site.env_file.write_text("UNIFI_API_KEY=x\nSomething is wrong here\n")
    ran = site.run("validate-config")
    assert (ran.code, ran.out) == (78, "")
    for place in (
        "civicrm.host",
        "civicrm.card_id_field",
        "civicrm.cardfield",
        "unifi.facility_code",
        "unifi.tls_fingerprint",
        "safety.mass_add_pct",
        "alert.mailgun",
        "ops.audit_jsonl",
        "CIVICRM_API_KEY",
        "MAILGUN_API_KEY",
        f"{site.env_file} line 2",
    ):
        assert f"\n{place}" in ran.err, place
    assert "openssl s_client -connect HOST:12445" in ran.err
    assert "Something is wrong here" not in ran.err, "it may be half of a key"


def test_missing_files_are_named_with_what_to_begin_with(site: Site) -> None:
    site.config.unlink()
    site.env_file.unlink()
    ran = site.run("validate-config")
    assert ran.code == 78
    assert f"{site.config}\n    does not exist" in ran.err
    assert "config.example.toml" in ran.err
    assert f"{site.env_file}" in ran.err


def test_the_files_are_found_where_the_environment_says(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOOR_SYNC_CONFIG_DIR", str(site.directory))
    monkeypatch.setattr(Site, "where", lambda _site: [])
    assert f"{site.config} and {site.env_file} are good" in site.run("validate-config").out


@pytest.mark.parametrize("command", ["validate-config", "plan", "show-diff", "run"])
def test_no_command_runs_with_a_bad_configuration(site: Site, command: str) -> None:
    site.configure(unifi__facility_code=256)
    ran = site.run(command)
    assert (ran.code, ran.out) == (78, "")
    assert "unifi.facility_code" in ran.err
    assert not site.journal.exists()
    assert site.club.unifi.journal.requests() == ()


@pytest.mark.parametrize("command", [["validate-config"], ["plan"], ["run", "--once"]])
def test_secrets_that_others_may_read_are_a_warning_on_standard_error(
    site: Site, command: list[str]
) -> None:
    site.club.join(1101)
    site.keys(mode=0o644)
    ran = site.run(*command)
    assert ran.code == 0
    assert ran.err == (
        f"Warning: Every user of this machine can read or change {site.env_file}: run chmod 600 "
        f"{site.env_file}\n"
    )
    assert "Warning" not in ran.out
    assert DEFAULT_TOKEN not in ran.err + ran.out


def test_secrets_kept_to_their_owner_are_no_warning(site: Site) -> None:
    assert site.run("validate-config").err == ""
