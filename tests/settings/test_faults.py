"""Everything that is wrong, at once, in words for the person who wrote it."""

from collections.abc import Callable

import pytest

from door_sync.ports import DoorSyncError
from door_sync.settings import BadSettings, Fault
from tests.settings.conftest import CONFIG, FINGERPRINT, Site

Changed = Callable[..., str]

GOLD = 'resolution = "tier"\ntarget_policy = "id or exact name"\nrank = 100'


@pytest.mark.parametrize(
    ("old", "new", "key_path", "problem", "remedy"),
    [
        # unknown keys
        (
            "cadence_seconds",
            "cadence_second",
            "cadence_second",
            "is not a known key",
            "Did you mean cadence_seconds?",
        ),
        (
            "mass_add_pct",
            "mass_ad_pct",
            "safety.mass_ad_pct",
            "is not a known key",
            "Did you mean safety.mass_add_pct?",
        ),
        (
            "facility_code = 42",
            "facility_code = 42\nscope = 'class'",
            "unifi.scope",
            "is not a known key of this table",
            "Did you mean safety.scope?",
        ),
        (
            "facility_code = 42",
            "facility_code = 42\nto = 'x'",
            "unifi.to",
            "is not a known key of this table",
            "Did you mean alert.smtp.to or alert.mailgun.to?",
        ),
        (
            "rank = 100",
            "rank = 100\nzzz = 1",
            "tier_mapping.rules.Gold.zzz",
            "is not a known key",
            "Remove it. Known here are: resolution, target_policy, rank.",
        ),
        (
            "[alert]",
            "[alert.apprise]\nzzz = 1\n[alert]",
            "alert.apprise.zzz",
            "is not a known key",
            "Remove it. Known here are: none.",
        ),
        (
            "[alert]",
            "['odd table'.x]\n[alert]",
            '"odd table"',
            "is not a known key",
            "Known here are: cadence_seconds",
        ),
        # wrong kinds
        (
            "= 600",
            '= "600"',
            "cadence_seconds",
            "is text, must be a whole number of at least 60",
            "For example: cadence_seconds = 600",
        ),
        ("= 600", "= 600.0", "cadence_seconds", "is a number with a decimal point, must", "600"),
        ("= 600", "= true", "cadence_seconds", "is true or false, must be a whole number", "600"),
        ("= 600", "= [600]", "cadence_seconds", "is a list, must be a whole number", "600"),
        ("= 600", "= {a = 1}", "cadence_seconds", "is a table, must be a whole number", "600"),
        ("= 600", "= 2026-01-01", "cadence_seconds", "is a date or a time", "quotes"),
        ("= 600", "= 07:30:00", "cadence_seconds", "is a date or a time", "quotes"),
        (
            '["Current", "Grace", "New"]',
            '"Current"',
            "civicrm.active_statuses",
            "is text, must be a list of texts in quotes",
            'active_statuses = ["Current", "Grace", "New"]',
        ),
        (
            '"Grace"',
            "7",
            "civicrm.active_statuses (entry 2)",
            "is a whole number, must be text in quotes",
            "active_statuses",
        ),
        (
            '"Grace"',
            "2026-01-01",
            "civicrm.active_statuses (entry 2)",
            "is a date or a time",
            "quotes",
        ),
        (
            f'"{FINGERPRINT}"',
            "42",
            "unifi.tls_fingerprint",
            "is a whole number, must be text in quotes or a list of such",
            "tls_fingerprint = ",
        ),
        ("0.25", "true", "safety.mass_add_pct", "is true or false, must be a number", "0.25"),
        ("0.25", "nan", "safety.mass_add_pct", "must be a number from 0 to 1", "0.25"),
        ("0.25", "-inf", "safety.mass_add_pct", "must be a number from 0 to 1", "0.25"),
        (
            '"/var/log/door-sync/audit.jsonl"',
            "1",
            "ops.audit_jsonl",
            "is a whole number, must be a file's path in quotes",
            "audit_jsonl = ",
        ),
        (
            f"[tier_mapping.rules.Gold]\n{GOLD}",
            "[tier_mapping.rules]\nGold = 'tier'",
            "tier_mapping.rules.Gold",
            "is text, must be a table",
            "[tier_mapping.rules.Gold] with resolution",
        ),
        (
            f"[tier_mapping.rules.Gold]\n{GOLD}",
            "[tier_mapping]\nrules = ['Gold']",
            "tier_mapping.rules",
            "is a list, must be a table",
            "[tier_mapping.rules.NAME] with resolution",
        ),
        # ranges and choices
        ("= 600", "= 59", "cadence_seconds", "is 59, must be a whole number of at least 60", "600"),
        ("= 42", "= 256", "unifi.facility_code", "is 256, must be a whole number from 0 to", "42"),
        ("= 42", "= -1", "unifi.facility_code", "is -1, must be a whole number from 0 to", "42"),
        ("= 10\n", "= -1\n", "safety.baseline_floor", "is -1, must be a whole number of at", "10"),
        ("0.25", "25", "safety.mass_add_pct", "is 25, must be", "Write 0.25 if you mean 25 perc"),
        ("0.25", "-0.1", "safety.mass_add_pct", "is -0.1, must be a number from 0 to 1", "0.25"),
        (
            '"flag-file"',
            '"flagfile"',
            "alert.transport",
            'must be "flag-file", "smtp", "mailgun" or "apprise"',
            'Did you mean "flag-file"?',
        ),
        (
            '"flag-file"',
            '"pigeon"',
            "alert.transport",
            'must be "flag-file", "smtp", "mailgun" or "apprise"',
            'For example: transport = "flag-file"',
        ),
        (
            '["Current", "Grace", "New"]',
            "[]",
            "civicrm.active_statuses",
            "is empty",
            "active_statuses = [",
        ),
        (f'"{FINGERPRINT}"', "[]", "unifi.tls_fingerprint", "is empty", "tls_fingerprint = "),
        ('"Grace"', '" "', "civicrm.active_statuses (entry 2)", "must not be empty", "active_sta"),
        # missing
        (
            "facility_code = 42",
            "",
            "unifi.facility_code",
            "is missing",
            "For example: facility_code = 42",
        ),
        (
            f"[tier_mapping.rules.Gold]\n{GOLD}",
            "",
            "tier_mapping",
            "is missing",
            "Write a table [tier_mapping] with rules",
        ),
        (
            f"[tier_mapping.rules.Gold]\n{GOLD}",
            "[tier_mapping.rules]",
            "tier_mapping.rules",
            "is empty",
            "Write a table [tier_mapping.rules.NAME] with resolution",
        ),
        # what belongs together
        (
            'target_policy = "id or exact name"\n',
            "",
            "tier_mapping.rules.Gold.target_policy",
            'is missing, and a rule with resolution = "tier" needs it',
            "Add target_policy",
        ),
        (
            '"tier"',
            '"day-pass"',
            "tier_mapping.rules.Gold.target_policy",
            'does not belong to a rule with resolution = "day-pass"',
            "Remove the line",
        ),
        (
            '"tier"',
            '"none"',
            "tier_mapping.rules.Gold.target_policy",
            'does not belong to a rule with resolution = "none"',
            "Remove the line",
        ),
        (
            '"tier"',
            '"teir"',
            "tier_mapping.rules.Gold.resolution",
            'must be "tier", "none" or "day-pass"',
            'Did you mean "tier"?',
        ),
        # addresses and the like
        ("https://crm", "http://crm", "civicrm.host", "must begin with https://, or", "127.0.0.1"),
        ("https://crm.example.org", "crm", "civicrm.host", "must begin with https", "https://crm"),
        ("example.org", "example.org/wp", "civicrm.host", "must be the bare address", "https://"),
        ("https://192", "http://192", "unifi.host", "speaks nothing else", "12445"),
        (":12445", ":12445/api", "unifi.host", "must be the bare address", "12445"),
        (FINGERPRINT, "AB:CD", "unifi.tls_fingerprint (entry 1)", "64 hex digits", "openssl"),
        (FINGERPRINT, "ab" * 20, "unifi.tls_fingerprint (entry 1)", "is a SHA-1", "openssl"),
        ("Door_Access.card_id", "card_id", "civicrm.card_id_field", "Group.field", "explorer"),
        ("Door_Access.card_id", "a.b.c", "civicrm.card_id_field", "Group.field", "explorer"),
        ("[unifi]", "path = 'x/y'\n[unifi]", "civicrm.path", "begin with one slash", "/civicrm"),
        ("[unifi]", "path = '//x'\n[unifi]", "civicrm.path", "begin with one slash", "/civicrm"),
        ("[unifi]", "path = '/a b'\n[unifi]", "civicrm.path", "plain path", "/civicrm"),
        ("[unifi]", "path = '/ä'\n[unifi]", "civicrm.path", "plain path", "/civicrm"),
        ("[unifi]", "path = '/../a'\n[unifi]", "civicrm.path", "plain path", "/civicrm"),
        ("[unifi]", "ca_file = '/no/ca'\n[unifi]", "civicrm.ca_file", "does not exist", "Correct"),
        ("[unifi]", "canary_contact = 0\n[unifi]", "civicrm.canary_contact", "from 1 to", "1234"),
        ("[unifi]", "canary_contact = '7'\n[unifi]", "civicrm.canary_contact", "is text", "1234"),
        ("[safety]", "canary_user = ' '\n[safety]", "unifi.canary_user", "not be empty", "user = "),
        ("/var/lib/door-sync/state.json", "", "ops.state_json", "must name a file", "state_json"),
        ("/var/lib/door-sync/state.json", "~/s", "ops.state_json", "~ is not", "state_json"),
        ("/var/lib/door-sync/state.json", "a\\u0000", "ops.state_json", "must name a", "state_js"),
    ],
)
def test_each_fault_is_told_with_its_place_its_kind_and_its_remedy(
    site: Site,
    changed: Changed,
    old: str,
    new: str,
    key_path: str,
    problem: str,
    remedy: str,
) -> None:
    fault = site.fault(changed((old, new)))
    assert fault.key_path == key_path
    assert problem in fault.problem
    assert remedy in fault.remedy


