"""Plans that are only counted, and evidence in which all is well but for what a test says."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from door_sync.core.guards import Budgets, Evidence, Objection, objections
from door_sync.core.steps import Change, ChangeClass, Plan
from tests.core.builders import changes_of

REVOKE, GRANT, RESTORE = ChangeClass.REVOKE, ChangeClass.GRANT, ChangeClass.RESTORE
POLICY, CARD, PROFILE = ChangeClass.POLICY, ChangeClass.CARD, ChangeClass.PROFILE

ALL_IS_WELL = Evidence(active_managed=100, grants=100, contacts=100, users=100)
DEFAULTS = Budgets()


def evidence(active: int, **more: Any) -> Evidence:
    """All is well on a site of this size, but for what is said."""
    size = Evidence(active_managed=active, grants=active, contacts=active, users=active)
    return replace(size, **more)


def people(count: int, change_class: ChangeClass, first: int = 1) -> tuple[Change, ...]:
    """So many contacts with a change of this class."""
    return changes_of(range(first, first + count), change_class)


def object_to(
    changes: Iterable[Change], seen: Evidence = ALL_IS_WELL, budgets: Budgets = DEFAULTS
) -> tuple[Objection, ...]:
    """Every objection to a plan of these changes."""
    return objections(Plan(tuple(changes)), seen, budgets)


def names(found: Iterable[Objection]) -> list[str]:
    """The guards that object, in order."""
    return [one.guard for one in found]
