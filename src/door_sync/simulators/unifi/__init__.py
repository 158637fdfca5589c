"""A UniFi Access controller to test against: its API, its state, and the judge at its doors.

It enforces rules 1-43 and 53-56 of §19 of the UniFi sheet; what the sources dispute is a switch.
It answers the endpoints that door-sync calls or might be tempted to call: users with their
policies and cards (§6.1-§6.8, §6.11), the card list and the import (§10.3, §10.4), policies
(§9.1), reading visitors, doors and door groups (§8.2, §11), the system log of its doors (§13), the
avatar (§6.12, for its dialect) and identity invitations (§14, for the mail they send).

Every other endpoint of the reference answers no-route, as if the firmware had none: PINs, user
groups, writing visitors and their credentials, holiday groups, schedules, door groups to write,
unlocking and lock rules, touch passes, plates, QR codes, enrolment, devices, the log's export,
webhooks, notifications, certificates. Schedules, holidays, user groups and visitors exist in the
world all the same, because the doors obey them; tests and demonstrations make them by hand.
"""

from door_sync.simulators.unifi.clock import ManualClock
from door_sync.simulators.unifi.journal import Entry, Journal
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN, UnifiSimulator
from door_sync.simulators.unifi.switches import Switches
from door_sync.simulators.unifi.world import World, wiegand_26

__all__ = [
    "DEFAULT_TOKEN",
    "Entry",
    "Journal",
    "ManualClock",
    "Switches",
    "UnifiSimulator",
    "World",
    "wiegand_26",
]