@pytest.mark.parametrize(
    ("table", "faults"),
    [
        ("", {"alert.smtp": "is missing, and alert.transport"}),
        (
            "[alert.smtp]",
            {
                "alert.smtp.from": "is missing",
                "alert.smtp.to": "is missing",
                "alert.smtp.host": "is missing",
            },
        ),
        (
            (
                "[alert.smtp]\nfrom = 'x'\nto = ['a@b.example', 'a b@c.example']\n"
                "host = 'https://m.example'\nport = 0\nstarttls = 1\nsubject_prefix = \"a\\nb\""
            ),
            {
                "alert.smtp.from": "is not an e-mail address",
                "alert.smtp.to (entry 2)": "is not an e-mail address",
                "alert.smtp.host": "bare name",
                "alert.smtp.port": "is 0, must be a whole number from 1 to 65535",
                "alert.smtp.starttls": "is a whole number, must be true or false",
                "alert.smtp.subject_prefix": "must be text in quotes",
            },
        ),
        (
            (
                "[alert.smtp]\nsender = 'x@y.example'\nto = \"a@b.example\\nBcc: c@d.example\"\n"
                "host = 'm.example'"
            ),
            {
                "alert.smtp.from": "is missing",
                "alert.smtp.sender": "is not a known key",
                "alert.smtp.to (entry 1)": "is not an e-mail address",
            },
        ),
    ],
)
def test_the_table_of_the_chosen_transport_is_looked_at(
    site: Site, changed: Changed, table: str, faults: dict[str, str]
) -> None:
    found = site.faults(changed(('"flag-file"', f'"smtp"\n{table}')))
    assert [fault.key_path for fault in found] == list(faults) or {
        fault.key_path for fault in found
    } == set(faults)
    for fault in found:
        assert faults[fault.key_path] in fault.problem


