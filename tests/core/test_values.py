"""What is read, decided and planned are values: nobody changes one after it was made."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest

from door_sync import core

ONE_A_CYCLE = {"AccessReading", "Decision", "Plan", "Snapshot"}
"""Big, and few: what they look up once is kept in their `__dict__`."""

GROWING = {"Expectation", "_Planner"}
"""Made step by step, and never handed on before they are done."""


def types() -> Iterator[type]:
    """Give every dataclass of the core."""
    for module in pkgutil.iter_modules(core.__path__, f"{core.__name__}."):
        for one in vars(importlib.import_module(module.name)).values():
            if isinstance(one, type) and is_dataclass(one) and one.__module__ == module.name:
                yield one


def all_but(some: set[str]) -> list[type]:
    """Return every dataclass but these."""
    return [one for one in types() if one.__name__ not in some]


@pytest.mark.parametrize("kind", all_but(GROWING), ids=lambda kind: kind.__name__)
def test_a_value_cannot_be_changed(kind: type) -> None:
    for part in fields(kind):
        with pytest.raises(FrozenInstanceError):
            setattr(object.__new__(kind), part.name, None)


@pytest.mark.parametrize("kind", all_but(GROWING | ONE_A_CYCLE), ids=lambda kind: kind.__name__)
def test_a_value_of_which_there_are_many_carries_no_dictionary(kind: type) -> None:
    """A club of 100,000 has several values for each person, in the memory of a small computer."""
    assert not hasattr(object.__new__(kind), "__dict__")
