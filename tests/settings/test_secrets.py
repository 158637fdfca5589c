"""Where secrets come from, which are needed, and how the env file is read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from door_sync.settings.envfile import parse_env_file
from tests.settings.conftest import KEYS, Site

Changed = Callable[..., str]

SMTP = '"smtp"\n[alert.smtp]\nhost = "m.example"\nfrom = "x@example.org"\nto = "y@example.org"'
MAILGUN = (
    '"mailgun"\n[alert.mailgun]\ndomain = "m.example"\nfrom = "x@y.example"\nto = "z@y.example"'
)


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    directory = tmp_path / "credentials"
    directory.mkdir()
    return directory


@pytest.mark.parametrize(
    ("in_file", "in_environment", "as_credential", "value"),
    [
        ("from-file", "from-environment", "from-credential", "from-file"),
        ("", "from-environment", "from-credential", "from-environment"),
        (None, "from-environment", "from-credential", "from-environment"),
        (None, "", "from-credential\n", "from-credential"),
        (None, None, "from-credential", "from-credential"),
    ],
)
def test_the_env_file_wins_over_the_environment_and_that_over_a_credential(
    site: Site,
    credentials: Path,
    in_file: str | None,
    in_environment: str | None,
    as_credential: str,
    value: str,
) -> None:
    site.write_env(
        "CIVICRM_API_KEY=x\n" + (f"UNIFI_API_KEY={in_file}" if in_file is not None else "")
    )
    environ = {"CREDENTIALS_DIRECTORY": str(credentials)}
    if in_environment is not None:
        environ["UNIFI_API_KEY"] = in_environment
    (credentials / "UNIFI_API_KEY").write_text(as_credential)
    settings = site.load(environ=environ).settings
    assert settings.secrets.unifi_api_key.reveal() == value


def test_without_an_env_file_the_environment_will_do(site: Site) -> None:
    site.env_file.unlink()
    environ = {"CIVICRM_API_KEY": "a", "UNIFI_API_KEY": "b", "CREDENTIALS_DIRECTORY": "/nowhere"}
    settings = site.load(environ=environ).settings
    assert settings.secrets.civicrm_api_key.reveal() == "a"


def test_missing_secrets_are_told_with_the_file_they_belong_into(site: Site) -> None:
    site.env_file.unlink()
    faults = site.faults()
    assert [fault.key_path for fault in faults] == ["CIVICRM_API_KEY", "UNIFI_API_KEY"]
    assert faults[0].problem.startswith("is missing: API key of the CiviCRM contact")
    assert f"{site.env_file}, which does not exist yet" in faults[0].remedy
    site.write_env("")
    assert site.faults()[0].remedy == f"Put CIVICRM_API_KEY=… into the env file {site.env_file}."


def test_a_misspelt_or_empty_name_in_the_env_file_is_pointed_at_by_its_line(site: Site) -> None:
    site.write_env("# keys\nCIVICRM_APIKEY=x\nUNIFI_API_KEY=\n")
    first, second = site.faults()
    assert first.remedy == (
        f"Line 2 of {site.env_file} has a similar name: correct it to CIVICRM_API_KEY."
    )
    assert second.remedy == f"Line 3 of {site.env_file} has the name without a value."


@pytest.mark.parametrize("value", ["ab cd", "Bearer abcd", "ab\tcd", "käy", "ab\x00cd", "ab\x7f"])
def test_a_key_that_cannot_be_one_is_refused_without_being_shown(site: Site, value: str) -> None:
    site.env_file.unlink()
    fault = site.fault(environ={"UNIFI_API_KEY": value, "CIVICRM_API_KEY": "x"})
    assert fault.key_path == "UNIFI_API_KEY"
    assert value not in fault.problem + fault.remedy


def test_a_credential_that_is_no_text_is_told_once(site: Site, credentials: Path) -> None:
    site.write_env("CIVICRM_API_KEY=x\n")
    (credentials / "UNIFI_API_KEY").write_bytes(b"\xff\xfe")
    fault = site.fault(environ={"CREDENTIALS_DIRECTORY": str(credentials)})
    assert fault.key_path == "UNIFI_API_KEY"
    assert "cannot be read as text" in fault.problem
    assert "LoadCredential=UNIFI_API_KEY" in fault.remedy


def test_only_the_chosen_transport_asks_for_its_secrets(site: Site, changed: Changed) -> None:
    assert site.load().settings.secrets.mailgun_api_key is None
    mailgun = changed(('"flag-file"', MAILGUN))
    assert site.fault(mailgun).key_path == "MAILGUN_API_KEY"
    site.write_env(KEYS + "MAILGUN_API_KEY=mailgun-key\n")
    key = site.load(mailgun).settings.secrets.mailgun_api_key
    assert key is not None
    assert key.reveal() == "mailgun-key"


def test_a_mail_server_may_want_a_login_but_then_both_halves_of_it(
    site: Site, changed: Changed
) -> None:
    smtp = changed(('"flag-file"', SMTP))
    assert site.load(smtp).settings.secrets.smtp_username is None
    site.write_env(KEYS + "SMTP_USERNAME=someone\n")
    assert site.fault(smtp).key_path == "SMTP_PASSWORD"
    assert site.load().settings.secrets.smtp_password is None, "nobody asks without that transport"
    site.write_env(KEYS + "SMTP_PASSWORD=pass word\n")
    assert site.fault(smtp).key_path == "SMTP_USERNAME"
    site.write_env(KEYS + "SMTP_USERNAME=someone\nSMTP_PASSWORD=pass wörd\n")
    password = site.load(smtp).settings.secrets.smtp_password
    assert password is not None
    assert password.reveal() == "pass wörd"


@pytest.mark.parametrize(
    ("written", "addresses"),
    [
        ("json://one", ["json://one"]),
        ("json://one mailto://two", ["json://one", "mailto://two"]),
        ("json://one,  mailto://two", ["json://one", "mailto://two"]),
        ("mailto://x?to=a,b slack://c/#d", ["mailto://x?to=a,b", "slack://c/#d"]),
    ],
)
def test_apprise_addresses_are_parted_by_blanks_or_commas(
    site: Site, changed: Changed, written: str, addresses: list[str]
) -> None:
    site.write_env(f'{KEYS}APPRISE_URLS="{written}"\n')
    secrets = site.load(changed(('"flag-file"', '"apprise"'))).settings.secrets
    assert [secret.reveal() for secret in secrets.apprise_urls] == addresses


def test_apprise_needs_addresses(site: Site, changed: Changed) -> None:
    apprise = changed(('"flag-file"', '"apprise"'))
    assert site.fault(apprise).key_path == "APPRISE_URLS"
    site.write_env(KEYS + "APPRISE_URLS=hunter2\n")
    fault = site.fault(apprise)
    assert fault.key_path == "APPRISE_URLS"
    assert "hunter2" not in fault.problem + fault.remedy


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=value", "value"),
        ("export KEY=value", "value"),
        ("  export\tKEY = value  ", "value"),
        ("KEY=", ""),
        ("KEY=''", ""),
        ("KEY='a # b'", "a # b"),
        ('KEY="a # b"', "a # b"),
        ('KEY="a" # b', "a"),
        ("KEY=a # b", "a"),
        ("KEY=a#b", "a#b"),
        ("KEY=# b", ""),
        ("KEY=a=b==", "a=b=="),
        ('KEY="a\\"b\\\\c\\d"', 'a"b\\cd'),
        ("KEY='a\\b'", "a\\b"),
        ("KEY=a\\b'c", "a\\b'c"),
        ("KEY=a b", "a b"),
        ("KEY=value\r", "value"),
    ],
)
def test_a_line_of_the_env_file_is_read_as_shells_do(line: str, value: str) -> None:
    parsed = parse_env_file(f"# comment\n\n{line}\n  # more\n", "the file")
    assert parsed.faults == ()
    assert parsed.values == {"KEY": value}
    assert parsed.lines == {"KEY": 3}


@pytest.mark.parametrize(
    "line",
    [
        "hunter2",
        "1KEY=hunter2",
        "KEY-NAME=hunter2",
        "=hunter2",
        "KEY='hunter2",
        'KEY="hunter2',
        "KEY='hunter2' hunter2",
        'KEY="hunter2"hunter2',
        'KEY="hunter2\\"',
        "export hunter2",
    ],
)
def test_a_malformed_line_is_named_by_its_number_alone(line: str) -> None:
    parsed = parse_env_file(f"GOOD=1\n{line}\nALSO=2\n", "the file")
    (fault,) = parsed.faults
    assert fault.key_path == "the file line 2"
    assert "hunter2" not in f"{fault} {parsed!r}"
    assert dict(parsed.values) == {"GOOD": "1", "ALSO": "2"}


def test_a_name_set_twice_counts_as_last_set_with_a_warning(site: Site) -> None:
    site.write_env(KEYS + "UNIFI_API_KEY=newer\n")
    loaded = site.load()
    assert loaded.settings.secrets.unifi_api_key.reveal() == "newer"
    assert loaded.warnings == (
        f"{site.env_file} line 3 sets the same name as line 2; the last one counts.",
    )


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602])
def test_an_env_file_open_to_everybody_is_a_warning(site: Site, mode: int) -> None:
    site.write_env(KEYS, mode)
    (warning,) = site.load().warnings
    assert f"chmod 600 {site.env_file}" in warning


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640])
def test_an_env_file_for_its_owner_or_group_is_none(site: Site, mode: int) -> None:
    site.write_env(KEYS, mode)
    assert site.load().warnings == ()


def test_an_env_file_that_is_no_text_is_a_fault(site: Site) -> None:
    site.write_env(b"UNIFI_API_KEY=\xff\n")
    assert site.faults()[0].key_path == str(site.env_file)
