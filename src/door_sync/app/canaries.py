"""Canaries: records that every read must show, chosen by the site (§10).

A list that lost some of its rows in a consistent way passes every other test of R0. A record that
a person declared to be always there is evidence from outside of the systems themselves.
"""

from dataclasses import dataclass

from door_sync.app.sentences import each_once
from door_sync.core.controller import Snapshot, UserId
from door_sync.core.people import ContactId
from door_sync.ports import ControllerDistrusted, SourceDistrusted, SourceReading


@dataclass(frozen=True, slots=True)
class Canaries:
    """`contact` must be among the contacts with a card, `user` among the users; None: no matter."""

    contact: ContactId | None = None
    user: UserId | None = None


def believe(canaries: Canaries, reading: SourceReading, snapshot: Snapshot) -> None:
    """Return if each canary is where it belongs; raise SourceDistrusted or ControllerDistrusted.

    If both are missing, the one error tells of both: a person should not find them one by one.
    """
    missing: list[SourceDistrusted | ControllerDistrusted] = []
    if canaries.contact is not None and canaries.contact not in reading.members:
        missing.append(_contact_is_missing(canaries.contact))
    if canaries.user is not None and canaries.user not in snapshot.user:
        missing.append(_user_is_missing(canaries.user))
    if missing:
        raise type(missing[0])(
            ". Besides, ".join(one.message for one in missing),
            remedy=each_once(one.remedy for one in missing),
        )


def _contact_is_missing(contact: ContactId) -> SourceDistrusted:
    return SourceDistrusted(
        f"the list of contacts with a card lacks contact {contact}, which civicrm.canary_contact "
        "says is always in it, so others may be missing too",
        remedy=f"If contact {contact} was deleted or merged in CiviCRM, or its card field emptied, "
        "set civicrm.canary_contact to another one. If it is there as ever, look at the rights of "
        "the key: it must see all contacts and the card field.",
    )


def _user_is_missing(user: UserId) -> ControllerDistrusted:
    return ControllerDistrusted(
        f"the controller's list of users lacks user {user}, who unifi.canary_user says is always "
        "in it, so others may be missing too",
        remedy=f"If user {user} was deleted in the controller, set unifi.canary_user to another "
        "one. If they are there as ever, look at the rights of the token; if many others are gone "
        "too, the console was reset or restored from an old backup: mend that first.",
    )