def test_mailgun_needs_its_table_and_its_key(site: Site, changed: Changed) -> None:
    found = site.faults(changed(('"flag-file"', '"mailgun"')))
    assert [fault.key_path for fault in found] == ["alert.mailgun", "MAILGUN_API_KEY"]


def test_all_faults_of_both_files_are_told_at_once(site: Site, changed: Changed) -> None:
    site.write_env("UNIFI_API_KEY=x y\nnonsense\n")
    faults = site.faults(
        changed(
            ("= 600", "= 2026-01-01"),
            ("https://crm.example.org", "ftp://crm"),
            ("facility_code = 42\n", ""),
            ("0.15", '"much"'),
            ('"flag-file"', '"apprise"'),
            ("state_json", "state_jsno"),
        )
    )
    assert [fault.key_path for fault in faults] == [
        "cadence_seconds",
        "civicrm.host",
        "unifi.facility_code",
        "safety.mass_deactivate_pct",
        "ops.state_jsno",
        f"{site.env_file} line 2",
        "CIVICRM_API_KEY",
        "APPRISE_URLS",
        "UNIFI_API_KEY",
    ]


def test_what_hangs_on_a_faulty_key_is_not_told_as_well(site: Site, changed: Changed) -> None:
    """history_db lies beside state_json by default."""
    fault = site.fault(changed(('"/var/lib/door-sync/state.json"', "1")))
    assert fault.key_path == "ops.state_json"


