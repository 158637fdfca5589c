"""Who a request is, by the authx extension (§2 of the sheet, §1–3 of the versions sheet).

The credential is looked for in this order: field `_authx`, header `X-Civi-Auth`, header
`Authorization`, fields `api_key` and `key`. Without one the request is nobody's, which is no
error: that is the trap of §2.3. A credential that is there and wrong is refused before anything
else is looked at.
"""

from dataclasses import dataclass
from typing import Literal

from door_sync.simulators.civicrm import pages
from door_sync.simulators.civicrm.comparing import collated
from door_sync.simulators.civicrm.permissions import AUTHENTICATE
from door_sync.simulators.civicrm.records import Key
from door_sync.simulators.civicrm.scope import Session
from door_sync.simulators.civicrm.switches import CredentialType, Switches
from door_sync.simulators.civicrm.web import WebRequest, WebResponse, json_response, page
from door_sync.simulators.civicrm.world import World

Flow = Literal["param", "xheader", "header", "legacyrest"]

_BROWSER = "XMLHttpRequest"


@dataclass(frozen=True)
class Admitted:
    """A request that may go on; `flow` is None for nobody."""

    session: Session
    flow: Flow | None = None

    def lacks_browser_mark(self, request: WebRequest, switches: Switches) -> bool:
        """Whether `X-Requested-With` is missing where it is asked for.

        Browsers add `Authorization` and nothing by themselves, so only those two need it. OPTIONS
        is let through, as recorded.
        """
        if self.flow in ("param", "xheader", "legacyrest") or switches.debug_enabled:
            return False
        return request.method != "OPTIONS" and request.headers.get("x-requested-with") != _BROWSER


class Refused(Exception):
    """The credential was not accepted; carries the answer to send."""

    def __init__(self, response: WebResponse) -> None:
        super().__init__("the credential was refused")
        self.response = response


def admit(request: WebRequest, world: World, switches: Switches) -> Admitted:
    """Return whom the request is let in as; raise Refused for a credential that is no good."""
    if not switches.authx:
        return Admitted(Session())
    headers = request.headers
    if parameter := request.value("_authx"):
        site_key = headers.get("x-civi-key") or request.value("_authxSiteKey")
        return _check(parameter, "param", site_key, world, switches)
    if xheader := headers.get("x-civi-auth"):
        return _check(xheader, "xheader", headers.get("x-civi-key"), world, switches)
    authorization = None if switches.drops_authorization else headers.get("authorization")
    if authorization and switches.header_credentials:
        ignored = authorization.startswith("Basic ") and not switches.is_old
        if not ignored or "pass" in switches.header_credentials:
            return _check(authorization, "header", headers.get("x-civi-key"), world, switches)
        return Admitted(Session())
    api_key, site_key = request.value("api_key"), request.value("key")
    if api_key and site_key:
        return _check_legacy(api_key, site_key, world, switches)
    return Admitted(Session())


def _check(
    credential: str, flow: Flow, site_key: str | None, world: World, switches: Switches
) -> Admitted:
    scheme, _, secret = credential.partition(" ")
    if scheme == "Bearer" and not secret and switches.is_old:
        raise Refused(page(200, pages.theme_page("")))
    key = _find(secret, world) if scheme == "Bearer" else None
    if key is None:
        raise _refused("Invalid credential")
    if "api_key" not in _accepted(flow, switches):
        raise _refused(
            f'Authentication type "api_key" with flow "{flow}" is not allowed for this principal.'
        )
    _check_guards(key, site_key, switches)
    return Admitted(_session(key), flow)


def _check_legacy(api_key: str, site_key: str, world: World, switches: Switches) -> Admitted:
    key = _find(api_key, world)
    if key is None:
        answer = json_response(
            {"error_message": "FATAL: Invalid credential", "is_error": 1}, switches
        )
        raise Refused(WebResponse(200, answer.body, "text/javascript"))
    _check_guards(key, site_key, switches)
    return Admitted(_session(key), "legacyrest")


def _find(secret: str, world: World) -> Key | None:
    """Return the key that was sent; keys compare by the collation, so not by case (§2.1)."""
    if not secret:
        return None
    with world.lock:
        for key in world.keys.values():
            contact = world.contacts.get(key.contact_id)  # in the trash or not
            if contact and contact.api_key and collated(contact.api_key) == collated(secret):
                return key
    return None


def _accepted(flow: Flow, switches: Switches) -> frozenset[CredentialType]:
    if flow == "xheader":
        return switches.xheader_credentials
    return switches.header_credentials if flow == "header" else switches.param_credentials


def _check_guards(key: Key, site_key: str | None, switches: Switches) -> None:
    guards = switches.guards
    may = key.has_user and AUTHENTICATE in key.permissions
    by_permission = "perm" in guards and may
    by_site_key = "site_key" in guards and site_key == switches.site_key
    if guards and not by_permission and not by_site_key:
        raise _refused(f"Login not permitted. Must satisfy guard ({', '.join(guards)}).")


def _session(key: Key) -> Session:
    if not key.has_user:
        return Session(role=key.role)
    return Session(key.role, frozenset(key.permissions), key.contact_id, key.acl_group)


def _refused(reason: str) -> Refused:
    text = f"HTTP 401 {reason}".encode()
    return Refused(WebResponse(401, text, "text/plain;charset=UTF-8"))
