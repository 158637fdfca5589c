"""Whether an answer of CiviCRM may be believed, call by call.

Believed is only a JSON object, sent as JSON with status 200, with one part for each call asked; and
of a part, the entity and action asked, a list of objects under `values`, and `countFetched` equal
to its length (CiviCRM sheet §13.1). `count` is not looked at: it is wrong past the end (§3).

A multi-call in which some calls were refused comes with 200, one in which all were with the status
of the first (§9), so that a refusal is known by its own part alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from door_sync.civicrm.verdicts import (
    FORBIDDEN,
    cited,
    error_id,
    inner_status,
    is_error,
    parsed,
    reject,
)
from door_sync.civicrm.wire import Auth, Call
from door_sync.http import Reply
from door_sync.ports import SourceDistrusted

Row = dict[str, object]

LARGEST_COUNT = 0xFFFFFFFF
"""No table of CiviCRM has more rows than it has ids."""

_OK = 200


@dataclass(frozen=True, slots=True)
class Rows:
    """The answer to one call. `matched` is `countMatched`, where `row_count` was asked for."""

    title: str
    values: list[Row] = field(repr=False)
    matched: int | None = None

    def count(self) -> int:
        """Return how many rows match the call; raise SourceDistrusted if CiviCRM left it out."""
        if self.matched is None:
            disbelieve(self.title, "lacks the count that was asked for")
        return self.matched


@dataclass(frozen=True, slots=True)
class Refused:
    """CiviCRM refused one call: for want of a right, or because it could not carry it out."""

    title: str
    forbidden: bool
    error_id: str

    @property
    def reason(self) -> str:
        """What happened, in words."""
        if self.forbidden:
            return f"the key may not call {self.title}{cited(self.error_id)}"
        return f"CiviCRM could not carry out {self.title}{cited(self.error_id)}"


Part = Rows | Refused


def judge(reply: Reply, calls: Mapping[str, Call], auth: Auth) -> dict[str, Part]:
    """Given the reply to these calls, return what became of each.

    Raise SourceDistrusted or SourceUnreachable if it is no answer to what was asked; `auth` tells
    which other way to send the key may be worth a try.
    """
    document = parsed(reply.body)
    if not isinstance(document, dict) or document.keys() != calls.keys():
        reject(reply, auth)
    parts = {name: _part(call, document[name]) for name, call in calls.items()}
    some_answered = any(isinstance(part, Rows) for part in parts.values())
    if (some_answered and reply.status != _OK) or reply.media_type != "application/json":
        reject(reply, auth)
    return parts


def answered(part: Part) -> Rows:
    """Return the answer to a call; raise SourceDistrusted if CiviCRM refused it."""
    if isinstance(part, Refused):
        raise SourceDistrusted(
            part.reason,
            remedy="It answered the questions before, so something may be changing right now. "
            "If it stays, the site's administrator finds the cause in CiviCRM's log.",
        )
    return part


def disbelieve(title: str, why: str) -> NoReturn:
    """Raise SourceDistrusted: the answer to this call is not what CiviCRM would give."""
    raise SourceDistrusted(
        f"CiviCRM's answer to {title} {why}",
        remedy="An extension or a proxy may be changing CiviCRM's answers: ask its administrator.",
    )


def _part(call: Call, part: object) -> Part:
    title = call.title
    if not isinstance(part, dict):
        disbelieve(title, "is no JSON object")
    if is_error(part):
        return Refused(title, inner_status(part) == FORBIDDEN, error_id(part))
    values = part.get("values")
    if not isinstance(values, list) or not all(type(row) is dict for row in values):
        disbelieve(title, "has no list of rows")
    if part.get("entity") != call.entity or part.get("action") != call.action:
        disbelieve(title, "is the answer to another question")
    fetched, matched = part.get("countFetched"), part.get("countMatched")
    if type(fetched) is not int or fetched != len(values):
        disbelieve(title, "does not hold as many rows as it says")
    if matched is not None and (type(matched) is not int or not 0 <= matched <= LARGEST_COUNT):
        disbelieve(title, "counts in something else than numbers")
    return Rows(title, values, matched)
