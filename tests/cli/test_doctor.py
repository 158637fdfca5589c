"""What `doctor` prints for people and for scripts."""

import io
import json
import sys
from collections.abc import Iterator

import pytest

from door_sync.app.checkup.check import Check, Name, Verdict
from door_sync.cli.doctor import checks_json, checks_text
from door_sync.cli.entry import main
from tests.cli.conftest import Site
from tests.cli.doctoring import Bench, open_secured_club
from tests.club import Club


@pytest.fixture(scope="module")
def running_club() -> Iterator[Club]:
    with open_secured_club() as club:
        yield club


@pytest.fixture
def bench(site: Site) -> Bench:
    return Bench(site)


def check(verdict: Verdict, remedy: str = "") -> Check:
    return Check(Name.LOCK, verdict, "something", remedy)


def test_the_sound_site_has_one_line_for_each_check_in_order(bench: Bench) -> None:
    ran = bench.site.run("doctor")
    assert (ran.code, ran.err) == (0, "")
    headline, *lines = ran.out.splitlines()
    assert headline == "Ready: nothing is wrong."
    assert [line for line in lines if line and line[1] != " "] == [
        *("This machine", "CiviCRM", "The controller", "Alerts"),
    ]
    told = [line[2:] for line in lines if line[1:2] == " "]
    assert len(told) == len(Name)
    for line, name in zip(told, Name, strict=True):
        assert line.startswith(f"{name.title} ")


def test_a_fault_comes_first_in_words_and_then_on_its_line_with_what_to_do(bench: Bench) -> None:
    bench.site.env_file.chmod(0o604)
    ran = bench.site.run("doctor")
    assert ran.code == 2
    assert ran.out.splitlines()[0] == "Not ready: 1 fault. What to do stands below each ✗."
    [at] = [n for n, line in enumerate(ran.out.splitlines()) if line.startswith("✗")]
    assert ran.out.splitlines()[at].startswith("✗ file modes ")
    assert f"What to do: Run `chmod 600 {bench.site.env_file}`." in ran.out.splitlines()[at + 1]


@pytest.mark.parametrize(
    ("found", "headline"),
    [
        ([check(Verdict.OK)], "Ready: nothing is wrong."),
        ([check(Verdict.UNKNOWN)], "Ready: nothing is wrong."),
        ([check(Verdict.WARN)], "Ready: nothing is wrong, and 1 is worth a look."),
        ([check(Verdict.WARN)] * 2, "Ready: nothing is wrong, and 2 are worth a look."),
        (
            [check(Verdict.BAD), check(Verdict.BAD), check(Verdict.WARN)],
            "Not ready: 2 faults. What to do stands below each ✗. 1 is worth a look.",
        ),
    ],
)
def test_the_first_line_says_what_it_means(found: list[Check], headline: str) -> None:
    assert checks_text(found).splitlines()[0] == headline


def test_a_line_break_in_what_somebody_wrote_makes_no_line(bench: Bench) -> None:
    text = checks_text([Check(Name.LOCK, Verdict.BAD, "a\nb\x1b[31m", "c\nd")])
    assert [line for line in text.splitlines() if line.startswith(("b", "d"))] == []
    assert "\x1b" not in text


def test_scripts_get_every_check_by_its_name(bench: Bench) -> None:
    content = json.loads(bench.site.run("doctor", "--json").out)
    assert content["ready"] is True
    assert [one["name"] for one in content["checks"]] == [name.title for name in Name]
    assert {one["family"] for one in content["checks"]} == {
        *("This machine", "CiviCRM", "The controller", "Alerts"),
    }
    assert set(content["checks"][0]) == {"name", "family", "verdict", "text", "remedy"}
    assert json.loads(checks_json([check(Verdict.BAD, "do")]))["ready"] is False


def test_a_terminal_without_the_marks_gets_words(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.site.env_file.chmod(0o604)
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", plain)
    with pytest.raises(SystemExit):
        main([*bench.site.where(), "doctor"])
    plain.seek(0)
    printed = plain.read()
    assert "\nok settings " in printed
    assert "\nNO file modes " in printed
    assert "\\u" not in printed
