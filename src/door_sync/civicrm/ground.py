"""What must hold before any row of CiviCRM is believed: the opening of each reading (R0).

A key that lacks a right, or that turned into nobody on the way, gets good-looking answers with
fewer rows, or none (CiviCRM sheet §2.3, §8). These proofs make such an answer fail:

* the card field exists and may be read (§13.4);
* types and statuses of memberships are there, the active ones under the names in use (§13.9);
* `Membership` may be read (versions sheet §12.6);
* the key sees one known person: the contact that it belongs to. With *view all contacts* it does;
  without it, with a group's ACL alone, or as nobody it does not (§2.3, versions sheet §7). So zero
  people with a card is an answer, while zero people visible is a failure (§13.2).

Everything found wrong is reported at once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from door_sync.civicrm.replies import Part, Refused, Rows, answered, disbelieve
from door_sync.civicrm.verdicts import other_way
from door_sync.civicrm.wire import Auth
from door_sync.core.people import MembershipType
from door_sync.ports import SourceDistrusted


@dataclass(frozen=True, slots=True)
class Ground:
    """What the opening proved. `statuses` are the active ones, by id.

    `contacts` and `memberships` are how many rows the two walks should find.
    """

    types: Mapping[int, MembershipType]
    statuses: Mapping[int, str]
    contacts: int
    memberships: int


def ground_proved(
    parts: Mapping[str, Part], *, card_field: str, active_statuses: Sequence[str], auth: Auth
) -> Ground:
    """Given the answers to `wire.ground`, return what they prove; raise SourceDistrusted with
    everything that is wrong."""
    findings = _nobody(parts, auth) or [
        *_refusals(parts),
        *_membership_right(parts),
        *_own_contact(parts),
        *_card_field(parts, card_field),
        *_types(parts),
        *_statuses(parts, active_statuses),
    ]
    if findings:
        raise SourceDistrusted(
            "; ".join(finding.what for finding in findings),
            remedy=" ".join(dict.fromkeys(finding.remedy for finding in findings)),
        )
    statuses = names_of(answered(parts["statuses"]))
    return Ground(
        types=membership_types(answered(parts["types"])),
        statuses={number: name for number, name in statuses.items() if name in active_statuses},
        contacts=answered(parts["contacts"]).count(),
        memberships=answered(parts["memberships"]).count(),
    )


ACCEPTED_TYPES = frozenset({"String", "Text", "Integer", "Float", "Number"})
"""The `data_type` of a field that can hold one card number (CiviCRM sheet §4.1)."""

_RIGHTS = {
    "card_field": "access CiviCRM",
    "types": "access CiviMember",
    "statuses": "access CiviMember",
    "actions": "access CiviMember",
    "own": "view all contacts",
}


@dataclass(frozen=True, slots=True)
class _Finding:
    what: str
    remedy: str


def _nobody(parts: Mapping[str, Part], auth: Auth) -> list[_Finding]:
    proofs = [parts["card_field"], parts["types"], parts["statuses"]]
    forbidden = all(isinstance(part, Refused) and part.forbidden for part in proofs)
    if not forbidden or _sees_itself(parts):
        return []
    return [
        _Finding(
            "CiviCRM took the request for one of nobody: the key did not arrive, or has no rights",
            "The web server or a proxy may be taking the header with the key away: set "
            f'civicrm.auth = "{other_way(auth)}" in config.toml and try again. Check that the '
            "extension AuthX is switched on, and that the key's contact has a user account with "
            'the rights "access CiviCRM", "access CiviMember", "view all contacts" and "access '
            'all custom data".',
        )
    ]


def _sees_itself(parts: Mapping[str, Part]) -> bool:
    own = parts["own"]
    return isinstance(own, Rows) and len(own.values) == 1


def _refusals(parts: Mapping[str, Part]) -> Iterator[_Finding]:
    for name, right in _RIGHTS.items():
        part = parts[name]
        if isinstance(part, Refused) and part.forbidden:
            yield _Finding(part.reason, f'Give the key\'s user the right "{right}".')
        elif isinstance(part, Refused):
            yield _Finding(
                part.reason,
                "Check that the component CiviMember is switched on. The site's administrator "
                "finds the cause in CiviCRM's log.",
            )


def _membership_right(parts: Mapping[str, Part]) -> Iterator[_Finding]:
    actions = parts["actions"]
    if isinstance(actions, Rows) and not any(row.get("name") == "get" for row in actions.values):
        yield _Finding(
            "the key may not read memberships",
            'Give the key\'s user the right "access CiviMember".',
        )


def _own_contact(parts: Mapping[str, Part]) -> Iterator[_Finding]:
    if isinstance(parts["own"], Rows) and not _sees_itself(parts):
        yield _Finding(
            "the key does not see the contact that it belongs to, so it does not see everybody",
            "Give the key's user the right \"view all contacts\" (a group's ACL is not enough), "
            "and see that its contact is not in the trash.",
        )


def _card_field(parts: Mapping[str, Part], card_field: str) -> Iterator[_Finding]:
    part = parts["card_field"]
    if not isinstance(part, Rows):
        return
    match part.values:
        case [{"name": name, "data_type": _, **_rest} as row] if name == card_field:
            if not holds_one_number(row):
                yield _Finding(
                    f"the field {card_field} cannot hold one card number: it is neither a text "
                    "nor a number, or holds several values",
                    "Put the card numbers into a field of one line of text or a whole number, "
                    "and name it in civicrm.card_id_field.",
                )
        case []:
            yield _Finding(
                f"the field {card_field} does not exist, is switched off, or is hidden from "
                "the key",
                "Compare civicrm.card_id_field with CiviCRM: the machine names of group and "
                "field, in exact upper and lower case, with a dot between. Field and group must "
                "be active, the group must not allow several records per contact, and the key's "
                'user needs the right "access all custom data".',
            )
        case _:
            disbelieve(part.title, "does not describe the field asked for")


def _statuses(parts: Mapping[str, Part], active_statuses: Sequence[str]) -> Iterator[_Finding]:
    part = parts["statuses"]
    if isinstance(part, Rows):
        there = names_of(part).values()
        unknown = [name for name in active_statuses if name not in there]
        if unknown:
            yield _Finding(
                f"civicrm.active_statuses names {_listed(unknown)}, which CiviCRM does not have",
                f"CiviCRM has these membership statuses: {_listed(sorted(there))}. Upper and lower "
                "case matter.",
            )


def _types(parts: Mapping[str, Part]) -> Iterator[_Finding]:
    part = parts["types"]
    if isinstance(part, Rows) and not part.values:
        yield _Finding(
            "CiviCRM lists no membership types",
            "Create them in CiviCRM, or look whether an extension hides them from the key's user.",
        )


def membership_types(rows: Rows) -> dict[int, MembershipType]:
    """Return the types by id; raise SourceDistrusted for rows that name none."""
    types = {}
    for row, (number, name) in zip(rows.values, names_of(rows).items(), strict=True):
        title = row.get("title")  # absent on 5.x (versions sheet §1)
        label = title if isinstance(title, str) and title else name
        types[number] = MembershipType(number, name, label)
    return types


def holds_one_number(field: Mapping[str, object]) -> bool:
    """Say whether a field, as getFields describes it, can hold one card number and no more."""
    data_type = field.get("data_type")
    is_fit = isinstance(data_type, str) and data_type in ACCEPTED_TYPES
    return is_fit and not field.get("serialize")


def names_of(rows: Rows) -> dict[int, str]:
    """Return names by id; raise SourceDistrusted for a row without either, or one that repeats."""
    names = {}
    for row in rows.values:
        number, name = row.get("id"), row.get("name")
        if type(number) is not int or not isinstance(name, str) or not name:
            disbelieve(rows.title, "has a row without id or name")
        if number in names:
            disbelieve(rows.title, "has the same row twice")
        names[number] = name
    return names


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names if name.isprintable()) or "none"
