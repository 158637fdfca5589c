"""Every kind of controller that the disputed reference allows, and what one looks like afterwards.

A *reading* is one way to understand the reference: the values of some switches of the simulator.
Stories (`tests.proof.readings_stories`) are told under each; `normal_form` is what must be the same
in the end, whatever the reading.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import product
from typing import Any, Final

from door_sync.simulators.unifi.records import Status
from door_sync.simulators.unifi.switches import Switches
from tests.club import Club

DISPUTED: Final[Mapping[str, tuple[Any, ...]]] = {
    "unbind": ("put", "delete", "both"),
    "deactivated_refuses_cards": (False, True),
    "business_error_status": (200, 400),
    "known_card": ("empty token", "same token"),
    "bad_row": ("row fails", "file fails"),
    "dialect": ("string", "numeric"),
    "page_size_cap": (None, 3),
    "nfc_id_in_card_list": (False, True),
}
"""What design.md §9 calls disputed; the first value of each is the simulator's own."""

NULLABLE: Final = frozenset(
    [
        "access_policy_ids",
        "alias",
        "email",
        "employee_number",
        "nfc_cards",
        "pin_code",
        "user_email",
    ]
)

FURTHER: Final[Mapping[str, tuple[Any, ...]]] = {
    "firmware": ("3.3.10", "3.1.30", "2.2.6"),
    "bad_token_code": ("CODE_AUTH_FAILED",),
    "route_before_token": (True,),
    "no_route_status": (200,),
    "scope_error_status": (403,),
    "edit_includes_view": (False,),
    "numeric_endpoints": (
        frozenset({"PUT /users/:id", "GET /users"}),
        frozenset({"POST /users", "POST /credentials/nfc_cards/import"}),
    ),
    "unknown_body_keys": ("refused",),
    "rows_without_paging": (1,),
    "past_the_end": ("last page", "refused"),
    "reorder_between_pages": (True,),
    "search_pagination": (True,),
    "optional_keys": ("all", "bare"),
    "null_for_empty": (NULLABLE, frozenset({"user_id", "user_type", "user"})),
    "email_case_matters": (True,),
    "emails_stored": ("lower case",),
    "own_email_conflicts": (True,),
    "console_email_counts": (False,),
    "email_taken_code": ("CODE_USER_EMAIL_EXIST",),
    "employee_number_unique": (True,),
    "empty_name_code": ("CODE_USER_CSV_IMPORT_INCOMPLETE_PROP",),
    "unknown_user_code": ("CODE_USER_ACCOUNT_NOT_EXIST", "CODE_NOT_EXISTS"),
    "delete_frees_cards": (False,),
    "delete_frees_email": (False,),
    "send_invitations": (False,),
    "unknown_policy": ("CODE_PARAMS_INVALID", "ignored"),
    "everyone_policies_first": (False,),
    "group_policies_in_rows": (True,),
    "policy_resource_key": ("resource", "resources"),
    "rebind_same_holder": ("refused",),
    "unknown_card_code": ("CODE_RESOURCE_NOT_FOUND",),
    "unbind_not_held": ("success",),
    "delete_bound_card": ("deleted",),
    "alias_taken_code": ("CODE_OPERATION_FORBIDDEN",),
    "ended_visit_frees_card": (False,),
    "free_card_user": ("missing", "null", "empty"),
    "lower_case_nfc_id": ("accepted",),
    "odd_length_nfc_id": ("row fails",),
    "import_answer_order": ("reversed",),
    "log_counts": ("beside data", "bare list"),
    "log_ids": ("empty",),
    "log_order": ("oldest first",),
    "log_bounds": ("excluded",),
    "cards_in_log": (False,),
}
"""Whatever else the simulator can do otherwise than it does by itself: the other values."""

ENDS_THE_API: Final = "identity_enterprise"
"""The one switch under which no story can be told: the controller answers nothing any more (§1.1
of the UniFi sheet)."""

UNREADABLE: Final = {"reorder_between_pages": True, "page_size_cap": 3}
"""The one pair under which no list is complete: pages that are too small for it, each of another
order. Nobody can tell a user that was skipped from one that is gone."""

