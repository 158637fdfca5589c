"""Why a person is needed, and which alerts stand because of it (P14).

A cause has an identity, one word or two, whatever its details do: however contacts and digests
change from cycle to cycle, it is one cause that lasts, begins once and is resolved once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum


class Identity(Enum):
    """What makes two causes the same one, in the order in which they are told."""

    JOURNAL = "journal unusable"
    FAULT = "fault of the program"
    SOURCE = "source distrusted"
    TARGET = "target distrusted"
    STOPPED = "cycle stopped"
    HELD = "held"
    PEOPLE_FAILED = "people failed"
    NOT_CONVERGING = "not converging"
    BLOCKED = "blocked cards"
    STALE = "stale memberships"
    FILES = "files beside the journal"
    CHANNEL = "alert channel broken"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a person is needed, in three sentences, with contact ids alone (P12).

    `happened`: what was found. `doors`: what it means for who may open them now. `settles`: the
    setting, the command or the act that settles it. `may_pass`: it often passes by itself, as when
    a side does not answer, so that one cycle of it is nothing to call a person for.
    """

    identity: Identity
    happened: str
    doors: str
    settles: str
    may_pass: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A cause that lasts from cycle to cycle, and what was told of it.

    `failures`: in how many cycles it was found since it began. `announced`: when its beginning was
    told, `reminded`: when anything of it was told last; None if nothing was. `is_over`: it has
    ended, and its end is still to be told.
    """

    cause: Cause
    began: datetime
    failures: int = 1
    announced: datetime | None = None
    reminded: datetime | None = None
    is_over: bool = False

    @property
    def identity(self) -> Identity:
        """Which cause it is."""
        return self.cause.identity


def merged(causes: Iterable[Cause]) -> dict[Identity, Cause]:
    """Return one cause for each identity, in order; each sentence of several is said once."""
    found: dict[Identity, list[Cause]] = {}
    for cause in causes:
        found.setdefault(cause.identity, []).append(cause)
    return {one: _one(found[one]) for one in Identity if one in found}


def _one(causes: list[Cause]) -> Cause:
    def said(texts: Iterable[str]) -> str:
        return " ".join(dict.fromkeys(filter(None, texts)))

    return replace(
        causes[0],
        happened=said(cause.happened for cause in causes),
        doors=said(cause.doors for cause in causes),
        settles=said(cause.settles for cause in causes),
        may_pass=all(cause.may_pass for cause in causes),
    )
