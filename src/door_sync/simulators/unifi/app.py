"""The controller as an ASGI application: token, route, scope, endpoint, envelope, in that order.

Around that stand the faults, and around them the journal, so that a request which a fault keeps
from the controller is on record too.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

from starlette.datastructures import QueryParams, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from door_sync.simulators.exchange import SeenRequest, replay, take
from door_sync.simulators.faults import FaultPlan
from door_sync.simulators.unifi.calls import Call
from door_sync.simulators.unifi.cards import CARDS
from door_sync.simulators.unifi.envelope import (
    NoRoute,
    Refusal,
    Unauthenticated,
    Unscoped,
    no_route,
    refusal,
    success,
)
from door_sync.simulators.unifi.groups import GROUPS
from door_sync.simulators.unifi.importing import IMPORT
from door_sync.simulators.unifi.journal import Journal
from door_sync.simulators.unifi.logs import LOGS
from door_sync.simulators.unifi.places import PLACES
from door_sync.simulators.unifi.records import ApiToken
from door_sync.simulators.unifi.routing import Endpoint, Router
from door_sync.simulators.unifi.switches import Switches
from door_sync.simulators.unifi.users import USERS
from door_sync.simulators.unifi.visitors import VISITORS
from door_sync.simulators.unifi.world import World

BASE_PATH = "/api/v1/developer"

ADOPTED = "CODE_OTHERS_UID_ADOPTED_NOT_SUPPORTED"

_SEEN = "door_sync.seen"
_MESSAGES = ("success", "succ")  # rule 6: both occur, and nobody may rely on either


class Settings(Protocol):
    """What the application looks at anew for each request."""

    @property
    def world(self) -> World:
        """The state."""

    @property
    def switches(self) -> Switches:
        """The disputed behaviours."""

    @property
    def latency(self) -> float:
        """Seconds that each request takes."""


@dataclass(frozen=True)
class _Seen:
    """What the journal passes on: a request, its number, the parts of a multipart body."""

    request: SeenRequest
    number: int
    parts: Mapping[str, bytes]


class Controller:
    """Answers requests; `settings` may change between two of them."""

    def __init__(self, settings: Settings, faults: FaultPlan, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal
        self._router = Router([USERS, GROUPS, CARDS, IMPORT, PLACES, VISITORS, LOGS])
        self._troubled = faults.around(self._respond)
        self._successes = count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note the request, let the faults have it, note the status of what is sent."""
        request = await take(scope, receive)
        if request is None:
            return
        parts = await _multipart(scope, receive, request)
        number = self._journal.arrived(
            request.method,
            request.path.removeprefix(BASE_PATH),
            request.query,
            _document(request, parts),
        )

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._journal.answered(number, message["status"])
            await send(message)

        known = {**scope, _SEEN: _Seen(request, number, parts)}
        await self._troubled(known, replay(request.body, receive), noting)

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._settings.latency:
            await asyncio.sleep(self._settings.latency)
        await self._answer(scope[_SEEN])(scope, receive, send)

    def _answer(self, seen: "_Seen") -> Response:
        request = seen.request
        world, switches = self._settings.world, self._settings.switches
        endpoint: Endpoint | None = None
        try:
            if switches.identity_enterprise:
                raise Refusal(ADOPTED)
            if switches.route_before_token:
                endpoint, ids = self._route(request, switches)
                token = _authenticate(request, world, switches)
            else:
                token = _authenticate(request, world, switches)
                endpoint, ids = self._route(request, switches)
            if not endpoint.allows(token.scopes, switches):
                raise Unscoped
            call = Call(
                world=world,
                switches=switches,
                ids=ids,
                query=QueryParams(request.query),
                raw_body=request.body,
                files=seen.parts,
                turn=seen.number,
            )
            with world.lock:
                if switches.ended_visit_frees_card:
                    world.end_visits()
                outcome = endpoint.handler(call)
        except NoRoute:
            return no_route(switches.no_route_status)
        except Refusal as refused:
            dialect = _dialect(endpoint, switches)
            return refusal(refused.code, status=_status(refused, switches), dialect=dialect)
        self._journal.carried_out(seen.number)
        message = _MESSAGES[next(self._successes) % 2]
        return success(outcome, dialect=_dialect(endpoint, switches), message=message)

    def _route(
        self, request: SeenRequest, switches: Switches
    ) -> tuple[Endpoint, Mapping[str, str]]:
        base, found, path = request.path.partition(BASE_PATH)
        if base or not found:
            raise NoRoute
        return self._router.find(request.method, path, switches)


def _authenticate(request: SeenRequest, world: World, switches: Switches) -> ApiToken:
    """Return the token of a request; refuse a missing, unknown, deleted or expired one (rule 2).

    Only the bearer header counts; a key of the console's control plane is none (C11).
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    token = world.use_token(secret) if scheme == "Bearer" else None
    if token is None:
        raise Unauthenticated(switches.bad_token_code)
    return token


def _status(refused: Refusal, switches: Switches) -> int:
    match refused:
        case Unauthenticated():
            return 401
        case Unscoped():
            return switches.scope_error_status
        case _:
            return switches.business_error_status


def _dialect(endpoint: Endpoint | None, switches: Switches) -> Any:
    if endpoint is not None and endpoint.name in switches.numeric_endpoints:
        return "numeric"
    return switches.dialect


async def _multipart(scope: Scope, receive: Receive, request: SeenRequest) -> dict[str, bytes]:
    """Return the parts of a multipart body by name; none if the body is something else."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return {}
    parts = {}
    try:
        async with Request(scope, replay(request.body, receive)).form() as form:
            for name, value in form.multi_items():
                parts[name] = (
                    await value.read() if isinstance(value, UploadFile) else value.encode()
                )
    except MultiPartException:
        return {}
    return parts


def _document(request: SeenRequest, parts: Mapping[str, bytes]) -> Any:
    if parts:
        return {name: content.decode(errors="replace") for name, content in parts.items()}
    try:
        return request.json()
    except ValueError:
        return None
