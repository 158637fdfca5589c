"""What an administrator may do at the controller's console while a cycle runs.

Each hand is one deed at the club of `faults_story`; it returns False where there is nothing to do
it to, such as a user that is not created yet.
"""

from collections.abc import Callable, Mapping
from typing import Final

from door_sync.simulators.unifi.records import Card, User
from tests.club import FACILITY
from tests.proof.faults_story import Site

Hand = Callable[[Site], bool]
OTHER: Final = 1098
"""A number that no card has."""


def user_of(site: Site, name: str) -> User | None:
    """Return the first user that carries the contact id of whoever plays this part."""
    number = str(site.roles[name])
    return next((u for u in site.club.unifi.world.users if u.employee_number == number), None)


def stranger(site: Site, first_name: str) -> User | None:
    """Return a user without a contact by the first name."""
    return next((u for u in site.club.unifi.world.users if u.first_name == first_name), None)


def card(site: Site, number: int) -> Card | None:
    """Return the card with this printed number."""
    raw = f"{FACILITY << 16 | number:X}"
    return next((c for c in site.club.unifi.world.cards if c.nfc_id == raw), None)


def _sets(who: str, **changes: object) -> Hand:
    def act(site: Site) -> bool:
        user = user_of(site, who) if who in site.roles else stranger(site, who)
        if user is None:
            return False
        site.club.unifi.world.edit_user(user.id, **changes)
        return True

    return act


def _numbers(who: str, as_: str) -> Hand:
    """Give a user the number of somebody else's contact."""
    return lambda site: _sets(who, employee_number=str(site.roles[as_]))(site)


def _holds_policies(who: str, *names: str) -> Hand:
    def act(site: Site) -> bool:
        known = {one.name: one.id for one in site.club.unifi.world.policies}
        if not {*names} <= known.keys():
            return False
        return _sets(who, policy_ids=tuple(known[one] for one in names))(site)

    return act


def _deletes(who: str, *, free_cards: bool = True) -> Hand:
    def act(site: Site) -> bool:
        user = user_of(site, who) if who in site.roles else stranger(site, who)
        if user is None:
            return False
        site.club.unifi.world.delete_user(user.id, free_cards=free_cards)
        return True

    return act


def _moves(number: int, to: str) -> Hand:
    def act(site: Site) -> bool:
        found = card(site, number)
        user = user_of(site, to) if to in site.roles else stranger(site, to)
        if found is None or user is None:
            return False
        site.club.unifi.world.bind(found.token, user.id)
        return True

    return act


def _lends(number: int) -> Hand:
    """Give a card to a visitor."""

    def act(site: Site) -> bool:
        world, found = site.club.unifi.world, card(site, number)
        if found is None:
            return False
        now = int(site.clock.now().timestamp())
        world.add_visitor(
            "Vic",
            "Visitor",
            now - 60,
            now + 10**6,
            door_ids=[site.club.front],
            card_token=found.token,
        )
        return True

    return act


def _to_card(number: int, deed: str, **named: object) -> Hand:
    def act(site: Site) -> bool:
        found = card(site, number)
        if found is None:
            return False
        getattr(site.club.unifi.world, deed)(found.token, **named)
        return True

    return act


def _deletes_policy(name: str) -> Hand:
    def act(site: Site) -> bool:
        world = site.club.unifi.world
        [policy] = [one for one in world.policies if one.name == name]
        world.delete_policy(policy.id)
        return True

    return act


def _adds(as_: str, status: str = "ACTIVE") -> Hand:
    """Make one more user with the number of a contact."""

    def act(site: Site) -> bool:
        site.club.add_user(str(site.roles[as_]), policies=[site.club.gold], status=status)
        return True

    return act


