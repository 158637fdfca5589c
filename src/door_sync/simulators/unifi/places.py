"""Endpoints of policies (§9.1), doors and door groups (§11), the latter to be read only."""

from door_sync.simulators.unifi.calls import Body, Call
from door_sync.simulators.unifi.envelope import NOT_EXISTS, PARAMS_INVALID, Refusal, Success
from door_sync.simulators.unifi.records import Policy, Resource
from door_sync.simulators.unifi.routing import Family
from door_sync.simulators.unifi.rows import policy_row

PLACES = Family()

_POLICY_KEYS = ("name", "resource", "resources", "schedule_id")


@PLACES.on("GET", "/access_policies", scope="view:policy")
def list_policies(call: Call) -> Success:
    """Not paged (rule 13)."""
    return Success([policy_row(policy) for policy in call.world.policies])


@PLACES.on("GET", "/access_policies/:id", scope="view:policy")
def fetch_policy(call: Call) -> Success:
    """One policy."""
    return Success(policy_row(_find(call)))


@PLACES.on("POST", "/access_policies", scope="edit:policy")
def create_policy(call: Call) -> Success:
    """Rule 28: the request says ``resource`` or ``resources``, the answer ``resources``."""
    body = call.body(*_POLICY_KEYS)
    name, schedule_id = body.required_text("name"), _schedule(call, body)
    if not name or schedule_id is None:
        raise Refusal(PARAMS_INVALID)
    resources = _resources(call, body) or ()
    made = call.world.add_policy(name, schedule_id=schedule_id)
    return Success(policy_row(call.world.edit_policy(made.id, resources=resources)))


@PLACES.on("PUT", "/access_policies/:id", scope="edit:policy")
def update_policy(call: Call) -> Success:
    """The same body, all of it optional."""
    body = call.body(*_POLICY_KEYS)
    policy = _find(call)
    changes = {
        "name": body.text("name"),
        "schedule_id": _schedule(call, body),
        "resources": _resources(call, body),
    }
    given = {key: value for key, value in changes.items() if value is not None}
    return Success(policy_row(call.world.edit_policy(policy.id, **given)))


@PLACES.on("DELETE", "/access_policies/:id", scope="edit:policy")
def delete_policy(call: Call) -> Success:
    """Users and groups lose it."""
    call.world.delete_policy(_find(call).id)
    return Success("success")


@PLACES.on("GET", "/doors", scope="view:space")
def list_doors(call: Call) -> Success:
    """Every door, each with a hub."""
    return Success(
        [
            {
                "id": door.id,
                "name": door.name,
                "full_name": door.name,
                "floor_id": "",
                "type": "door",
                "is_bind_hub": True,
                "door_lock_relay_status": "lock",
                "door_position_status": "close",
            }
            for door in call.world.doors
        ]
    )


@PLACES.on("GET", "/door_groups", scope="view:space")
def list_door_groups(call: Call) -> Success:
    """The groups that somebody made; the building itself is left out."""
    return Success(
        [
            {
                "id": group.id,
                "name": group.name,
                "resources": [{"id": door_id, "type": "door"} for door_id in group.door_ids],
                "type": "access",
            }
            for group in call.world.door_groups
        ]
    )


def _find(call: Call) -> Policy:
    policy = call.world.policies.get(call.ids["id"])
    if policy is None:
        raise Refusal(NOT_EXISTS)
    return policy


def _schedule(call: Call, body: Body) -> str | None:
    schedule_id = body.text("schedule_id")
    if schedule_id is not None and schedule_id not in call.world.schedules:
        raise Refusal("CODE_ACCESS_POLICY_SCHEDULE_NOT_FOUND")
    return schedule_id


def _resources(call: Call, body: Body) -> tuple[Resource, ...] | None:
    heard = call.switches.policy_resource_key
    for key in ("resource", "resources"):
        if heard in (key, "both") and key in body:
            return tuple(_resource(call, one) for one in body.objects(key))
    return None


def _resource(call: Call, one: Body) -> Resource:
    place_id = one.required_text("id")
    match one.required_text("type"):
        case "door" if place_id in call.world.doors:
            return Resource(place_id, "door")
        case "door_group" if place_id in call.world.door_groups:
            return Resource(place_id, "door_group")
        case "door" | "door_group":
            raise Refusal(NOT_EXISTS)
        case _:
            raise Refusal(PARAMS_INVALID)
