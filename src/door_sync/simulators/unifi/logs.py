"""The system log: §13, rule 53. Only cards at doors are in it."""

from datetime import UTC, datetime
from typing import Any, Final

from door_sync.simulators.unifi.calls import Body, Call
from door_sync.simulators.unifi.envelope import PARAMS_INVALID, Refusal, Success
from door_sync.simulators.unifi.records import Tap
from door_sync.simulators.unifi.routing import Family
from door_sync.simulators.unifi.switches import Switches

LOGS = Family()

TOPICS: Final = frozenset(
    {
        "all",
        "critical",
        "door_openings",
        "updates",
        "device_events",
        "admin_activity",
        "visitor",
    }
)
_WITH_DOORS: Final = frozenset({"all", "door_openings"})


@LOGS.on("POST", "/system/logs", scope="view:system_log")
def fetch_logs(call: Call) -> Success:
    """Entries of one topic, of one actor if one is named, between two moments."""
    body = call.body("topic", "since", "until", "actor_id")
    topic = body.required_text("topic")
    if topic not in TOPICS:
        raise Refusal(PARAMS_INVALID)
    found = [
        str(number)
        for number, tap in enumerate(call.world.taps)
        if topic in _WITH_DOORS and _is_wanted(tap, body, call.switches)
    ]
    if call.switches.log_order == "newest first":
        found.reverse()
    ids, pagination = call.page(found)
    hits = [_entry(int(one), call.world.taps[int(one)], call.switches) for one in ids]
    counts = {"page": pagination.page_num, "total": pagination.total}
    match call.switches.log_counts:
        case "inside data":
            return Success({"hits": hits, **counts})
        case "beside data":
            return Success({"hits": hits}, beside=counts)
        case _:
            return Success(hits)


def _is_wanted(tap: Tap, body: Body, switches: Switches) -> bool:
    actor, since, until = body.text("actor_id"), body.whole("since"), body.whole("until")
    if actor and (tap.holder is None or tap.holder.id != actor):
        return False
    second = int(tap.at)
    if switches.log_bounds == "included":
        return (since is None or since <= second) and (until is None or second <= until)
    return (since is None or since < second) and (until is None or second < until)


def _entry(number: int, tap: Tap, switches: Switches) -> dict[str, Any]:
    moment = datetime.fromtimestamp(tap.at, UTC)
    raw = f"{tap.number:08X}"
    target = [{"type": "door", "id": tap.door.id, "display_name": tap.door.name}]
    if switches.cards_in_log:
        target.append({"type": "nfc_id", "id": raw, "display_name": raw})
        if tap.token:
            target.append({"type": "nfc_token", "id": tap.token, "display_name": ""})
    return {
        "@timestamp": moment.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "_id": str(number + 1) if switches.log_ids == "growing" else "",
        "_source": {
            "actor": {
                "id": tap.holder.id if tap.holder else "",
                "type": tap.holder.kind.lower() if tap.holder else "",
                "display_name": tap.holder_name,
                "alternate_id": "",
                "alternate_name": "",
            },
            "authentication": {"credential_provider": "NFC", "issuer": raw},
            "event": {
                "type": "access.door.unlock",
                "display_message": "Access Granted (NFC)" if tap.opened else "Access Denied (NFC)",
                "result": "ACCESS" if tap.opened else "BLOCKED",
                "published": int(tap.at * 1000),
                "reason": "" if tap.opened else tap.message,
            },
            "target": target,
        },
        "tag": "access",
    }