CARDS: Final = (*range(1001, 1010), 1100)
"""The cards of the stories, and that of the member who stays."""


@dataclass(frozen=True)
class Reading:
    """Some switches by name; all others stand as the simulator has them."""

    settings: tuple[tuple[str, Any], ...]

    @property
    def switches(self) -> Switches:
        """The simulator's switches."""
        return Switches.of(dict(self.settings))

    @property
    def imports(self) -> bool:
        """Whether the firmware has the endpoint that imports cards (§10.4 of the UniFi sheet)."""
        return self.switches.version() >= (3, 3, 10)

    @property
    def name(self) -> str:
        """Every setting that is not the simulator's own, short enough for the name of a test."""
        own = {one.name: one.default for one in fields(Switches)}
        return (
            ",".join(
                f"{name}={_short(value)}" for name, value in self.settings if value != own[name]
            )
            or "as the simulator is"
        )


def _short(value: Any) -> str:
    return "+".join(sorted(value)) if isinstance(value, frozenset) else str(value)


EVERY_READING: Final = [
    Reading(tuple(zip(DISPUTED, values, strict=True))) for values in product(*DISPUTED.values())
]
"""Every combination of design.md §9: 384 controllers."""

OWN: Final = EVERY_READING[0]
"""The controller as the simulator is by itself, which all others are compared with."""


def further_readings() -> list[Reading]:
    """Return each other value of each further switch: alone, and with each value of the eight that
    is not the simulator's own."""
    pairs: list[tuple[tuple[str, Any], ...]] = [()]
    pairs += [((name, value),) for name, (_, *others) in DISPUTED.items() for value in others]
    return [
        Reading(((name, value), *pair))
        for name, values in FURTHER.items()
        for value in values
        for pair in pairs
        if dict(((name, value), *pair)) != UNREADABLE
    ]


def open_under(club: Club, reading: Reading, *, imports: bool = True) -> None:
    """Empty the club, under one reading: guards that let all pass, a policy that everybody has for
    a hall, and one member who stays, so that no list is ever empty.

    Where nothing can be imported, somebody enrolled every card by hand, under our alias.
    """
    club.reset(reading.switches)
    club.start_journal()
    club.relax()
    world = club.unifi.world
    hall = world.add_door("Hall")
    world.add_policy("For everyone", [hall.id], everyone=True)
    if not imports:
        for number in CARDS:
            club.add_card(number)
    club.join(1100, email="Stays@example.org")


def normal_form(club: Club) -> dict[str, object]:
    """Return the whole of a controller's world by names and numbers, without the ids that it gives
    out: who there is, with which status, policies and address; who holds which card under which
    alias; which card opens which door; and what nobody should have touched."""
    world = club.unifi.world
    policy = {one.id: one.name for one in world.policies}
    people = {
        one.id: (one.employee_number or f"{one.first_name} {one.last_name}") for one in world.users
    } | {one.id: f"visitor {one.first_name}" for one in world.visitors}
    return {
        "users": sorted(
            (
                people[one.id],
                one.first_name,
                one.last_name,
                one.user_email.lower(),  # which letter case is kept is disputed, too
                one.status,
                sorted(policy[each] for each in one.policy_ids),
            )
            for one in world.users
        ),
        "cards": sorted(
            (
                one.number & 0xFFFF,
                one.alias,
                "" if one.holder is None else people.get(one.holder.id, "who is not there"),
                one.condition,
            )
            for one in world.cards
        ),
        "visitors": sorted((one.first_name, one.cancelled) for one in world.visitors),
        "policies": sorted(
            (one.name, len(one.resources), one.applies_to_everyone) for one in world.policies
        ),
        "opens": sorted(
            (one.number & 0xFFFF, door.name)
            for one in world.cards
            for door in world.doors
            if club.opens(one.number & 0xFFFF, door.id)
        ),
        "active": sum(one.status == Status.ACTIVE for one in world.users),
    }
