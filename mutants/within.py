"""Mutants inside functions: the tests are collected once, and each child changes one function."""

import gc
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from coverage import Coverage

from mutants.children import Fate, fate_of, limit_time
from mutants.edits import Edit
from mutants.modules import Module, put_in_place

Told = Callable[[Module, int, Fate], None]


@dataclass
class Timed:
    """A test: what it took in seconds of processor time, and the lines that it came by."""

    item: pytest.Item
    seconds: float
    lines: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))


class Within:
    """A pytest plugin that runs mutants instead of tests."""

    def __init__(self, chosen: Sequence[tuple[Module, int]], told: Told) -> None:
        self._chosen = chosen
        self._told = told
        self.seconds_of_file: defaultdict[str, float] = defaultdict(float)
        self.tests = 0

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run every test once to see where it comes by, then every mutant."""
        if session.testsfailed:
            raise session.Failed("the tests cannot be collected")
        timed = self._time(session)
        for module, number in self._chosen:
            edit = module.edits[number]
            tests = [one for one in timed if not one.lines[str(module.path)].isdisjoint(edit.lines)]
            self._told(module, number, fate_of(_Noticed(module, edit, tests)))
        return True

    def _time(self, session: pytest.Session) -> list[Timed]:
        """Return all tests, the fastest first."""
        paths = {str(module.path) for module, _ in self._chosen}
        coverage = Coverage(data_file=None, config_file=False, include=sorted(paths))
        timed = []
        coverage.start()
        for item in session.items:
            coverage.switch_context(item.nodeid)
            began = time.process_time()
            failure = failure_of(item)
            if failure:
                sys.exit(f"{item.nodeid} fails without any mutant: {failure}")
            timed.append(Timed(item, time.process_time() - began))
        coverage.stop()
        data = coverage.get_data()
        by_name = {one.item.nodeid: one for one in timed}
        for path in paths & data.measured_files():
            for line, names in data.contexts_by_lineno(path).items():
                for name in names:
                    if name in by_name:
                        by_name[name].lines[path].add(line)
        for one in timed:
            self.seconds_of_file[_file(one.item)] += one.seconds
        self.tests = len(timed)
        return sorted(timed, key=lambda one: one.seconds)


def _file(item: pytest.Item) -> str:
    return Path(item.path).name


@dataclass(frozen=True)
class _Noticed:
    module: Module
    edit: Edit
    tests: Iterable[Timed]

    def __call__(self) -> bool:
        """Change the function in this process, and run the tests until one fails."""
        gc.disable()
        self.edit.apply()
        assert self.edit.function is not None
        put_in_place(self.module, self.edit.function)
        for one in self.tests:
            limit_time(10 * one.seconds + 1)
            if failure_of(one.item):
                return True
        return False


def failure_of(item: pytest.Item) -> str:
    """Run one test; return what failed, nothing if it passed or was skipped."""
    reports = runtestprotocol(item, nextitem=None, log=False)
    return "".join(report.longreprtext for report in reports if report.failed)
