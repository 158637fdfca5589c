"""CiviCRM as the source of members: the port MemberSource, over APIv4.

`CivicrmSource` reads; `auth_headers` makes the headers that its HTTP client must carry.
"""

from door_sync.civicrm.client import CivicrmSource, auth_headers
from door_sync.civicrm.wire import Auth

__all__ = ["Auth", "CivicrmSource", "auth_headers"]
