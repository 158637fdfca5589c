"""What a chapter is, and the people whom several chapters know."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from door_sync.cli.demo.show import Show
from door_sync.simulators.demo_club import FRIEND, FRONT_DOOR, MAKER, PEOPLE, WORKSHOP, Person

FRONT: Final = (FRONT_DOOR,)
BOTH: Final = (FRONT_DOOR, WORKSHOP)
NONE: Final = ()

ADA: Final = PEOPLE[0]
BILAL: Final = PEOPLE[1]
CHIDI: Final = PEOPLE[2]
RUTA: Final = next(one for one in PEOPLE if one.is_lapsed and one.card is not None)
OTTOLINE: Final = Person("Ottoline", "Oilstone", 1017, FRIEND)
ROSA: Final = Person("Rosa", "Router", 1900, MAKER)
YUSUF: Final = Person("Yusuf", "Yardstick", 1990, MAKER)
YUSUFS_CARD: Final = 1909
TIDIED_AWAY: Final = PEOPLE[9:23]


@dataclass(frozen=True)
class Chapter:
    """One thing that happens to a club."""

    title: str
    tell: Callable[[Show], None]
