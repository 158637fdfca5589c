"""CiviCRM as the source of members: the port MemberSource, over APIv4.

`CivicrmSource` reads; `credentials` makes the headers that its HTTP client must carry.
"""

from door_sync.civicrm.client import CivicrmSource
from door_sync.civicrm.wire import Auth, credentials

__all__ = ["Auth", "CivicrmSource", "credentials"]