@pytest.mark.parametrize(
    ("table", "key", "secret"),
    [
        ("[unifi]", "api_key", "UNIFI_API_KEY"),
        ("[unifi]", "UNIFI_API_KEY", "UNIFI_API_KEY"),
        ("[unifi]", "token", "UNIFI_API_KEY"),
        ("[civicrm]", "api_key", "CIVICRM_API_KEY"),
        ("[civicrm]", "Api_Key", "CIVICRM_API_KEY"),
        ("[safety]", "civicrm_api_key", "CIVICRM_API_KEY"),
        ("[alert]", "smtp_password", "SMTP_PASSWORD"),
        ("[alert.apprise]\n", "urls", "APPRISE_URLS"),
    ],
)
def test_a_secret_in_the_settings_is_told_where_it_belongs_and_not_repeated(
    site: Site, changed: Changed, table: str, key: str, secret: str
) -> None:
    line = f'{table}\n{key} = "hunter2"\n'
    config = changed((table, line)) if table in CONFIG else changed(("[ops]", f"{line}[ops]"))
    fault = site.fault(config)
    assert fault.key_path.endswith(key)
    assert fault.problem == "is a secret, and secrets do not belong into config.toml"
    assert f"{secret}=…" in fault.remedy


def test_a_password_of_the_mail_server_in_the_settings_is_a_secret(
    site: Site, changed: Changed
) -> None:
    smtp = (
        '"smtp"\n[alert.smtp]\nhost = "m.example"\nfrom = "x@example.org"\nto = "y@example.org"\n'
        'username = "someone"\npassword = "hunter2"'
    )
    faults = site.faults(changed(('"flag-file"', smtp)))
    assert [fault.key_path for fault in faults] == ["alert.smtp.username", "alert.smtp.password"]
    assert "SMTP_USERNAME" in faults[0].remedy
    assert "SMTP_PASSWORD" in faults[1].remedy


def test_no_value_that_was_written_is_repeated_in_a_fault(site: Site, changed: Changed) -> None:
    """A key may have been pasted into any line."""
    pasted = "hunter2"
    config = changed(
        ("https://crm.example.org", f"https://x:{pasted}@crm.example.org"),
        ("Door_Access.card_id", f"{pasted} {pasted}"),
        ("https://192.0.2.10:12445", pasted),
        (FINGERPRINT, pasted),
        ("= 42", f'= "{pasted}"'),
        ('"tier"', f'"{pasted}"'),
        ('"flag-file"', f'"{pasted}"\nsmtp = "{pasted}"'),
        ('["Current", "Grace", "New"]', f'"{pasted}"'),
        ("[unifi]", f'path = "{pasted}"\nauth = "{pasted}"\n[unifi]'),
        ("/var/lib/door-sync/state.json", f"~{pasted}"),
    )
    site.write_env(f"{pasted}\nUNIFI_API_KEY={pasted} {pasted}\nCIVICRM_API_KEY='{pasted}\n")
    with pytest.raises(BadSettings) as caught:
        site.load(config)
    assert len(caught.value.faults) > 10
    assert pasted not in caught.value.render()
    assert pasted not in repr(caught.value)
    behind = caught.value.__cause__ or caught.value.__context__
    assert behind is None


def test_the_error_knows_its_exit_code_and_lists_its_faults() -> None:
    error = BadSettings([Fault("a.b", "is " + "very " * 40 + "wrong", "Mend it.")])
    assert isinstance(error, DoorSyncError)
    assert error.exit_code == 78
    assert error.message == error.render() == str(error)
    lines = error.render().split("\n")
    assert lines[:3] == ["1 thing is wrong with the configuration.", "", "a.b"]
    assert lines[-1] == "    Mend it."
    assert max(map(len, lines)) <= 96
    two = BadSettings([Fault("a", "is bad", "Mend."), Fault("b", "is bad", "Mend.")])
    assert two.render().startswith("2 things are wrong with the configuration.\n\na\n    is bad")
