"""A mutant is asked about in a process of its own, and what was noticed is counted."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from mutants.children import Fate, fate_of, limit_time
from mutants.modules import Importer, Module, put_in_place
from mutants.results import keep, kept, score, survivors, table

SOURCE = """
LIMIT = 3

def is_few(count):
    return count <= LIMIT

class Club:
    @property
    def size(self):
        return 1 + 1
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    """A module with a table, a function and a property, imported."""
    path = tmp_path / "made_up.py"
    path.write_text(SOURCE, encoding="utf-8")
    module = Module("made_up", path)
    imported = ModuleType(module.full_name)
    exec(module.compiled(), vars(imported))
    monkeypatch.setitem(sys.modules, module.full_name, imported)
    return module


def number(module: Module, told: str) -> int:
    """The number of the one mutant that is told so."""
    [found] = [n for n, one in enumerate(module.edits) if one.told() == told]
    return found


def late() -> bool:
    limit_time(0.01)
    while True:
        pass


def test_a_mutant_is_killed_by_a_notice_and_by_an_error_and_survives_otherwise() -> None:
    assert fate_of(lambda: True) is Fate.KILLED
    assert fate_of(lambda: bool(1 // 0)) is Fate.KILLED
    assert fate_of(lambda: False) is Fate.SURVIVED


def test_a_mutant_that_does_not_end_is_ended() -> None:
    assert fate_of(late) is Fate.TIMED_OUT


def test_a_changed_function_is_what_everybody_runs_who_holds_it(module: Module) -> None:
    imported = sys.modules[module.full_name]
    is_few, club = imported.is_few, imported.Club()
    assert (is_few(3), club.size) == (True, 2)
    for told in ("count <= LIMIT  →  count < LIMIT", "1 + 1  →  1 - 1"):
        edit = module.edits[number(module, told)]
        assert edit.function is not None
        edit.apply()
        put_in_place(module, edit.function)
    assert (is_few(3), club.size) == (False, 0)


def test_a_changed_table_is_imported_changed(module: Module) -> None:
    module.edits[number(module, "3  →  4")].apply()
    spec = Importer(module).find_spec(module.full_name)
    assert spec is not None
    assert spec.loader is not None
    imported = ModuleType(module.full_name)
    spec.loader.exec_module(imported)
    assert imported.LIMIT == 4
    assert Importer(module).find_spec("door_sync.core.other") is None


def test_what_became_of_each_is_kept_while_the_source_is_the_same(
    module: Module, tmp_path: Path
) -> None:
    fates = {"made_up": {0: Fate.KILLED, 1: Fate.SURVIVED}}
    keep(tmp_path / "kept.json", fates, [module])
    assert kept(tmp_path / "kept.json", [module]) == fates
    module.path.write_text(SOURCE + "\n", encoding="utf-8")
    assert kept(tmp_path / "kept.json", [module]) == {}
    assert kept(tmp_path / "none.json", [module]) == {}


def test_the_score_counts_all_that_did_not_survive(module: Module) -> None:
    fates = {"made_up": {0: Fate.KILLED, 1: Fate.SURVIVED, 2: Fate.TIMED_OUT, 3: Fate.KILLED}}
    assert score(fates["made_up"].values()) == 75
    assert table(fates)[-1] == "| all | 4 | 2 | 1 | 1 | 75.0 % |"
    [left] = survivors(fates, [module])
    assert left.startswith("made_up.py:")
