"""Endpoints of visitors, to be read only: §8.2, rule 49."""

from door_sync.simulators.unifi.calls import Call
from door_sync.simulators.unifi.envelope import NOT_EXISTS, PARAMS_INVALID, Refusal, Success
from door_sync.simulators.unifi.routing import Family
from door_sync.simulators.unifi.rows import visitor_row

VISITORS = Family()

STATUSES = ("UPCOMING", "VISITED", "VISITING", "CANCELLED", "NO_VISIT", "ACTIVE")
"""The list's filter counts them from 1 (§8.0)."""

_PARTS = {"none", "access_policy", "resource", "schedule", "nfc_card", "pin_code"}


@VISITORS.on("GET", "/visitors", scope="view:visitor")
def list_visitors(call: Call) -> Success:
    """Ended visits stay listed; a keyword switches the filter for a status off."""
    keyword = call.query.get("keyword", "").casefold()
    status = _wanted_status(call) if not keyword else None
    now = call.world.clock()
    found = [
        visitor.id
        for visitor in call.world.visitors
        if (status is None or visitor.status_at(now) == status)
        and (
            visitor.first_name.casefold().startswith(keyword)
            or visitor.last_name.casefold().startswith(keyword)
        )
    ]
    ids, pagination = call.page(found)
    expand = _wanted_parts(call)
    rows = [
        visitor_row(call.world, call.switches, call.world.visitors[visitor_id], expand)
        for visitor_id in ids
    ]
    return Success(rows, pagination)


@VISITORS.on("GET", "/visitors/:id", scope="view:visitor")
def fetch_visitor(call: Call) -> Success:
    """One visitor with every part."""
    visitor = call.world.visitors.get(call.ids["id"])
    if visitor is None:
        raise Refusal(NOT_EXISTS)
    return Success(visitor_row(call.world, call.switches, visitor, None))


def _wanted_status(call: Call) -> str | None:
    text = call.query.get("status")
    if text is None:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= len(STATUSES):
        raise Refusal(PARAMS_INVALID)
    return STATUSES[int(text) - 1]


def _wanted_parts(call: Call) -> set[str] | None:
    """Return the parts asked for; None, which is all of them, if none is named or known yet."""
    parts = set(call.query.getlist("expand[]"))
    if not parts or call.switches.version() < (1, 22, 16):
        return None
    if not parts <= _PARTS:
        raise Refusal(PARAMS_INVALID)
    return parts - {"none"}
