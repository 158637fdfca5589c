"""What a checkup still knows of a site whose configuration has faults."""

from collections.abc import Callable

import pytest

from door_sync.settings.known import KnownSettings, know_settings, known_of
from tests.settings.conftest import CONFIG, KEYS, Site


def known(site: Site, config: str = CONFIG) -> KnownSettings:
    site.config.write_text(config)
    return know_settings(site.config, site.env_file, {})


def test_settings_without_a_fault_are_all_known(site: Site) -> None:
    found = known(site)
    loaded = site.load().settings
    assert found == known_of(loaded, site.config, site.env_file)
    assert (found.faults, found.warnings, found.is_nothing) == ((), (), False)
    assert found.ops == loaded.ops


def test_a_key_with_a_default_that_is_wrong_costs_its_table_nothing_else(
    site: Site, changed: Callable[..., str]
) -> None:
    wrong = changed(
        ('card_id_field = "Door', 'page_size = "all"\nnonsense = 1\ncard_id_field = "Door')
    )
    found = known(site, wrong)
    assert found.civicrm is not None
    assert (found.civicrm.page_size, found.civicrm.host) == (5000, "https://crm.example.org")
    assert {one.key_path for one in found.faults} == {"civicrm.page_size", "civicrm.nonsense"}


def test_a_key_that_matters_costs_its_table_and_no_other(
    site: Site, changed: Callable[..., str]
) -> None:
    found = known(site, changed(('host = "https://crm.example.org"', 'host = "crm"')))
    assert found.civicrm is None
    assert None not in (found.unifi, found.tier_mapping, found.alert, found.ops)
    assert [one.key_path for one in found.faults] == ["civicrm.host"]


@pytest.mark.parametrize("value", ["300", '"42"', "2026-11-22"])
def test_without_a_facility_code_the_controller_can_be_asked_all_the_same(
    site: Site, changed: Callable[..., str], value: str
) -> None:
    found = known(site, changed(("facility_code = 42", f"facility_code = {value}")))
    assert found.unifi is not None
    assert found.unifi.host == "https://192.0.2.10:12445"
    assert [one.key_path for one in found.faults] == ["unifi.facility_code"]


def test_a_table_that_is_none_is_not_known(site: Site) -> None:
    found = known(site, "ops = 1\n" + CONFIG.replace("[ops]", "[opts]"))
    assert found.ops is None
    assert "ops" in [one.key_path for one in found.faults]


@pytest.mark.parametrize("config", ["[civicrm", ""])
def test_of_a_file_that_says_nothing_nothing_is_known(site: Site, config: str) -> None:
    found = known(site, config)
    assert found.is_nothing
    assert found.faults != ()
    assert found.civicrm_api_key is not None


def test_each_key_stands_for_itself(site: Site) -> None:
    site.write_env("CIVICRM_API_KEY=has a blank\nUNIFI_API_KEY=unifi-key-value\n")
    found = known(site)
    assert found.civicrm_api_key is None
    assert found.unifi_api_key is not None
    assert found.unifi_api_key.reveal() == "unifi-key-value"
    assert [one.key_path for one in found.faults] == ["CIVICRM_API_KEY"]


def test_alerts_are_known_without_the_keys_of_either_side(
    site: Site, changed: Callable[..., str]
) -> None:
    site.write_env("APPRISE_URLS=json://localhost\n")
    found = known(site, changed(('transport = "flag-file"', 'transport = "apprise"')))
    assert found.alert_secrets is not None
    assert [one.reveal() for one in found.alert_secrets.apprise_urls] == ["json://localhost"]
    assert (found.civicrm_api_key, found.unifi_api_key) == (None, None)


def test_alerts_without_their_own_secret_are_not(site: Site, changed: Callable[..., str]) -> None:
    found = known(site, changed(('transport = "flag-file"', 'transport = "apprise"')))
    assert found.alert_secrets is None
    assert found.civicrm_api_key is not None


def test_warnings_are_known_too_but_not_who_may_read_the_file(
    site: Site, changed: Callable[..., str]
) -> None:
    site.write_env(f"{KEYS}{KEYS}SMTP_USERNAME=u\nSMTP_PASSWORD=p\n", mode=0o644)
    smtp = (
        'transport = "smtp"\n[alert.smtp]\nhost = "mail.example.org"\nstarttls = false\n'
        'from = "a@example.org"\nto = "b@example.org"'
    )
    good = changed(('transport = "flag-file"', smtp))
    faulty = good.replace("facility_code = 42", "facility_code = 300")
    for config in (good, faulty):
        texts = known(site, config).warnings
        assert ["same name" in text or "SMTP_PASSWORD" in text for text in texts] == [True] * 3
