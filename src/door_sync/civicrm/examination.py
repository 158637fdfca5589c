"""One look at CiviCRM for a checkup: what the key may do, what the site has; nothing is written.

The questions are those of the opening proof (`ground`) and a few more, each judged by itself, so
that one wrong answer hides no other. A missing right shows itself in another way for each of them
(CiviCRM sheet §8); what cannot be told from the answers is None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from door_sync.civicrm import wire
from door_sync.civicrm.ground import holds_one_number, membership_types, names_of
from door_sync.civicrm.replies import Part, Refused, Rows, judge
from door_sync.civicrm.verdicts import Subject, subject_of
from door_sync.civicrm.wire import EMAIL, Auth, Call, Clause
from door_sync.core.people import MembershipType
from door_sync.http import HttpClient, Reply
from door_sync.ports import SourceError

JOB: Final = "process_membership"
"""The scheduled job *Update Membership Statuses* (CiviCRM sheet §7)."""


@dataclass(frozen=True, slots=True)
class Questions:
    """What to ask: where and how, for which card field and statuses, ended before which day.

    `canary` is a contact that must have a card; None if the site names none.
    """

    path: str
    auth: Auth
    card_field: str
    active_statuses: tuple[str, ...]
    overdue_before: date
    canary: int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """The job as an administrator's key sees it; `last_run` in the site's own time zone."""

    is_active: bool
    last_run: datetime | None


@dataclass(frozen=True, slots=True)
class Examination:
    """What the answers say; None for what they do not tell.

    `is_nobody`: the request arrived as one of nobody (CiviCRM sheet §2.3). `fields` are the
    custom fields that the key sees; `holds_one_number` says whether the card field is one for a
    card number. `with_card` counts the contacts with something in it, `overdue` the memberships
    in an active status that ended before the day asked for and that the job would have changed.
    """

    is_nobody: bool
    may_use_civicrm: bool
    sees_everybody: bool
    has_memberships: bool
    may_read_memberships: bool
    fields: tuple[str, ...] | None
    is_card_field_there: bool | None
    holds_one_number: bool
    with_card: int | None
    types: tuple[MembershipType, ...] | None
    retired: frozenset[int]
    statuses: tuple[str, ...] | None
    job: Job | None
    overdue: int | None
    has_canary: bool | None


class NotAnswered(Exception):
    """What came is no answer; `subject` tells what is wrong, `error` says it in words."""

    def __init__(self, subject: Subject, error: SourceError, reply: Reply) -> None:
        super().__init__(subject.value)
        self.subject = subject
        self.error = error
        self.reply = reply


def examine(client: HttpClient, questions: Questions) -> tuple[Examination, Reply]:
    """Ask everything in one request; return what is known and the reply itself, for its headers.

    Raise HttpError, or NotAnswered for a reply that is no answer to what was asked.
    """
    calls = _calls(questions)
    reply = client.send(wire.request(questions.path, calls))
    try:
        return _examination(judge(reply, calls, questions.auth)), reply
    except SourceError as error:
        raise NotAnswered(subject_of(reply), error, reply) from error


def _calls(questions: Questions) -> dict[str, Call]:
    ground = wire.ground(questions.card_field, questions.active_statuses)
    own = dict(ground["own"].params)
    types = dict(ground["types"].params)
    calls = {
        "card_field": ground["card_field"],
        "fields": Call(
            "Contact", "getFields", {"select": ["name"], "where": [["type", "=", "Custom"]]}
        ),
        "types": Call(
            "MembershipType", "get", {**types, "select": ["id", "name", "title", "is_active"]}
        ),
        "statuses": ground["statuses"],
        "actions": ground["actions"],
        "own": Call("Contact", "get", {**own, "select": ["id", EMAIL]}),
        "contacts": ground["contacts"],
        "job": Call(
            "Job",
            "get",
            {"select": ["is_active", "last_run"], "where": [["api_action", "=", JOB]]},
        ),
        "overdue": _overdue(questions),
    }
    if questions.canary is not None:
        where = [*_where(ground["contacts"]), ["id", "=", questions.canary]]
        calls["canary"] = Call("Contact", "get", {"select": ["row_count"], "where": where})
    return calls


def _overdue(questions: Questions) -> Call:
    """Count what the job would have changed (CiviCRM sheet §7).

    It leaves alone what was overridden, inherited, or is of a retired type. Counted are statuses
    that are over on the end date itself: Grace begins there, and New lasts whatever it says.
    """
    where: list[Clause] = [
        ["status_id:name", "IN", list(questions.active_statuses)],
        ["status_id.end_event", "=", "end_date"],
        ["status_id.end_event_adjust_interval", "IS NULL"],
        ["end_date", "<", questions.overdue_before.isoformat()],
        ["is_override", "=", False],
        ["is_test", "=", False],
        ["owner_membership_id", "IS NULL"],
        ["membership_type_id.is_active", "=", True],
        [wire.TRASHED_CONTACT, "=", False],
    ]
    return Call("Membership", "get", {"select": ["row_count"], "where": where})


def _where(call: Call) -> list[object]:
    where = call.params["where"]
    return [*where] if isinstance(where, Sequence) else []


def _examination(parts: Mapping[str, Part]) -> Examination:
    field, own, types = parts["card_field"], parts["own"], parts["types"]
    sees_itself = isinstance(own, Rows) and len(own.values) == 1
    asked_of_nobody = (field, types, parts["statuses"])
    is_forbidden = all(isinstance(part, Refused) and part.forbidden for part in asked_of_nobody)
    has_address = isinstance(own, Rows) and all(EMAIL in row for row in own.values)
    rows: Sequence[Mapping[str, object]] | None = None
    if isinstance(field, Rows):
        rows = field.values
    return Examination(
        is_nobody=is_forbidden and not sees_itself,
        may_use_civicrm=rows is not None and has_address,
        sees_everybody=sees_itself,
        has_memberships=not (isinstance(types, Refused) and not types.forbidden),
        may_read_memberships=_may_read(parts["actions"]) and isinstance(types, Rows),
        fields=_texts(parts["fields"]),
        is_card_field_there=None if rows is None else bool(rows),
        holds_one_number=_holds_one_number(rows or ()),
        with_card=_count(parts["contacts"]),
        types=tuple(membership_types(types).values()) if isinstance(types, Rows) else None,
        retired=_retired(types),
        statuses=_status_names(parts["statuses"]),
        job=_job(parts["job"]),
        overdue=_count(parts["overdue"]),
        has_canary=_is_found(parts.get("canary")),
    )


def _may_read(actions: Part) -> bool:
    return isinstance(actions, Rows) and any(row.get("name") == "get" for row in actions.values)


def _holds_one_number(rows: Sequence[Mapping[str, object]]) -> bool:
    return any(map(holds_one_number, rows))


def _retired(types: Part) -> frozenset[int]:
    rows = types.values if isinstance(types, Rows) else []
    ids = [row.get("id") for row in rows if row.get("is_active") is False]
    return frozenset(number for number in ids if isinstance(number, int))


def _texts(part: Part) -> tuple[str, ...] | None:
    if isinstance(part, Refused):
        return None
    return tuple(name for row in part.values if isinstance(name := row.get("name"), str))


def _status_names(part: Part) -> tuple[str, ...] | None:
    return tuple(names_of(part).values()) if isinstance(part, Rows) else None


def _count(part: Part) -> int | None:
    return part.count() if isinstance(part, Rows) else None


def _is_found(part: Part | None) -> bool | None:
    count = None if part is None else _count(part)
    return None if count is None else count > 0


def _job(part: Part) -> Job | None:
    if isinstance(part, Refused) or len(part.values) != 1:
        return None
    [row] = part.values
    last_run = row.get("last_run")
    try:
        moment = datetime.fromisoformat(last_run) if isinstance(last_run, str) else None
    except ValueError:
        moment = None
    return Job(row.get("is_active") is True, moment)
