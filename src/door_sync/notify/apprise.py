"""Any service that Apprise knows. Its addresses hold keys, so it is not let speak of them (P12)."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from door_sync.notify.notifier import NotifyError
from door_sync.settings import Secret

if TYPE_CHECKING:
    import apprise

SUBJECT_PREFIX: Final = "[door-sync]"

log: structlog.stdlib.BoundLogger = structlog.get_logger("door_sync.notify.apprise")


@dataclass(frozen=True, slots=True)
class AppriseMessages:
    """Fills the port Notifier: one message to each address."""

    urls: tuple[Secret, ...]

    def send(self, subject: str, text: str) -> None:
        """Send to every address; raise NotifyError if none of them took it.

        Apprise says of a failure only that there was one.
        """
        services = self._services()
        title = f"{SUBJECT_PREFIX} {subject}"
        taken = [self._is_taken(service, title, text) for service in services]
        if not any(taken):
            raise NotifyError(
                "none of the services in APPRISE_URLS took the message",
                code="not taken",
                remedy="Try each address with Apprise's own command, which says more: "
                "apprise -vv -b test ADDRESS",
            )
        if not all(taken):
            log.warning("some services did not take the message", failed=taken.count(False))

    def read_addresses(self) -> int:
        """Return how many addresses there are; raise NotifyError for one that is not understood.

        No service is asked: Apprise has no way to ask one without sending.
        """
        return len(self._services())

    def _services(self) -> "list[apprise.Apprise]":
        # It takes a while to load, on a small machine most of all, and few cycles need it.
        import apprise

        # Also what its plugins use: they repeat addresses with the keys in them.
        for name in ("apprise", "urllib3", "requests"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        # Nothing is kept on disk: what a plugin would keep there holds keys.
        asset = apprise.AppriseAsset(storage_mode="memory")
        services = []
        for number, url in enumerate(self.urls, start=1):
            service = apprise.Apprise(asset=asset)
            if not service.add(url.reveal()):
                raise NotifyError(
                    f"Apprise does not understand address {number} of APPRISE_URLS",
                    code="bad address",
                    remedy="Compare it with the handbook of Apprise for that service.",
                )
            for plugin in service:
                plugin.overflow_mode = apprise.OverflowMode.SPLIT
            services.append(service)
        return services

    def _is_taken(self, service: "apprise.Apprise", title: str, text: str) -> bool:
        import apprise

        # It lets no exception of a plugin out: whatever happens is a false value.
        return bool(service.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT))
