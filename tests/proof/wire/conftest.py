"""The whole program as its commands have it, and servers that send whatever a test says."""

from tests.cli.conftest import (  # noqa: F401 - fixtures of a site
    _log_as_before,
    _no_backoff,
    club,
    running_club,
    site,
)
from tests.http.conftest import (  # noqa: F401 - fixtures of servers
    authority,
    identities,
    serve,
)
