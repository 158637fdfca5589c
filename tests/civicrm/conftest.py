"""Recorded answers, answers made by hand, and a simulated site to read from."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from door_sync.civicrm import Auth, CivicrmSource, auth_headers
from door_sync.http import AuthorityTls, HttpClient, PlainHttp, Reply
from door_sync.simulators.civicrm import CivicrmSimulator, fresh_world

RECORDED = Path(__file__).parent / "recorded"
FIELD = "Door_Access.card_id"

Recorded = Callable[[str, str], dict[str, Any]]
MakeReply = Callable[..., Reply]
Envelope = Callable[..., dict[str, Any]]
MakeClient = Callable[..., HttpClient]
MakeSource = Callable[..., CivicrmSource]


class RealClock:
    """The machine's own time; a reader never waits by it."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        raise AssertionError("a reader waited")


@pytest.fixture(scope="session")
def recorded() -> Recorded:
    """Return what looks up an exchange recorded from a real CiviCRM, by file and name."""

    def look_up(file: str, name: str) -> dict[str, Any]:
        entries = json.loads((RECORDED / f"{file}.json").read_text("utf-8"))
        if isinstance(entries, dict):
            found: dict[str, Any] = entries[name]
            return found
        [found] = [entry for entry in entries if name in (entry.get("name"), entry.get("endpoint"))]
        return found

    return look_up


@pytest.fixture(scope="session")
def make_reply() -> MakeReply:
    """Return what makes a reply of a text, or of anything as JSON."""

    def make(
        body: object, *, status: int = 200, content_type: str | None = "application/json"
    ) -> Reply:
        text = body if isinstance(body, str) else json.dumps(body)
        headers = {} if content_type is None else {"content-type": content_type}
        return Reply(status, headers, text.encode())

    return make


@pytest.fixture(scope="session")
def envelope() -> Envelope:
    """Return what makes the answer to one call, as CiviCRM wraps it (CiviCRM sheet §3)."""

    def wrap(
        values: list[Any], entity: str = "Contact", action: str = "get", **more: object
    ) -> dict[str, Any]:
        return {
            "values": values,
            "entity": entity,
            "action": action,
            "debug": None,
            "version": 4,
            "count": len(values),
            "countFetched": len(values),
            **more,
        }

    return wrap


@pytest.fixture
def make_client() -> Iterator[MakeClient]:
    """Return what makes an HTTP client with one try per request; all are closed at the end."""
    with ExitStack() as open_clients:

        def make(
            url: str,
            *,
            key: str = "KEY",
            auth: Auth = "x-civi-auth",
            ca_file: Path | None = None,
            **limits: Any,
        ) -> HttpClient:
            client = HttpClient(
                url,
                headers=auth_headers(key, auth),
                tls=AuthorityTls(ca_file) if url.startswith("https:") else PlainHttp(),
                clock=RealClock(),
                attempts=1,
                trust_environment_proxies=False,
                **{"timeout_seconds": 20.0, **limits},
            )
            return open_clients.enter_context(client)

        yield make


@pytest.fixture
def site() -> CivicrmSimulator:
    """A site as installed: no people but its own; types Gold, Silver and Day Pass."""
    return CivicrmSimulator(fresh_world())


@pytest.fixture
def make_source(site: CivicrmSimulator, make_client: MakeClient) -> Iterator[MakeSource]:
    """Serve `site`, and return what makes a source that reads it with the key of a role.

    Settings of the source may be given by name.
    """
    with site.serve() as server:

        def make(role: str = "full", *, key: str | None = None, **settings: Any) -> CivicrmSource:
            auth: Auth = settings.get("auth", "x-civi-auth")
            secret = site.world.secret_of(role) if key is None else key
            usual = {
                "auth": auth,
                "path": "/civicrm/ajax/api4",
                "card_id_field": FIELD,
                "active_statuses": ["Current", "Grace", "New"],
                "page_size": 1000,
            }
            return CivicrmSource(
                make_client(server.url, key=secret, auth=auth), **{**usual, **settings}
            )

        yield make
