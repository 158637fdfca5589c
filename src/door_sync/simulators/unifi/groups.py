"""Endpoints of user groups that read (§7, 2.2.6+)."""

from door_sync.simulators.unifi.calls import Call
from door_sync.simulators.unifi.envelope import NOT_EXISTS, Refusal, Success
from door_sync.simulators.unifi.records import Group
from door_sync.simulators.unifi.routing import Family
from door_sync.simulators.unifi.rows import policy_row, user_row

GROUPS = Family()


@GROUPS.on("GET", "/user_groups", scope="view:user", since="2.2.6")
def list_groups(call: Call) -> Success:
    """Every group, with the way up to the topmost one."""
    return Success([_row(call, group) for group in call.world.groups])


@GROUPS.on("GET", "/user_groups/:id", scope="view:user", since="2.2.6")
def fetch_group(call: Call) -> Success:
    """One group."""
    return Success(_row(call, _find(call)))


@GROUPS.on("GET", "/user_groups/:id/users", scope="view:user", since="2.2.6")
def list_members(call: Call) -> Success:
    """The direct members."""
    return _users(call, _find(call).member_ids)


@GROUPS.on("GET", "/user_groups/:id/users/all", scope="view:user", since="2.2.6")
def list_all_members(call: Call) -> Success:
    """The members, those of subgroups included."""
    top = _find(call).id
    below = [group for group in call.world.groups if top in (group.id, *_above(call, group))]
    return _users(call, frozenset().union(*(group.member_ids for group in below)))


@GROUPS.on("GET", "/user_groups/:id/access_policies", scope="view:user", since="2.2.6")
def list_policies_of_group(call: Call) -> Success:
    """The group's own policies."""
    policies = call.world.policies
    wanted = [policies.get(policy_id) for policy_id in _find(call).policy_ids]
    return Success([policy_row(policy) for policy in wanted if policy is not None])


def _find(call: Call) -> Group:
    group = call.world.groups.get(call.ids["id"])
    if group is None:
        raise Refusal(NOT_EXISTS)
    return group


def _above(call: Call, group: Group) -> list[str]:
    """Return the groups that this one is part of, the nearest first."""
    found: list[str] = []
    here = call.world.groups.get(group.parent_id)
    while here is not None and here.id not in found:
        found.append(here.id)
        here = call.world.groups.get(here.parent_id)
    return found


def _row(call: Call, group: Group) -> dict[str, object]:
    above = _above(call, group)
    names = [call.world.groups[one].name for one in reversed(above)]
    return {
        "id": group.id,
        "name": group.name,
        "full_name": "/".join([*names, group.name]),
        "up_id": group.parent_id,
        "up_ids": above,
    }


def _users(call: Call, user_ids: frozenset[str]) -> Success:
    users = [user for user in call.world.users if user.id in user_ids]
    return Success([user_row(call.world, call.switches, user, expand=False) for user in users])
