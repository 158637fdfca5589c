"""Everybody who has or had a membership, with a card or without: whom `adopt` may match (P4).

The memberships of every status are walked by id, counted before and after like the lists of a cycle
(P2); then their contacts are asked for by id. Who is not among the answers was deleted meanwhile.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from door_sync.civicrm import rows, wire
from door_sync.civicrm.ground import Ground, names_of
from door_sync.civicrm.replies import Part, answered, disbelieve
from door_sync.civicrm.rows import Owned
from door_sync.civicrm.walk import Page, Walked, walk
from door_sync.civicrm.wire import MEMBERSHIP_KEYS, TRASHED_CONTACT, Call, Clause
from door_sync.core.people import ContactId, Member

CONTACTS_PER_QUESTION: Final = 500

Ask = Callable[[Mapping[str, Call]], Mapping[str, Part]]


@dataclass(frozen=True, slots=True)
class Joined:
    """One reading: the memberships as walked, and their contacts without them.

    `moved` says in words why it is not whole; empty if it is.
    """

    memberships: Walked[Owned]
    contacts: list[Member]
    moved: str


def read_joined(ask: Ask, ground: Ground, card_field: str, page_size: int) -> Joined:
    """Read once, `ground` being proven; raise SourceError."""
    # No status is active in these calls: only the list of all of them is wanted.
    statuses = names_of(answered(ask({"all": wire.ground(card_field, ())["statuses"]})["all"]))
    before = answered(ask({"count": _count(statuses)})["count"]).count()

    def page(after: int, limit: int, counting: bool) -> Page[Owned]:
        calls = {"page": _page(statuses, after, limit)}
        parts = ask(calls | ({"count": _count(statuses)} if counting else {}))
        found = rows.memberships(answered(parts["page"]), ground.types, statuses, after)
        total = answered(parts["count"]).count() if counting else None
        return Page(found, found[-1][1].id if found else after, total)

    walked = walk("memberships", page, before=before, page_size=page_size)
    wanted = sorted({contact_id for contact_id, _ in walked.rows})
    contacts: list[Member] = []
    for start in range(0, len(wanted), CONTACTS_PER_QUESTION):
        contacts += _contacts(ask, card_field, wanted[start : start + CONTACTS_PER_QUESTION])
    moved = "" if walked.is_whole else str(walked)
    gone = len(wanted) - sum(not one.is_deleted for one in contacts)
    if gone and not moved:
        moved = f"of {len(wanted)} contacts with a membership {gone} did not come"
    return Joined(walked, contacts, moved)


def _contacts(ask: Ask, card_field: str, contact_ids: list[ContactId]) -> list[Member]:
    part = answered(ask({"contacts": wire.contacts_by_id(card_field, contact_ids)})["contacts"])
    if part.count() != len(part.values):
        disbelieve(part.title, "does not hold as many rows as it counts")
    return rows.members_asked(part, card_field, frozenset(contact_ids))


def _where(statuses: Mapping[int, str]) -> list[Clause]:
    return [
        ["status_id", "IN", sorted(statuses)],
        ["is_test", "=", False],
        [TRASHED_CONTACT, "=", False],
    ]


def _count(statuses: Mapping[int, str]) -> Call:
    return Call("Membership", "get", {"select": ["row_count"], "where": _where(statuses)})


def _page(statuses: Mapping[int, str], after: int, limit: int) -> Call:
    where = [*_where(statuses), ["id", ">", after]]
    params = {"select": list(MEMBERSHIP_KEYS), "where": where, "orderBy": {"id": "ASC"}}
    return Call("Membership", "get", {**params, "limit": limit})
