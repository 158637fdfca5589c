"""Settings files that cannot be read, or not as TOML: told with the place, without a traceback."""

from collections.abc import Callable
from pathlib import Path

import pytest

from door_sync.settings import BadSettings, load_settings
from tests.settings.conftest import Site

Changed = Callable[..., str]


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        ("a = 1\nb = = 2\n", "at line 2, column 5", "Invalid value"),
        ('a = "x\nb = 1\n', "at line 1, column 7", ""),
        ("a = 1\na = 2\n", "at line 2, column 6", "overwrite"),
        ("[a]\n[a]\n", "at line 2", "twice"),
        ("a = [1,", "at end of document", ""),
        ("a = " + "9" * 5000, "", "too large"),
        ("a = " + "[" * 5000 + "]" * 5000, "", "too large"),
    ],
)
def test_a_syntax_error_is_told_with_its_place(site: Site, text: str, place: str, why: str) -> None:
    fault = site.fault(text)
    assert fault.key_path == str(site.config)
    assert fault.problem.startswith("is not valid TOML")
    assert place in fault.problem
    assert why in fault.problem


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("[" * 250 + "]" * 250, "its tables or lists are nested too deeply"),
        ("1\n" + "a." * 1500 + "a = 1", "its tables or lists are nested too deeply"),
        ("[" * 5000 + "]" * 5000, "a number or a list in it is too large"),
        ("1" * 5000, "a number or a list in it is too large"),
        ("0x" + "f" * 5000, "a number in it is too large"),
        (str(2**63), "a number in it is too large"),
    ],
    ids=["lists", "tables by dots", "very deep lists", "digits", "hex digits", "64 bits"],
)
def test_what_is_too_deep_or_too_large_is_told(
    site: Site, changed: Changed, value: str, problem: str
) -> None:
    fault = site.fault(changed(("= 600", f"= {value}")))
    assert fault.key_path == str(site.config)
    assert fault.problem == f"is not valid TOML: {problem}"


def test_a_file_that_is_far_too_large_is_not_read_to_its_end(site: Site) -> None:
    fault = site.fault(b"#" * (2**20 + 1))
    assert fault.problem == "is larger than 1,048,576 bytes"


def test_a_file_that_is_not_utf8_is_told_with_the_line(site: Site) -> None:
    fault = site.fault(b"a = 1\nb = 'caf\xe9'\n")
    assert fault.problem == "is not UTF-8 text (line 2)"
    fault = site.fault("a = 1".encode("utf-16"))
    assert fault.problem == "is not UTF-8 text (line 1)"


def test_a_missing_settings_file_is_told_with_what_to_do(site: Site) -> None:

    with pytest.raises(BadSettings) as caught:
        load_settings(site.config, site.env_file, {})
    (fault,) = caught.value.faults
    assert fault.key_path == str(site.config)
    assert fault.problem == "does not exist"
    assert "config.example.toml" in fault.remedy


def test_a_settings_file_that_cannot_be_read_is_told_with_the_reason(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    (tmp_path / "file").touch()
    reasons = {tmp_path: "is a directory", tmp_path / "file" / "config.toml": "cannot be read: "}
    for path, reason in reasons.items():
        with pytest.raises(BadSettings, match=reason):
            load_settings(path, site.env_file, {})

    def forbidden(_: Path, _mode: str) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(BadSettings, match="may not be read by this user") as caught:
        load_settings(site.config, site.env_file, {})
    assert [fault.key_path for fault in caught.value.faults][:2] == [
        str(site.config),
        str(site.env_file),
    ]


def test_an_authority_behind_a_closed_directory_does_not_exist_for_us(
    site: Site, changed: Changed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", forbidden)
    fault = site.fault(changed(("[unifi]", "ca_file = '/closed/ca.pem'\n[unifi]")))
    assert fault.key_path == "civicrm.ca_file"
