"""A made-up club, as seeds for both simulators that fit each other.

Everybody in it is invented, cards included. `demo` tells its story with these people, `simulate`
serves them unless it is given a seed. The controller has two doors, two policies, and a few users
whom somebody once added by hand: no sync has run yet.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

CARD_FIELD: Final = "Door_Access.card_id"
CIVICRM_KEY: Final = "key-full-0123456789abcdef"
UNIFI_TOKEN: Final = "simulated-access-token"
FACILITY: Final = 42
FIRST_CONTACT: Final = 101

FRONT_DOOR: Final = "Front door"
WORKSHOP: Final = "Workshop"
ALL_DOORS: Final = "All doors"
FRONT_ONLY: Final = "Front door only"

MAKER: Final = "Maker"
FRIEND: Final = "Friend"
SUPPORTER: Final = "Supporter"
DAY_PASS: Final = "Day pass"


@dataclass(frozen=True)
class TierRule:
    """What a membership type is worth, in the words of `[tier_mapping.rules]`."""

    resolution: str
    rank: int
    policy: str | None = None


RULES: Final[Mapping[str, TierRule]] = {
    MAKER: TierRule("tier", 100, ALL_DOORS),
    FRIEND: TierRule("tier", 50, FRONT_ONLY),
    DAY_PASS: TierRule("day-pass", 20),
    SUPPORTER: TierRule("none", 10),
}


@dataclass(frozen=True)
class Person:
    """Somebody who does not exist, in CiviCRM or at the controller's console."""

    first: str
    last: str
    card: int | None = None
    tier: str = ""
    is_lapsed: bool = False

    @property
    def address(self) -> str:
        """An e-mail address of a domain that nobody can own."""
        plain = unicodedata.normalize("NFKD", f"{self.first}.{self.last}")
        return plain.encode("ascii", "ignore").decode().lower().replace(" ", "") + "@example.org"


PEOPLE: Final = (
    Person("Ada", "Abacus", 1017, MAKER),
    Person("Bilal", "Bandsaw", 1002, MAKER),
    Person("Chidi", "Chisel", 1003, FRIEND),
    Person("Dagny", "Dovetail", 1004, MAKER),
    Person("Eun-ji", "Easel", 1005, FRIEND),
    Person("Farid", "Fretwork", 1006, MAKER),
    Person("Gulnara", "Gimlet", 1007, FRIEND),
    Person("Halima", "Hacksaw", 1008, FRIEND),
    Person("Itzel", "Inkpad", 1009, MAKER),
    Person("Jiro", "Jigsaw", 1010, MAKER),
    Person("Kofi", "Kiln", 1011, FRIEND),
    Person("Leilani", "Lathe", 1012, MAKER),
    Person("Mei", "Mallet", 1013, FRIEND),
    Person("Nneka", "Needle", 1014, MAKER),
    Person("Óscar", "Oilcan", 1015, FRIEND),
    Person("Priya", "Plywood", 1016, MAKER),
    Person("Quim", "Quill", 1018, FRIEND),
    Person("Ritva", "Rasp", 1019, MAKER),
    Person("Sione", "Solder", 1020, FRIEND),
    Person("Thủy", "Thimble", 1021, MAKER),
    Person("Umut", "Upholstery", 1022, FRIEND),
    Person("Valentina", "Vise", 1023, MAKER),
    Person("Wanjiru", "Welder", 1024, MAKER),
    Person("Xóchitl", "Xylograph", 1025, FRIEND),
    Person("Yara", "Yarn", 1026, FRIEND),
    Person("Zoltán", "Zipper", 1027, MAKER),
    Person("Aroha", "Anvil", 1028, FRIEND),
    Person("Bram", "Bobbin", 1029, FRIEND),
    Person("Ceren", "Caliper", 1030, MAKER),
    Person("Dmitri", "Drillbit", 1031, FRIEND),
    Person("Esi", "Emery", 1032, MAKER),
    Person("Fionn", "Filament", 1033, FRIEND),
    Person("Hoku", "Hammer", 1034, MAKER),
    Person("Jovana", "Jointer", 1035, FRIEND),
    Person("Kamal", "Knurl", 1036, MAKER),
    Person("Lindiwe", "Loom", 1037, FRIEND),
    Person("Marisol", "Mitre", 1038, SUPPORTER),
    Person("Noor", "Nutdriver", None, SUPPORTER),
    Person("Pádraig", "Pliers", 1039, DAY_PASS),
    Person("Rūta", "Rivet", 1040, MAKER, is_lapsed=True),
    Person("Sanjay", "Sander", 1041, FRIEND, is_lapsed=True),
    Person("Tuya", "Tongs", None, FRIEND, is_lapsed=True),
)

ADMINISTRATOR: Final = Person("Olga", "Overseer", 1990)
"""Runs the controller and is no member; active, with a card for every door."""

LONG_GONE: Final = Person("Tim", "Timeworn", 1900)
"""Was disabled years ago, and nobody took the card off him."""

CLEANER: Final = Person("Cleo", "Cleanwell")
INVITED: Final = Person("Ivo", "Invitee")


def civicrm_seed(today: date) -> dict[str, Any]:
    """Return the club's CiviCRM as a seed; memberships run around `today`."""
    return {
        "card_field": CARD_FIELD,
        "custom_groups": [
            {"name": "Door_Access", "fields": [{"name": "card_id", "label": "Card number"}]}
        ],
        "membership_types": [
            {"name": name, "title": name, "member_of_contact_id": 1} for name in RULES
        ],
        "contacts": [
            {
                "id": number,
                "first_name": person.first,
                "last_name": person.last,
                "email": person.address,
                "card": person.card,
                "memberships": [_membership(person, today)],
            }
            for number, person in enumerate(PEOPLE, start=FIRST_CONTACT)
        ],
        "keys": [{"key": CIVICRM_KEY, "role": "full"}],
    }


def _membership(person: Person, today: date) -> dict[str, Any]:
    ends = today + timedelta(days=-90 if person.is_lapsed else 300)
    begins = ends - timedelta(days=364)
    return {
        "type": person.tier,
        "status": "Expired" if person.is_lapsed else "Current",
        "join_date": (begins - timedelta(days=365)).isoformat(),
        "start_date": begins.isoformat(),
        "end_date": ends.isoformat(),
    }


def unifi_seed() -> dict[str, Any]:
    """Return the club's controller as a seed."""
    return {
        "doors": [{"name": FRONT_DOOR}, {"name": WORKSHOP}],
        "policies": [
            {"name": ALL_DOORS, "doors": [FRONT_DOOR, WORKSHOP]},
            {"name": FRONT_ONLY, "doors": [FRONT_DOOR]},
        ],
        "users": [
            _user(ADMINISTRATOR, is_admin=True, policies=[ALL_DOORS]),
            _user(LONG_GONE, status="DEACTIVATED", policies=[ALL_DOORS]),
            # A fob of her own, read in by hand: its number is of another site.
            _user(CLEANER, policies=[FRONT_ONLY], cards=[{"nfc_id": "7B1E88"}]),
            _user(INVITED, status="PENDING", is_admin=True),
        ],
        "tokens": [{"secret": UNIFI_TOKEN, "name": "door-sync"}],
    }


def _user(person: Person, **more: object) -> dict[str, Any]:
    cards = []
    if person.card is not None:
        alias = f"sync-{person.card:05d}"
        cards.append({"facility": FACILITY, "number": person.card, "alias": alias})
    named = {"first_name": person.first, "last_name": person.last, "cards": cards}
    return {**named, "email": person.address if more.get("is_admin") else "", **more}
