"""Mutants of what runs when a module is imported: tables, enums, decorators, defaults.

Nothing of the core is loaded where these children are forked off: each imports the changed module
and what depends on it, and runs the tests file by file.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from mutants.children import Fate, fate_of, limit_time
from mutants.modules import Importer, Module

ALONE = (
    *("-o", "addopts=", "--import-mode=importlib", "--strict-markers", "-x", "--capture=no"),
    *("-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:cov"),
)
"""Arguments of a run of which only the exit code is looked at."""

FIRST = "test_values.py"
"""What it tests holds for all modules: values do not change, and do not grow."""


def fate_at_import(module: Module, number: int, tests: Path, seconds: Mapping[str, float]) -> Fate:
    """Given a mutant and what the files of tests take, return what becomes of it."""
    own = [f"test_{module.name}.py", FIRST]
    rest = sorted((one for one in seconds if one not in own), key=lambda one: seconds[one])
    files = [tests / one for one in (*own, *rest) if one in seconds]
    return fate_of(_Noticed(module, number, files, sum(seconds.values())))


@dataclass(frozen=True)
class _Noticed:
    module: Module
    number: int
    files: Sequence[Path]
    seconds: float

    def __call__(self) -> bool:
        limit_time(10 * self.seconds + 30)
        self.module.edits[self.number].apply()
        sys.meta_path.insert(0, Importer(self.module))
        own, rest = self.files[:2], self.files[2:]
        return any(
            pytest.main([*ALONE, *map(str, some)]) != pytest.ExitCode.OK
            for some in (own, rest)
            if some
        )
