"""How this site differs from another one, and what is wrong with it at the moment.

Every difference of the versions sheet and every setting of §2.1 is a switch. They may be turned
while the simulator serves; a request sees the switches as they stand when it is handled.
"""

from dataclasses import dataclass, field
from typing import Literal

Version = Literal["6.17", "5.77"]
Cms = Literal["wordpress", "standalone", "drupal"]
Front = Literal["php", "fpm", "mod_php"]
Outage = Literal[
    "civicrm-database",
    "database",
    "memory",
    "maintenance",
    "wordpress-maintenance",
    "plugin-off",
]
CredentialType = Literal["api_key", "jwt", "pass"]
Guard = Literal["site_key", "perm"]

_DEFAULT_CREDENTIALS: frozenset[CredentialType] = frozenset({"jwt", "api_key"})


@dataclass
class Latency:
    """Seconds that an answer takes, on top of the real time.

    `per_named_row` counts for each row once per ``:name`` column, the trap of 5.77 (§9 of the
    versions sheet).
    """

    per_request: float = 0.0
    per_row: float = 0.0
    per_named_row: float = 0.0

    def seconds(self, rows: int, named_columns: int) -> float:
        """Return how long an answer of so many rows takes."""
        return self.per_request + rows * (self.per_row + named_columns * self.per_named_row)


@dataclass
class Switches:
    """One site's settings; the defaults are those of the recorded site (6.17.2 on WordPress)."""

    version: Version = "6.17"
    cms: Cms = "wordpress"
    front: Front = "php"
    """PHP's own server, a server with PHP-FPM, or Apache with mod_php (§2 of that sheet)."""

    outage: Outage | None = None
    memory_cells: int | None = None
    """Values (rows times columns) that an answer may hold before PHP runs out of memory."""

    pretty_urls: bool = True
    """Off: plain permalinks without a base page, so only the query form of the URL works."""

    gzip: bool = False
    """Compress answers for clients that ask for it, as Apache does."""

    authx: bool = True
    header_credentials: frozenset[CredentialType] = _DEFAULT_CREDENTIALS
    xheader_credentials: frozenset[CredentialType] = _DEFAULT_CREDENTIALS
    param_credentials: frozenset[CredentialType] = _DEFAULT_CREDENTIALS
    guards: tuple[Guard, ...] = ("site_key", "perm")
    site_key: str = field(default="SITEKEY", repr=False)
    drops_authorization: bool = False
    """The web server does not hand `Authorization` on to PHP (§2.3)."""

    debug_enabled: bool = False
    """CiviCRM's debug setting: `X-Requested-With` is no longer asked for."""

    civimember: bool = True
    """The CiviMember component; without it its entities do not exist."""

    unordered: bool = True
    """Rows come in the database's order unless `orderBy` says otherwise (§4.4)."""

    stale_acl: bool = False
    """The view of a contact ACL is cached until a contact is created or the cache is flushed."""

    narrowed_to: frozenset[int] | None = field(default=None, repr=False)
    """If set, every key but an administrator's silently sees no other contacts than these."""

    latency: Latency = field(default_factory=Latency)

    @property
    def is_old(self) -> bool:
        """Whether this is a 5.x site."""
        return self.version == "5.77"
