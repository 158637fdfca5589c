"""Which URL leads where, on each system (§1.1 of the sheet, §1 of the versions sheet)."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from door_sync.simulators.civicrm.switches import Switches
from door_sync.simulators.civicrm.web import WebRequest

_API = ["civicrm", "ajax", "api4"]


@dataclass(frozen=True)
class OneCall:
    """``/civicrm/ajax/api4/Entity/action``."""

    entity: str
    action: str


@dataclass(frozen=True)
class ManyCalls:
    """``/civicrm/ajax/api4`` itself."""


@dataclass(frozen=True)
class Elsewhere:
    """No API: a page of CiviCRM that does not exist, of the CMS, a log-in, API v3."""

    kind: Literal["civicrm", "front-page", "not-found", "login", "rest-v3"]


Route: TypeAlias = OneCall | ManyCalls | Elsewhere


def route_of(request: WebRequest, switches: Switches) -> Route:
    """Return where a request leads."""
    path = request.path
    at_root = path in ("", "/", "/index.php")
    if path.strip("/").split("/")[0] == "civicrm":
        return _civicrm(path) if switches.pretty_urls else Elsewhere("not-found")
    if switches.cms == "wordpress":
        if at_root and _is_query_form(request):
            return _civicrm(request.query["q"])
        if path.startswith("/wp-admin/"):
            return Elsewhere("login")
        if path.startswith("/wp-json/civicrm/"):
            return Elsewhere("rest-v3")
    if switches.cms == "standalone" and at_root and _is_query_form(request):
        return Elsewhere("login")
    return Elsewhere("front-page" if at_root else "not-found")


def _is_query_form(request: WebRequest) -> bool:
    asked = request.query
    named = asked.get("civiwp") == "CiviCRM" or asked.get("page") == "CiviCRM"
    return named and "q" in asked


def _civicrm(path: str) -> Route:
    parts = path.strip("/").split("/")
    if parts[:3] != _API:
        return Elsewhere("civicrm")
    match parts[3:]:
        case []:
            return ManyCalls()
        case [entity, action]:
            return OneCall(entity, action)
        case _:
            return Elsewhere("civicrm")
