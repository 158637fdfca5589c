"""A CiviCRM site for tests and for the demo: what a member sync meets over HTTP (APIv4).

Built to rules 1–16 of the reference sheet on APIv4 (its §12), with the differences of the sheet
on versions as switches. Not simulated: writing through the API (but for `mergeDuplicates`), API
v3, `having`, joins through a bridge entity, SQL functions other than the usual aggregates.
"""

from door_sync.simulators.civicrm.dump import dump_world
from door_sync.simulators.civicrm.seed import fresh_world, load_file, load_world
from door_sync.simulators.civicrm.simulator import API_BASE, CivicrmSimulator
from door_sync.simulators.civicrm.switches import Latency, Switches
from door_sync.simulators.civicrm.tables import RefusedChange
from door_sync.simulators.civicrm.world import World

__all__ = [
    "API_BASE",
    "CivicrmSimulator",
    "Latency",
    "RefusedChange",
    "Switches",
    "World",
    "dump_world",
    "fresh_world",
    "load_file",
    "load_world",
]
