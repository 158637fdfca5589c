"""The questions that are put to CiviCRM, as data; nothing here waits or sends.

Each request is CiviCRM's multi-call (CiviCRM sheet §9): one POST with the form field `calls`, a
JSON object of name → [entity, action, params]. A JSON body would be ignored without a word and
every row of the table returned (§1.3).

What a call may ask is decided here, because a slip is answered with silence: a field that may not
be read is left out of the rows, an unknown name matches nothing (§0.1). So:

* the card field stands in every `where` (§13.4), as IS NOT NULL: IS NOT EMPTY would lose the card
  number 0 of an Integer field (versions sheet §5);
* memberships are asked of Membership itself, never joined to Contact (§13.5), by status id, test
  rows and people in the trash excluded by name (§13.6);
* `contact_type` is never selected, else keys come and go by type (versions sheet §12.2); nor is
  `:name`, which takes half a minute on 5.x (versions sheet §9);
* each list is ordered by id and walked by id (§13.7); nothing depends on a date of change (§13.12).
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from door_sync.http import Form, Request, RetryClass

Auth = Literal["x-civi-auth", "authorization"]
"""How the key travels: the values of the setting `civicrm.auth` (R0)."""

EMAIL = "email_primary.email"
TRASHED_CONTACT = "contact_id.is_deleted"
MEMBERSHIP_KEYS = (
    "id",
    "contact_id",
    TRASHED_CONTACT,
    "membership_type_id",
    "status_id",
    "end_date",
    "is_override",
    "is_test",
)

_ORDER = {"id": "ASC"}
_COUNT_ONLY = ["row_count"]

Clause = list[object]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of APIv4: `select`, `where` and the like stand in `params`."""

    entity: str
    action: str
    params: Mapping[str, object]

    @property
    def title(self) -> str:
        """How a message names this call."""
        return f"{self.entity}.{self.action}"


def request(path: str, calls: Mapping[str, Call]) -> Request:
    """Given named calls, return the one request that carries them; it reads, so it may repeat."""
    document = {name: [call.entity, call.action, call.params] for name, call in calls.items()}
    text = json.dumps(document, separators=(",", ":"))
    return Request("POST", path, RetryClass.READ, is_write=False, body=Form((("calls", text),)))


def ground(card_field: str, active_statuses: Sequence[str]) -> dict[str, Call]:
    """Return the calls that open a reading: what must hold before any row is believed (R0).

    `own` asks for the contact that the key belongs to: who may view all contacts sees itself, a
    key without that right, or one that turned into nobody, does not (CiviCRM sheet §2.3).
    """
    named: Clause = ["status_id:name", "IN", list(active_statuses)]
    return {
        "card_field": Call(
            "Contact",
            "getFields",
            {"select": ["name", "data_type", "serialize"], "where": [["name", "=", card_field]]},
        ),
        "types": Call("MembershipType", "get", _listing("id", "name", "title")),
        "statuses": membership_statuses(),
        "actions": Call("Membership", "getActions", {"select": ["name"]}),
        "own": Call(
            "Contact", "get", {"select": ["id"], "where": [["id", "=", "user_contact_id"]]}
        ),
        "contacts": contacts_count(card_field),
        "memberships": _memberships_count(card_field, named),
    }


def contact_keys(card_field: str) -> tuple[str, ...]:
    """Return the keys that are asked of a contact."""
    names = ("first_name", "last_name", "display_name")
    return ("id", *names, EMAIL, card_field, "is_deceased", "is_deleted")


def contacts_page(card_field: str, after: int, limit: int) -> Call:
    """Ask for the next living contacts that have something in the card field, by id."""
    where = [*_with_card(card_field), ["id", ">", after]]
    return Call("Contact", "get", {**_contacts(card_field, where), "limit": limit})


def contacts_count(card_field: str) -> Call:
    """Ask how many rows the walk over the contacts will find."""
    return Call("Contact", "get", {"select": _COUNT_ONLY, "where": _with_card(card_field)})


def memberships_page(card_field: str, status_ids: Collection[int], after: int, limit: int) -> Call:
    """Ask for the next memberships in one of these statuses, of contacts with a card, by id."""
    where = [*_active(card_field, _by_id(status_ids)), ["id", ">", after]]
    params = {"select": list(MEMBERSHIP_KEYS), "where": where, "orderBy": _ORDER}
    return Call("Membership", "get", {**params, "limit": limit})


def memberships_count(card_field: str, status_ids: Collection[int]) -> Call:
    """Ask how many rows the walk over the memberships will find."""
    return _memberships_count(card_field, _by_id(status_ids))


def contacts_by_id(card_field: str, contact_ids: Sequence[int]) -> Call:
    """Ask for these contacts, in the trash or not, with a card or without."""
    where: list[Clause] = [
        ["id", "IN", list(contact_ids)],
        ["is_deleted", "IN", [True, False]],
    ]
    params = _contacts(card_field, where)
    return Call("Contact", "get", {**params, "select": [*contact_keys(card_field), *_COUNT_ONLY]})


def memberships_by_contact(status_ids: Collection[int], contact_ids: Sequence[int]) -> Call:
    """Ask for the memberships of these contacts in one of these statuses."""
    where = [["contact_id", "IN", list(contact_ids)], *_counting(_by_id(status_ids))]
    select = [*MEMBERSHIP_KEYS, *_COUNT_ONLY]
    return Call("Membership", "get", {"select": select, "where": where, "orderBy": _ORDER})


def memberships_in_full(contact_id: int) -> Call:
    """Ask for every membership of one contact, whatever its status, test ones too."""
    where = [["contact_id", "=", contact_id], ["is_test", "IN", [True, False]]]
    select = [*MEMBERSHIP_KEYS, "start_date", *_COUNT_ONLY]
    return Call("Membership", "get", {"select": select, "where": where, "orderBy": _ORDER})


def membership_statuses() -> Call:
    """Ask for every status that a membership can have."""
    return Call("MembershipStatus", "get", _listing("id", "name"))


def _listing(*keys: str) -> dict[str, object]:
    return {"select": list(keys), "orderBy": _ORDER}


def _contacts(card_field: str, where: list[Clause]) -> dict[str, object]:
    return {"select": list(contact_keys(card_field)), "where": where, "orderBy": _ORDER}


def _with_card(card_field: str) -> list[Clause]:
    return [[card_field, "IS NOT NULL"], ["is_deleted", "=", False]]


def _by_id(status_ids: Collection[int]) -> Clause:
    return ["status_id", "IN", sorted(status_ids)]


def _counting(status: Clause) -> list[Clause]:
    return [status, ["is_test", "=", False], [TRASHED_CONTACT, "=", False]]


def _active(card_field: str, status: Clause) -> list[Clause]:
    return [*_counting(status), [f"contact_id.{card_field}", "IS NOT NULL"]]


def _memberships_count(card_field: str, status: Clause) -> Call:
    return Call("Membership", "get", {"select": _COUNT_ONLY, "where": _active(card_field, status)})
