"""A plan in a file, to be looked at and then carried out exactly so (§6).

`plan --out plan.json` writes it, `apply plan.json` reads it. What `apply` compares are the contact
ids, the classes and the keyed digests of the steps under `apply`; all else is for the eyes.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from door_sync.app.report import CycleReport
from door_sync.app.sentences import named
from door_sync.core.decision import Decision
from door_sync.core.drift import Drift, Seen, drift, seen
from door_sync.core.people import ContactId, contact_of
from door_sync.core.steps import ChangeClass
from door_sync.core.tags import KEY_BYTES, digest
from door_sync.files import ops_file_errors
from door_sync.ports import DoorSyncError, PlanDrifted

VERSION = 1
_DIGEST = re.compile(r"[0-9a-f]{1,64}")
ANEW = "Make it anew with `door-sync plan --out FILE`, look at it, and apply that."


class NotAPlan(DoorSyncError):
    """A file holds no plan that can be carried out here; nothing was read or written."""

    exit_code: ClassVar[int] = 64


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan that a person looked at.

    `site` names the site it was made for. `key` is the key of its digests where that was made for
    this plan alone, because the site had no journal yet; None where it is the site's own.
    """

    site: str
    key: bytes | None = field(repr=False)
    changes: Seen

    def key_here(self, site_key: bytes) -> bytes:
        """Return the key of its digests; raise NotAPlan if it was made for another site."""
        if self.key is not None:
            return self.key
        if self.site != site_name(site_key):
            raise NotAPlan(
                "this plan was made for another site, or before its journal was replaced",
                remedy=ANEW,
            )
        return site_key

    def check(self, site_key: bytes) -> Callable[[Decision], None]:
        """Return what raises PlanDrifted if a decision is not what this plan says."""
        key = self.key_here(site_key)

        def check(decision: Decision) -> None:
            found = drift(self.changes, seen(decision.plan, key))
            if found:
                raise PlanDrifted(
                    f"things have changed since this plan was made: {_told(found)}", remedy=ANEW
                )

        return check


def site_name(key: bytes) -> str:
    """Return what a plan file calls the site with this key: 12 hex digits."""
    return digest(key, "site")[:12]


def applicable(report: CycleReport) -> Mapping[str, object]:
    """Return the part of a plan file that `apply` reads."""
    return {
        "version": VERSION,
        "site": site_name(report.key),
        "key": None if report.is_lasting else report.key.hex(),
        "changes": [
            {"contact": contact_id, "class": change_class.value, "steps": [*steps]}
            for (contact_id, change_class), steps in seen(report.plan, report.key).items()
        ],
    }


def read_plan(path: Path) -> PlanFile:
    """Read a plan from a file that `plan --out` wrote; raise NotAPlan, OpsFileError."""
    with ops_file_errors(path, "read"):
        content = path.read_bytes()
    try:
        return _plan_from(json.loads(content))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NotAPlan(
            f"{path} is no plan that can be applied",
            remedy="`door-sync plan --out plan.json` writes one: a name that ends in .json.",
        ) from None


def _plan_from(content: Any) -> PlanFile:
    part = content["apply"]
    if part["version"] != VERSION:
        raise ValueError("another version")
    key = None if part["key"] is None else bytes.fromhex(part["key"])
    if key is not None and len(key) != KEY_BYTES:
        raise ValueError("no key")
    changes = {
        (_contact(one["contact"]), ChangeClass(one["class"])): tuple(map(_digest, one["steps"]))
        for one in part["changes"]
    }
    return PlanFile(_digest(part["site"]), key, changes)


def _contact(value: object) -> ContactId:
    contact_id = contact_of(str(value)) if type(value) is int else None
    if contact_id is None:
        raise ValueError("no contact id")
    return contact_id


def _digest(value: object) -> str:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise ValueError("no digest")
    return value


def _told(found: Drift) -> str:
    parts = (
        (found.came, "came in"),
        (found.went, "is not needed any more"),
        (found.differs, "would be done in another way"),
    )
    return "; ".join(
        f"{named(c for c, one in names if one is change_class)} ({change_class.value}) {what}"
        for names, what in parts
        for change_class in ChangeClass
        if any(one is change_class for _, one in names)
    )
