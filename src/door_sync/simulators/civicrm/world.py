"""The site that the simulator serves: its data, and hands for everybody who changes it.

The membership secretary's (people, cards, memberships), the administrator's (types, statuses,
fields, keys, groups, jobs). Safe to use from any thread while the simulator serves.
"""

from door_sync.simulators.civicrm.access_desk import AccessDesk
from door_sync.simulators.civicrm.membership_desk import MembershipDesk


class World(AccessDesk, MembershipDesk):
    """One CiviCRM site. `World(clock=…)` is empty; `seed.fresh_world` makes one as installed."""
