"""The first ten minutes come out as the page tells, command by command."""

import shlex
from contextlib import ExitStack
from pathlib import Path

from tests.cli.conftest import Ran
from tests.cli.test_simulate import SIDES, Played, configure, door_sync
from tests.docs.pages import blocks, page, section

TEN_MINUTES = section(page("first-steps.md"), "In ten minutes")


def commands(step: str) -> list[list[str]]:
    """The words of every call of the program in one step of the page."""
    text = TEN_MINUTES.split(f"**{step}")[1].partition("\n**")[0]
    lines = [line for block in blocks(text) for line in block.text.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("door-sync ")]


def followed(step: str, site: Path) -> dict[str, list[Ran]]:
    """Type the commands of a step; return what each printed, by its first word.

    `init` talks with a person: tests/cli/test_init.py does that, against the same simulators.
    """
    ran: dict[str, list[Ran]] = {}
    for words in commands(step):
        if words == ["init"]:
            continue
        ran.setdefault(words[0], []).append(door_sync(site, *words))
    return ran


def test_the_first_ten_minutes(tmp_path: Path) -> None:
    assert sorted(words[:2] for words in commands("2.")) == [["simulate", side] for side in SIDES]
    with ExitStack() as stack:
        configure(tmp_path, *(stack.enter_context(Played(side)) for side in SIDES))
        assert ["init"] in commands("3.")
        [checked] = followed("3.", tmp_path)["doctor"]
        assert checked.code == 0, checked.out
        assert checked.out.startswith("Ready: nothing is wrong.")

        looked = followed("4.", tmp_path)
        assert "Ada Abacus" in looked["plan"][0].out
        first, second = looked["run"]
        assert first.code == second.code == 0
        assert second.out == "Nothing to do: the controller matches the membership list.\n"

        operated = followed("5.", tmp_path)
        assert [*operated] == ["revoke", "status", "explain", "restore", "run"]
        assert {ran.code for step in operated.values() for ran in step} == {0}
        assert "Cut off: contact 101 " in operated["revoke"][0].out
        assert "contact 101" in operated["status"][0].out
        assert "cut off" in operated["explain"][0].out
        assert "1 person got access back" in operated["run"][0].out
