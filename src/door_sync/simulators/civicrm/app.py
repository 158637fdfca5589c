"""The site as an ASGI application: the way of a request through web server, CMS and CiviCRM."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from door_sync.simulators.civicrm import pages
from door_sync.simulators.civicrm.api import Api, OutOfMemory
from door_sync.simulators.civicrm.auth import Admitted, Refused, admit
from door_sync.simulators.civicrm.errors import (
    ApiError,
    ErrorIds,
    Problem,
    UnknownApi,
    error_object,
    is_page,
    status_of_html_error,
    status_of_json_error,
)
from door_sync.simulators.civicrm.params import known
from door_sync.simulators.civicrm.routes import Elsewhere, ManyCalls, OneCall, route_of
from door_sync.simulators.civicrm.scope import Session
from door_sync.simulators.civicrm.switches import Switches
from door_sync.simulators.civicrm.web import (
    WebRequest,
    WebResponse,
    json_response,
    page,
    parse,
    parsed,
)
from door_sync.simulators.civicrm.world import World
from door_sync.simulators.exchange import take

Sleep = Callable[[float], Awaitable[None]]

_NO_BROWSER: Final = (
    "SECURITY ALERT: Ajax requests can only be issued by javascript clients, eg. CRM.api4()."
)
_NO_POST: Final = "SECURITY: All requests that modify the database must be http POST, not GET."
_LONGEST_URL = 8190  # Apache's and nginx's usual limit; PHP's own server takes more


@dataclass(frozen=True)
class _Served:
    """An answer with what it cost to make."""

    response: WebResponse
    rows: int = 0
    named_columns: int = 0


class Site:
    """An ASGI application: answers for one world under the switches of the moment.

    `sleep` waits for the seconds of the latency switch; `seed` fixes the error ids.
    """

    def __init__(
        self, world: World, switches: Callable[[], Switches], *, sleep: Sleep, seed: int
    ) -> None:
        self._world = world
        self._switches = switches
        self._sleep = sleep
        self._error_ids = ErrorIds(seed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        seen = await take(scope, receive)
        if seen is None:
            return
        request, switches = parse(seen), self._switches()
        served = await run_in_threadpool(self._serve, request, switches)
        seconds = switches.latency.seconds(served.rows, served.named_columns)
        if seconds > 0:
            await self._sleep(seconds)
        response = served.response
        headers = response.raw_headers(request, switches)
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.sent_body(request, switches)})

    def _serve(self, request: WebRequest, switches: Switches) -> _Served:
        down = self._outage(request, switches)
        if down is not None:
            return _Served(down)
        route = route_of(request, switches)
        if isinstance(route, Elsewhere):
            return _Served(_elsewhere(route, request, switches))
        try:
            admitted = admit(request, self._world, switches)
        except Refused as refused:
            return _Served(refused.response)
        stopped = _stopped_at_the_door(route, admitted, request, switches)
        if stopped is not None:
            return _Served(stopped)
        if isinstance(route, ManyCalls):
            return self._many(request, admitted.session, switches)
        return self._one(route, request, admitted.session, switches)

    def _outage(self, request: WebRequest, switches: Switches) -> WebResponse | None:
        if switches.front != "php" and request.url_length > _LONGEST_URL:
            text = pages.too_long_page()
            return WebResponse(414, text, "text/html; charset=iso-8859-1", has_session=False)
        match switches.outage:
            case "wordpress-maintenance":
                text = pages.short_page("Maintenance", pages.WORDPRESS_MAINTENANCE)
                return WebResponse(503, text, headers={"Retry-After": "600"}, has_session=False)
            case "database" if switches.cms != "standalone":
                text = pages.short_page("Database Error", pages.DATABASE_DOWN)
                return WebResponse(500, text, has_session=False)
            case "civicrm-database" | "database":
                body = pages.critical_error(self._error_ids(), self._error_ids())
                nameless = switches.front == "php" and switches.cms != "standalone"
                return page(
                    200, body, content_type=None if nameless else "text/html; charset=UTF-8"
                )
            case "memory":
                return page(500, pages.short_page("WordPress › Error", pages.OUT_OF_MEMORY))
            case "plugin-off":
                return page(200, pages.base_page())
            case _:
                return None

    def _one(
        self, route: OneCall, request: WebRequest, session: Session, switches: Switches
    ) -> _Served:
        try:
            params = _params(route, request, switches)
            index = request.value("index")
            api = Api(self._world, switches)
            answer = api.run(session, route.entity, route.action, params, index)
        except Problem as problem:
            return _Served(self._failure(problem, route, session, switches))
        response = json_response(answer.envelope, switches)
        return _Served(response, answer.rows, answer.named_columns)

    def _failure(
        self, problem: Problem, route: OneCall, session: Session, switches: Switches
    ) -> WebResponse:
        if isinstance(problem, ApiError) and not is_page(problem, switches):
            document = self._error(problem, session, switches)
            status = status_of_json_error(document["status"], switches)
            return json_response(document, switches, status=status)
        if isinstance(problem, UnknownApi):
            # On WordPress the handler looks the action up before it gets to the call (§6.2).
            looked_up = problem.message.replace(f", {route.action})", ", getActions)")
            return page(status_of_html_error(switches), pages.theme_page(looked_up))
        return _crash(problem, switches)

    def _many(self, request: WebRequest, session: Session, switches: Switches) -> _Served:
        """Carry out several calls; one good part makes the whole answer a 200 (§9)."""
        calls = parsed(request.value("calls"))
        named = dict(enumerate(calls)) if isinstance(calls, list) else calls
        if not named or not isinstance(named, dict) or not all(map(_is_call, named.values())):
            return _Served(page(status_of_html_error(switches), pages.theme_page("")))
        api, answers = Api(self._world, switches), []
        parts: dict[Any, Any] = {}
        for name, call in named.items():
            entity, action, params, index = (*call, None, None)[:4]
            try:
                answer = api.run(session, entity, action, {} if params is None else params, index)
            except ApiError as error:
                parts[name] = self._error(error, session, switches)
            except Problem as problem:
                return _Served(_crash(problem, switches))
            else:
                answers.append(answer)
                parts[name] = answer.envelope
        status = 200
        if not answers:
            first = next(iter(parts.values()))
            status = status_of_json_error(first["status"], switches)
        body = list(parts.values()) if isinstance(calls, list) else parts
        return _Served(
            json_response(body, switches, status=status),
            sum(answer.rows for answer in answers),
            max((answer.named_columns for answer in answers), default=0),
        )

    def _error(self, error: ApiError, session: Session, switches: Switches) -> dict[str, Any]:
        error_id = self._error_ids()
        return error_object(error, error_id, sees_debug=session.sees_debug, switches=switches)


def _is_call(call: Any) -> bool:
    return isinstance(call, list) and len(call) > 1


def _crash(problem: Problem, switches: Switches) -> WebResponse:
    """Return the page that PHP leaves behind when it stops."""
    if isinstance(problem, OutOfMemory):
        return page(500, pages.short_page("WordPress › Error", pages.OUT_OF_MEMORY))
    return page(status_of_html_error(switches), pages.theme_page(problem.message))


def _stopped_at_the_door(
    route: OneCall | ManyCalls, admitted: Admitted, request: WebRequest, switches: Switches
) -> WebResponse | None:
    """Return the answer of what stands between log-in and call: maintenance, method, browser."""
    if switches.outage == "maintenance" and not admitted.session.administers:
        text = "Temporarily unavailable for maintenance."
        return json_response({"status_code": 503, "status_message": text}, switches, status=503)
    if admitted.lacks_browser_mark(request, switches):
        return _security(400, _NO_BROWSER, switches)
    reads = isinstance(route, OneCall) and route.action.lower().startswith(("get", "autocomplete"))
    if request.method == "GET" and not reads:
        return _security(405, _NO_POST, switches)
    return None


def _security(code: int, text: str, switches: Switches) -> WebResponse:
    status = status_of_json_error(code, switches)
    return json_response({"error_code": code, "error_message": text}, switches, status=status)


def _elsewhere(route: Elsewhere, request: WebRequest, switches: Switches) -> WebResponse:
    match route.kind:
        case "civicrm" if switches.is_old and switches.cms == "wordpress":
            return WebResponse(302, b"", headers={"Location": "/"})
        case "civicrm":
            return page(status_of_html_error(switches), pages.theme_page(""))
        case "login":
            target = "/wp-login.php?reauth=1" if switches.cms == "wordpress" else "/civicrm/login"
            return WebResponse(302, b"", headers={"Location": target})
        case "rest-v3" if request.value("api_key") is None:
            document = {
                "code": "civicrm_rest_api_error",
                "message": 'Missing or invalid param "api_key".',
                "data": None,
            }
            return json_response(document, switches, status=500)
        case "rest-v3":  # API v3 itself is not simulated
            return page(500, pages.short_page("WordPress › Error", pages.OUT_OF_MEMORY))
        case "front-page":
            return page(200, pages.theme_page("Welcome"))
        case "not-found":
            return page(404, pages.short_page("Page not found", "Nothing is here.", size=18_000))


def _params(route: OneCall, request: WebRequest, switches: Switches) -> Any:
    """Return the parameters of a single call; a JSON body never gets here (§1.3)."""
    text = request.value("params")
    params = parsed(text) if text else {}
    if switches.is_old or not isinstance(params, dict):
        return params
    # On 6.x bare query parameters join in, as text, where the action knows them.
    names = (known(route.action) & request.query.keys()) - params.keys()
    return {name: request.query[name] for name in names} | params
