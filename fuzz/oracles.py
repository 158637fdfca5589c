"""What must hold of every message and every result, whatever came from outside."""

import math
import re
from typing import Final

from door_sync.civicrm.rows import LARGEST_ID
from door_sync.core.cards import BadCard, CardNumber
from door_sync.core.controller import HeldByUser, Snapshot
from door_sync.core.people import Member
from door_sync.ports import DoorSyncError, SourceReading

LONGEST_MESSAGE: Final = 4_000
"""Longer ones are no message: a number of thousands of digits, or a piece of the reply."""

_DIGITS: Final = re.compile(r"[0-9]{25}")


class Broken(AssertionError):
    """An invariant does not hold."""


def require(holds: object, what: str) -> None:
    """Raise Broken unless it holds."""
    if not holds:
        raise Broken(what)


def check_text(
    text: str, private: tuple[str, ...], what: str, *, is_own_file: bool = False
) -> None:
    """Raise Broken for a text that cannot be shown, is no message, or tells something private.

    `is_own_file`: it is about a file of the operator's, whose own words it may repeat, digits too.
    """
    require(len(text) <= LONGEST_MESSAGE, f"{what} has {len(text)} characters")
    digits = not is_own_file and _DIGITS.search(text)
    require(not digits, f"{what} holds a number that nobody can read")
    bad = [letter for letter in text if not letter.isprintable() and letter != "\n"]
    require(not bad, f"{what} holds characters that change a terminal: {bad[:5]!r}")
    for secret in private:
        require(secret not in text, f"{what} tells something private")


def check_error(
    error: DoorSyncError, private: tuple[str, ...], *, is_own_file: bool = False
) -> None:
    """Raise Broken for an error that would not help, or tells too much (P12); see `check_text`."""
    check_text(error.message, private, "the message", is_own_file=is_own_file)
    check_text(error.remedy, private, "the remedy", is_own_file=is_own_file)
    check_text(repr(error)[:LONGEST_MESSAGE], private, "the repr", is_own_file=is_own_file)
    require(error.message, "the message is empty")
    seen: list[BaseException] = []
    behind: BaseException | None = error
    while behind is not None:
        require(isinstance(behind, DoorSyncError), f"a {type(behind).__name__} hangs behind it")
        require(behind not in seen, "it hangs behind itself")
        seen.append(behind)
        behind = behind.__cause__ or (None if behind.__suppress_context__ else behind.__context__)


def check_members(reading: SourceReading) -> None:
    """Raise Broken for a reading of members that breaks what its types promise."""
    for number, member in reading.members.items():
        require(number == member.contact_id, "a member is filed under another id")
        check_member(member)
        require(member.card is not None, "a member without a card is in the reading")
        require(not member.is_deceased and not member.is_deleted, "the dead are in the reading")


def check_member(member: Member) -> None:
    """Raise Broken for a member whose fields are of other types than they promise."""
    require(type(member.contact_id) is int, "an id is no number")
    require(0 < member.contact_id <= LARGEST_ID, "an id is out of range")
    require(member.card is None or isinstance(member.card, CardNumber | BadCard), "a card is none")
    for text in (member.first_name, member.last_name, member.display_name, member.email):
        require(type(text) is str, "a name is no text")
    for one in member.memberships:
        require(type(one.id) is int and type(one.status) is str, "a membership is none")
        require(type(one.is_override) is bool, "a flag is no flag")


def check_snapshot(snapshot: Snapshot) -> None:
    """Raise Broken for a snapshot that breaks what its types promise (R0)."""
    users = {user.id for user in snapshot.users}
    require(users and len(users) == len(snapshot.users), "users are missing or repeated")
    tokens = {card.token for card in snapshot.cards}
    require(len(tokens) == len(snapshot.cards), "a card is repeated")
    for user in snapshot.users:
        number = user.contact_id
        require(number is None or 0 < number < 10**18, "a contact id is out of range")
        require(len(set(user.tokens)) == len(user.tokens), "a token is repeated on a user")
    for card in snapshot.cards:
        require(card.number is None or isinstance(card.number, CardNumber), "a number is none")
        if isinstance(card.holder, HeldByUser):
            require(card.holder.user_id in users, "a holder is nobody")


def check_number(value: float) -> None:
    """Raise Broken for a number that is none."""
    require(math.isfinite(value), "a number is infinite or none")
