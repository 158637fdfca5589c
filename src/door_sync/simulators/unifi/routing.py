"""Which endpoints there are: method, path, scope, and the first Access version that has them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from door_sync.simulators.unifi.calls import Call
from door_sync.simulators.unifi.envelope import NoRoute, Success
from door_sync.simulators.unifi.switches import Switches

Handler = Callable[[Call], Success]

FIRST_VERSION = "1.9.1"  # §17: every call that names no version of its own


@dataclass(frozen=True)
class Endpoint:
    """One method and path. ``scope`` is a key of §1.4; ``when`` a switch that it hangs on."""

    method: str
    path: str
    scope: str
    since: str
    when: Callable[[Switches], bool]
    handler: Handler

    @property
    def name(self) -> str:
        """As :attr:`Switches.numeric_endpoints` writes it."""
        return f"{self.method} {self.path}"

    def exists(self, switches: Switches) -> bool:
        """Whether a controller with these settings has it (rule 5)."""
        since = tuple(int(part) for part in self.since.split("."))
        return since <= switches.version() and self.when(switches)

    def match(self, segments: list[str]) -> Mapping[str, str] | None:
        """Return what the parameters of the path stand for; None if it is another path."""
        pattern = self.path.split("/")
        if len(pattern) != len(segments):
            return None
        ids = {}
        for want, have in zip(pattern, segments, strict=True):
            if want.startswith(":") and have:
                ids[want[1:]] = have
            elif want != have:
                return None
        return ids

    def allows(self, scopes: frozenset[str], switches: Switches) -> bool:
        """Whether a token with `scopes` may call it (rule 4)."""
        right, _, family = self.scope.partition(":")
        return self.scope in scopes or (
            right == "view" and switches.edit_includes_view and f"edit:{family}" in scopes
        )


class Family:
    """Endpoints that are defined together."""

    def __init__(self) -> None:
        self.endpoints: list[Endpoint] = []

    def on(
        self,
        method: str,
        path: str,
        *,
        scope: str,
        since: str = FIRST_VERSION,
        when: Callable[[Switches], bool] = lambda _: True,
    ) -> Callable[[Handler], Handler]:
        """Let the decorated function answer `method` on `path`."""

        def register(handler: Handler) -> Handler:
            self.endpoints.append(Endpoint(method, path, scope, since, when, handler))
            return handler

        return register


class Router:
    """Finds the endpoint of a request."""

    def __init__(self, families: Iterable[Family]) -> None:
        endpoints = [endpoint for family in families for endpoint in family.endpoints]
        # A path written out goes before one with a parameter in its place.
        self._endpoints = sorted(endpoints, key=lambda endpoint: endpoint.path.count(":"))

    def find(
        self, method: str, path: str, switches: Switches
    ) -> tuple[Endpoint, Mapping[str, str]]:
        """Return the endpoint and what its path's parameters stand for.

        Raise NoRoute if this controller has none: an unknown path, a wrong method, or an endpoint
        that is newer than its firmware. A newer one still hides what lies behind it: an old
        controller does not read ``/users/search`` as a user's id.
        """
        segments = path.split("/")
        for endpoint in self._endpoints:
            if endpoint.method == method:
                ids = endpoint.match(segments)
                if ids is not None:
                    if endpoint.exists(switches):
                        return endpoint, ids
                    break
        raise NoRoute