CONSOLE: Final[Mapping[str, Hand]] = {
    # The holder of a card that is to be reclaimed.
    "enables the holder of a card to reclaim": _sets("Left", status="ACTIVE"),
    "invites that holder": _sets("Left", status="PENDING"),
    "that holder's row loses its status": _sets("Left", missing=frozenset({"status"})),
    "moves that card to an active stranger": _moves(1013, "Kept"),
    "moves that card to a member": _moves(1013, "stays"),
    "moves that card to the member itself": _moves(1013, "reclaims"),
    "lends that card to a visitor": _lends(1013),
    "frees that card": _to_card(1013, "free"),
    "deletes that card": _to_card(1013, "delete_card"),
    "deletes that holder": _deletes("Left"),
    "deletes that holder, whose card stays bound": _deletes("Left", free_cards=False),
    # Status.
    "disables a member": _sets("stays", status="DEACTIVATED"),
    "disables an active stranger": _sets("Kept", status="DEACTIVATED"),
    "enables a leaver": _sets("leaver", status="ACTIVE"),
    "disables somebody in a swap": _sets("bob", status="DEACTIVATED"),
    "invites somebody in a swap": _sets("ann", status="PENDING"),
    "disables a user just created": _sets("newcard", status="DEACTIVATED"),
    "disables somebody just restored": _sets("back", status="DEACTIVATED"),
    # Cards on their way.
    "moves a leaver's card to an active stranger": _moves(1001, "Kept"),
    "moves a leaver's card to a member": _moves(1001, "stays"),
    "moves a leaver's card to its heir": _moves(1001, "recycler"),
    "lends a leaver's card to a visitor": _lends(1001),
    "frees a leaver's card": _to_card(1001, "free"),
    "deletes a leaver's card": _to_card(1001, "delete_card"),
    "moves a card of a swap to a stranger": _moves(1004, "Kept"),
    "gives a card of a swap to whom it is for": _moves(1003, "bob"),
    "deletes a card just imported": _to_card(1010, "delete_card"),
    "lends a card just imported to a visitor": _lends(1010),
    "frees a member's card": _to_card(1002, "free"),
    # Aliases.
    "empties a leaver's card's alias": _to_card(1001, "edit_card", alias=""),
    "gives a leaver's card another number": _to_card(1001, "edit_card", alias=f"sync-{OTHER:05d}"),
    "names a card of a swap by hand": _to_card(1003, "edit_card", alias="Front desk"),
    "gives a member's card another number": _to_card(1002, "edit_card", alias=f"sync-{OTHER:05d}"),
    "empties the alias of a card just imported": _to_card(1010, "edit_card", alias=""),
    # Whose user it is.
    "makes a leaver unmanaged": _sets("leaver", employee_number=""),
    "numbers a leaver by hand": _sets("leaver", employee_number="staff 7"),
    "gives a leaver's user to a new member": _numbers("leaver", "recycler"),
    "gives a leaver's user to a member who has one": _numbers("leaver", "stays"),
    "makes a member unmanaged": _sets("stays", employee_number=""),
    "makes somebody unmanaged who is to be written": _sets("down", employee_number=""),
    "numbers somebody as nobody who is to be written": _sets("down", employee_number="99999"),
    "makes a user unmanaged that was just created": _sets("newcard", employee_number=""),
    "gives a user just created to another contact": _numbers("newcard", "stays"),
    "adds a user for somebody to be created": _adds("newcard"),
    "adds a disabled user for somebody to be created": _adds("other card", "DEACTIVATED"),
    "adds a second user for a leaver": _adds("leaver"),
    "deletes a leaver": _deletes("leaver"),
    "deletes somebody who is to be written": _deletes("down"),
    "deletes a user just created": _deletes("recycler"),
    "deletes whose card is to be replaced": _deletes("replaces"),
    # Policies and addresses.
    "gives a policy by hand": _holds_policies("down", "Gold hours", "By hand"),
    "takes a new member's policy": _holds_policies("recycler"),
    "gives a leaver a policy": _holds_policies("quitter", "Gold hours"),
    "deletes a policy that tiers give": _deletes_policy("Silver hours"),
    "deletes a policy given by hand": _deletes_policy("By hand"),
    "takes an address that is to be written": _sets("Kept", user_email="new@example.org"),
    "takes the address of somebody to be restored": _sets("Kept", user_email="back@example.org"),
    "renames somebody": _sets("renamed", first_name="Byconsole"),
}
"""The hands by what they do."""
