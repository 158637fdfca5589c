"""Permissions by their CiviCRM names, and the roles of the recorded site (§0 of the sheet).

The roles are a table: `full` is what the sheet asks an administrator to give, the others lack one
thing or have one more.
"""

from collections.abc import Mapping
from typing import Final

AUTHENTICATE: Final = "authenticate with api key"
ACCESS_CIVICRM: Final = "access CiviCRM"
VIEW_ALL: Final = "view all contacts"
CUSTOM_DATA: Final = "access all custom data"
MEMBERS: Final = "access CiviMember"
DELETED: Final = "access deleted contacts"
DEBUG: Final = "view debug output"
ADMINISTER: Final = "administer CiviCRM"
SYSTEM: Final = "administer CiviCRM system"
EDIT_ALL: Final = "edit all contacts"
API_KEYS: Final = "edit api keys"

FULL: Final = frozenset({AUTHENTICATE, ACCESS_CIVICRM, VIEW_ALL, CUSTOM_DATA, MEMBERS, DELETED})

ROLES: Final[Mapping[str, frozenset[str]]] = {
    "full": FULL,
    "debug": FULL | {DEBUG},
    "acl": FULL - {VIEW_ALL},
    "noview": FULL - {VIEW_ALL},
    "nocustom": FULL - {CUSTOM_DATA},
    "nomember": FULL - {MEMBERS},
    "nodeleted": FULL - {DELETED},
    "nocivi": FULL - {ACCESS_CIVICRM},
    "noajax": FULL,  # `access AJAX API` is not needed to reach the API (§2.1)
    "nouserperm": FULL - {AUTHENTICATE},
    "nowpuser": FULL - {AUTHENTICATE},  # its contact has no CMS user at all
    "syscheck": FULL | {SYSTEM},
    "admin": FULL | {DEBUG, ADMINISTER, SYSTEM, EDIT_ALL, API_KEYS},
}

ANONYMOUS: Final = frozenset({CUSTOM_DATA})
"""Rights of nobody: a fresh WordPress site gives the custom data, so CustomField.get has rows."""
