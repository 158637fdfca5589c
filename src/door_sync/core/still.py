"""Who is as they should be in every respect (R2).

That is nearly everybody in nearly every cycle, so it is found out first and in one go. The planner
would come to the same end by looking for each kind of change; see `tests/core/test_still.py`.
"""

from door_sync.core.addresses import has_address
from door_sync.core.controller import UserStatus
from door_sync.core.names import name_to_write
from door_sync.core.people import ContactId
from door_sync.core.situation import NOTHING, Site, Situation, managed_policies, situation
from door_sync.core.tiers import Grant, Verdict


def situations(site: Site) -> dict[ContactId, Situation]:
    """Given the site, return each contact's situation, by contact id in order (R2)."""
    return {
        contact_id: NOTHING if is_still(verdict, site) else situation(verdict, site)
        for contact_id, verdict in sorted(site.verdicts.items())
    }


def is_still(verdict: Verdict, site: Site) -> bool:
    """Say whether a plan has nothing to write and nothing to tell about this contact's user.

    That depends on nobody else's change: an active user with the tier's policy, its own card and
    no other one, its name and its address. Where there is any doubt, the answer is False.
    """
    if not isinstance(verdict.entitlement, Grant) or verdict.member is None:
        return False
    users = site.snapshot.users_of.get(verdict.contact_id, ())
    if len(users) != 1 or verdict.contact_id in site.refused:
        return False
    (user,) = users
    held = site.snapshot.cards_held_by.get(user.id, ())
    return (
        user.status is UserStatus.ACTIVE
        and len(held) == len(user.tokens) == 1
        and held[0].number is not None
        and held[0].number == verdict.card
        and managed_policies(user, site.managed) == {verdict.entitlement.policy}
        and name_to_write(verdict.member, user) is None
        and (not site.email_sync or has_address(user, verdict.member.email))
    )
