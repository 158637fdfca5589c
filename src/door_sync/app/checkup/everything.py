"""Every check there is, the cheap ones first; what one finds never hides another."""

from collections.abc import Callable, Iterator

from door_sync.app.checkup.alerts import channel_check
from door_sync.app.checkup.check import Check, Family
from door_sync.app.checkup.civicrm import civicrm_checks
from door_sync.app.checkup.configuration import configuration_checks
from door_sync.app.checkup.controller import controller_checks
from door_sync.app.checkup.files import file_checks, flag_check
from door_sync.ports import Clock
from door_sync.settings.known import KnownSettings


def checks(
    known: KnownSettings, clock: Clock, told: Callable[[Family], None] = lambda _: None
) -> Iterator[Check]:
    """Yield every check in the order of `Name`, each when it is made; `told` hears what comes next.

    Nothing is written anywhere. `known` comes from `know_settings`, or from `known_of` for settings
    without a fault.
    """
    told(Family.MACHINE)
    yield from configuration_checks(known)
    yield from file_checks(known, clock)
    told(Family.CIVICRM)
    yield from civicrm_checks(known, clock)
    told(Family.CONTROLLER)
    yield from controller_checks(known, clock)
    told(Family.ALERTS)
    yield flag_check(known)
    yield channel_check(known, clock)
