"""The sample files and the handbook's page are made from the model and cannot differ from it."""

import re
from pathlib import Path

import pytest

from door_sync.settings import kinds
from door_sync.settings.reference import reference_files, write_reference
from tests.settings.conftest import Site

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(reference_files()))
def test_the_committed_file_is_the_one_made_from_the_model(name: str) -> None:
    """If it is not: python -c 'from door_sync.settings.reference import *;
    write_reference(Path())' in the root of the repository."""
    assert (ROOT / name).read_text("utf-8") == reference_files()[name]


def test_the_files_can_be_written_anywhere(tmp_path: Path) -> None:
    write_reference(tmp_path)
    for name, text in reference_files().items():
        assert (tmp_path / name).read_text("utf-8") == text


def test_the_samples_load_as_they_are(site: Site) -> None:
    site.write_env(re.sub(r"(?m)^(\w+=)$", r"\1filled-in", reference_files()[".env.example"]))
    settings = site.load(reference_files()["config.example.toml"]).settings
    assert settings.tier_mapping.rules["Gold"].rank == 100
    assert settings.alert.smtp is None


def test_the_samples_load_with_every_comment_taken_away(site: Site, tmp_path: Path) -> None:
    """What stands there as a comment is as right as the rest, and says the default."""
    (tmp_path / "authority.pem").touch()
    as_it_is = reference_files()["config.example.toml"]
    all_of_it = re.sub(r"(?m)^#(?=[a-z_]+ = |\[)", "", as_it_is)
    all_of_it = all_of_it.replace("/etc/door-sync/authority.pem", str(tmp_path / "authority.pem"))
    full, short = site.load(all_of_it).settings, site.load(as_it_is).settings
    assert full.safety == short.safety
    assert full.unifi.model_copy(update={"canary_user": None}) == short.unifi
    assert full.ops.model_copy(update={"metrics_textfile": None}) == short.ops
    assert full.daemon.model_copy(update={"listen": None}) == short.daemon
    without_an_example = {"ca_file": None, "canary_contact": None}
    assert full.civicrm.model_copy(update=without_an_example) == short.civicrm
    assert full.alert.smtp is not None
    assert full.alert.mailgun is not None
    assert list(full.tier_mapping.rules) == ["Gold", "Friend of the club", "Day pass"]


def test_every_key_stands_in_the_sample_and_on_the_page_with_its_meaning() -> None:
    sample = reference_files()["config.example.toml"]
    page = reference_files()["docs/configuration.md"]
    for path, table in kinds.tables():
        for name, info in kinds.fields_of(table).items():
            if kinds.table_of(info) is None:
                assert info.description, (path, name)
                assert re.search(rf"(?m)^#?{name} = ", sample), (path, name)
                assert f"| `{name}` |" in page, (path, name)
    assert "rules" not in [key[-1] for key in kinds.all_keys()]


def test_the_page_tells_the_range_and_default_of_a_key() -> None:
    page = reference_files()["docs/configuration.md"]
    assert "| `page_size` | a whole number from 100 to 5000 | `5000` |" in page
    assert '| `scope` | "class" or "cycle" | `"class"` |' in page
    assert "| `facility_code` | a whole number from 0 to 255 | required |" in page
    assert "### `[alert.apprise]`" in page
    assert "### `[tier_mapping]`" not in page


def test_words_for_places_that_do_not_exist_are_careful() -> None:
    assert kinds.keys_of(("nonsense", "deeper")) == []
    assert kinds.example_of(("civicrm", "nonsense")) == "Compare it with config.example.toml."
    assert kinds.choices_of(("civicrm", "nonsense")) == ()
