"""Change the core line by line and ask its tests to notice: `make mutants`.

Works on a copy. Ends with 1 if less than 90 % of the mutants are noticed. `python -m mutants tiers`
asks about one module; with `--keep FILE` what became of each is written there, and the next run
with the same file asks again only about those that survived, of modules that have not changed.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import TextIO

import pytest

from mutants.at_import import ALONE, fate_at_import
from mutants.children import Fate
from mutants.modules import Module, modules
from mutants.results import ENOUGH, Fates, keep, kept, score, survivors, table
from mutants.within import Within

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m mutants", description=__doc__)
    parser.add_argument("module", nargs="*", help="a module of the core; all if none is given")
    parser.add_argument("--keep", type=Path, help="a file with what became of each")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="door-sync-mutants-") as place:
        return _run(_copied(Path(place)), asked.module, asked.keep and asked.keep.resolve())


def _copied(place: Path) -> Path:
    """Return a copy of what the tests of the core need, as it is in the tree now."""
    for part in ("src", "tests"):
        shutil.copytree(ROOT / part, place / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", place)
    return place


def _run(copy: Path, names: Sequence[str], keeping: Path | None) -> int:
    os.environ["DOOR_SYNC_PROOF"] = "mutants"  # see tests/core/conftest.py
    os.chdir(copy)
    sys.path[:] = [str(copy / "src"), str(copy), *(one for one in sys.path if one)]
    found = modules(copy / "src/door_sync/core", names)
    fates = kept(keeping, found) if keeping else {}
    asked = [
        (module, number)
        for module in found
        for number in range(len(module.edits))
        if fates.get(module.name, {}).get(number, Fate.SURVIVED) is Fate.SURVIVED
    ]
    within = [(module, number) for module, number in asked if module.edits[number].function]
    at_import = [(module, number) for module, number in asked if not module.edits[number].function]
    seconds = _ask_within(copy, within, fates)
    for module, number in at_import:
        _note(fates, module, number, fate_at_import(module, number, copy / "tests/core", seconds))
    if keeping:
        keep(keeping, fates, found)
    return _tell(fates, found)


def _ask_within(
    copy: Path, chosen: Sequence[tuple[Module, int]], fates: Fates
) -> Mapping[str, float]:
    """Ask about mutants within functions, in a process that may load the core; return what each
    file of tests takes."""
    notes = copy / "notes"
    child = os.fork()
    if child == 0:
        with notes.open("w", encoding="utf-8") as file:
            os._exit(_within(copy, chosen, file))
    if os.waitpid(child, 0)[1]:
        raise SystemExit("the tests of the core fail without any mutant")
    by_name = {module.name: module for module, _ in chosen}
    *told, last = notes.read_text(encoding="utf-8").splitlines()
    for line in told:
        name, number, fate = line.split(" ", 2)
        _note(fates, by_name[name], int(number), Fate(fate))
    seconds: dict[str, float] = json.loads(last)
    return seconds


def _within(copy: Path, chosen: Sequence[tuple[Module, int]], notes: TextIO) -> int:
    def told(module: Module, number: int, fate: Fate) -> None:
        notes.write(f"{module.name} {number} {fate.value}\n")
        notes.flush()

    plugin = Within(chosen, told)
    code = pytest.main([*ALONE, str(copy / "tests/core")], plugins=[plugin])
    notes.write(json.dumps(plugin.seconds_of_file) + "\n")
    notes.flush()
    return int(code)


def _note(fates: Fates, module: Module, number: int, fate: Fate) -> None:
    fates.setdefault(module.name, {})[number] = fate


def _tell(fates: Fates, found: Sequence[Module]) -> int:
    left = survivors(fates, found)
    print("Survivors\n", *left, "", *table(fates), "", sep="\n")
    used = [getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    print(f"{sum(one.ru_utime + one.ru_stime for one in used):.0f} s of processor time")
    reached = score(fate for each in fates.values() for fate in each.values())
    if reached < ENOUGH:
        print(f"{reached:.1f} % is less than the {ENOUGH:g} % that are asked for")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
