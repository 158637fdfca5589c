"""Endpoints of people: §6 without PINs, touch passes and plates, and the mail trap of §14."""

import re
from typing import Any

from door_sync.simulators.unifi.calls import Body, Call
from door_sync.simulators.unifi.doors import policies_of
from door_sync.simulators.unifi.envelope import (
    PARAMS_INVALID,
    SYSTEM_ERROR,
    NoRoute,
    Refusal,
    Success,
)
from door_sync.simulators.unifi.records import Card, Holder, Status, User
from door_sync.simulators.unifi.routing import Family
from door_sync.simulators.unifi.rows import policy_row, search_row, user_row

USERS = Family()

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PROFILE_KEYS = ("first_name", "last_name", "user_email", "employee_number", "onboard_time")


@USERS.on("POST", "/users", scope="edit:user")
def create_user(call: Call) -> Success:
    """Rules 9, 15, 17, 18 and 23."""
    body = call.body(*_PROFILE_KEYS)
    if "email" in body:
        raise Refusal(PARAMS_INVALID)
    if isinstance(body.raw("profile"), dict):
        raise Refusal(SYSTEM_ERROR)
    first, last = body.required_text("first_name"), body.required_text("last_name")
    changes = _profile(call, body, None)
    if not (first and last):
        raise Refusal(call.switches.empty_name_code)
    user = call.world.add_user(**changes)
    data = {"id": user.id, "first_name": first, "last_name": last}
    if "user_email" in body:
        data["user_email"] = user.user_email
        _mail_if_new(call, user, before="")
    return Success(data)


@USERS.on("PUT", "/users/:id", scope="edit:user")
def update_user(call: Call) -> Success:
    """Rules 16 to 18 and 23: what is absent stays; refused as a whole or done as a whole."""
    body = call.body(*_PROFILE_KEYS, "status", "pin_code")
    user = find_user(call)
    changes = _profile(call, body, user)
    status = body.text("status")
    if status is not None:
        if status not in (Status.ACTIVE, Status.DEACTIVATED):
            raise Refusal(PARAMS_INVALID)
        changes["status"] = status
    _mail_if_new(call, call.world.edit_user(user.id, **changes), before=user.user_email)
    return Success(None)


@USERS.on("GET", "/users", scope="view:user")
def list_users(call: Call) -> Success:
    """Rules 11 to 14, 21 and 27: every status, administrators too, no visitors."""
    expand = "access_policy" in call.query.getlist("expand[]")
    ids, pagination = call.page(call.world.users.ids())
    rows = [
        user_row(call.world, call.switches, call.world.users[user_id], expand=expand)
        for user_id in ids
    ]
    return Success(rows, pagination)


@USERS.on("GET", "/users/search", scope="view:user", since="3.1.30")
def search_users(call: Call) -> Success:
    """§6.11. What the keyword matches is not described; here names and addresses, not numbers."""
    keyword = call.query.get("keyword", "").casefold()
    ids, statuses = call.query.getlist("user_id"), call.query.getlist("status")
    only_admin = call.query.get("only_admin") == "true"
    found = [
        user.id
        for user in call.world.users
        if keyword in f"{user.full_name}\n{user.user_email}\n{user.email}".casefold()
        and (not ids or user.id in ids)
        and (not statuses or user.status in statuses)
        and (user.is_admin or not only_admin)
    ]
    page, pagination = call.page(found)
    rows = [search_row(call.world, call.switches, call.world.users[user_id]) for user_id in page]
    return Success(rows, pagination if call.switches.search_pagination else None)


@USERS.on("GET", "/users/:id", scope="view:user")
def fetch_user(call: Call) -> Success:
    """§6.3."""
    expand = "access_policy" in call.query.getlist("expand[]")
    return Success(user_row(call.world, call.switches, find_user(call), expand=expand))


@USERS.on("DELETE", "/users/:id", scope="edit:user", since="3.1.30")
def delete_user(call: Call) -> Success:
    """Rule 22: only a deactivated one."""
    user = find_user(call)
    if user.status != Status.DEACTIVATED:
        raise Refusal(SYSTEM_ERROR)
    call.world.delete_user(
        user.id,
        free_cards=call.switches.delete_frees_cards,
        free_email=call.switches.delete_frees_email,
    )
    return Success()


@USERS.on("PUT", "/users/:id/access_policies", scope="edit:user")
def set_policies(call: Call) -> Success:
    """Rules 25 and 26: replaces the direct ones; an id of one for everyone becomes direct."""
    wanted = call.body("access_policy_ids").texts("access_policy_ids")
    user = find_user(call)
    known = [policy_id for policy_id in wanted if policy_id in call.world.policies]
    if known != wanted and call.switches.unknown_policy != "ignored":
        raise Refusal(call.switches.unknown_policy)
    call.world.set_policies(user.id, dict.fromkeys(known))
    return Success()


@USERS.on("GET", "/users/:id/access_policies", scope="view:user", since="2.2.6")
def list_policies(call: Call) -> Success:
    """Rule 26: the direct ones only, or with those for everyone and those of groups."""
    user = find_user(call)
    direct, everyone, of_groups = policies_of(user, call.world.policies, list(call.world.groups))
    wanted = direct
    if call.query.get("only_user_policies") != "true":
        wanted = list({one.id: one for one in (*everyone, *direct, *of_groups)}.values())
    return Success([policy_row(policy) for policy in wanted])


@USERS.on("PUT", "/users/:id/nfc_cards", scope="edit:user")
def bind_card(call: Call) -> Success:
    """Rules 31, 32 and 35; the status of the former holder does not matter."""
    body = call.body("token", "force_add")
    token, force = body.required_text("token"), body.flag("force_add")
    user = find_user(call)
    _refuse_if_deactivated(call, user)
    card = find_card(call, token)
    if card.holder == Holder("USER", user.id):
        if call.switches.rebind_same_holder == "refused":
            raise Refusal("CODE_CREDS_NFC_HAS_BIND_USER")
    elif card.holder is not None and not force:
        raise Refusal("CODE_CREDS_NFC_HAS_BIND_USER")
    else:
        call.world.bind(token, user.id)
    return Success()


@USERS.on(
    "PUT", "/users/:id/nfc_cards/delete", scope="edit:user", when=lambda s: s.unbind != "delete"
)
@USERS.on(
    "DELETE", "/users/:id/nfc_cards/delete", scope="edit:user", when=lambda s: s.unbind != "put"
)
def unbind_card(call: Call) -> Success:
    """Rules 33 and 35, and the conflict C1 about its method."""
    token = call.body("token").required_text("token")
    user = find_user(call)
    _refuse_if_deactivated(call, user)
    card = call.world.cards.get(token)
    if card is None or card.holder != Holder("USER", user.id):
        if call.switches.unbind_not_held == "success":
            return Success()
        raise Refusal(call.switches.unbind_not_held)
    call.world.free(token)
    return Success()


@USERS.on("POST", "/users/identity/invitations", scope="edit:user", since="1.24.6")
def invite(call: Call) -> Success:
    """§14: overwrites addresses and always mails (rule 23); here so that a test can see it."""
    invitations = call.json()
    if not isinstance(invitations, list) or not all(isinstance(one, dict) for one in invitations):
        raise Refusal(PARAMS_INVALID)
    failures = []
    for invitation in map(Body, invitations):
        user_id, address = invitation.required_text("user_id"), invitation.text("email")
        user = call.world.users.get(user_id)
        if user is None:
            code = call.switches.unknown_user_code
            failures.append({"error_code": code, "error_msg": "", "user_id": user_id})
            continue
        if address:
            user = call.world.edit_user(user_id, user_email=address)
        call.world.send_mail(user_id, user.user_email, "invitation")
    return Success(failures)


@USERS.on("POST", "/users/:id/avatar", scope="edit:user", since="3.3.10")
def upload_avatar(call: Call) -> Success:
    """§6.12: answers in the second dialect (rule 8). The picture itself is not kept."""
    user = find_user(call)
    if "file" not in call.files:
        raise Refusal(PARAMS_INVALID)
    return Success({"avatar_url": f"/avatars/{user.id}.png"})


def find_user(call: Call) -> User:
    """Return the user in the path; refuse an unknown id (rule 24)."""
    user = call.world.users.get(call.ids["id"])
    if user is None:
        raise Refusal(call.switches.unknown_user_code)
    return user


def find_card(call: Call, token: str) -> Card:
    """Return the card with this token; refuse an unknown one (§6.6)."""
    card = call.world.cards.get(token)
    if card is None:
        raise Refusal(call.switches.unknown_card_code)
    return card


def _profile(call: Call, body: Body, user: User | None) -> dict[str, Any]:
    """Return the fields that a body sets, each checked; `user` is None for a new one."""
    fields = {
        "first_name": body.text("first_name"),
        "last_name": body.text("last_name"),
        "user_email": body.text("user_email"),
        "employee_number": body.text("employee_number"),
        "onboard_time": body.whole("onboard_time"),
    }
    address, number = fields["user_email"], fields["employee_number"]
    if isinstance(address, str) and address:
        if not _ADDRESS.fullmatch(address):
            raise Refusal("CODE_USER_EMAIL_ERROR")
        if _is_taken(call, address, user):
            raise Refusal(call.switches.email_taken_code)
        if call.switches.emails_stored == "lower case":
            fields["user_email"] = address.lower()
    if isinstance(number, str) and number and call.switches.employee_number_unique:
        others = call.world.users_with_employee_number(number)
        if any(user is None or other.id != user.id for other in others):
            raise Refusal(PARAMS_INVALID)
    return {key: value for key, value in fields.items() if value is not None}


def _is_taken(call: Call, address: str, user: User | None) -> bool:
    """Whether somebody else has the address, of any status or in a hidden account (rule 17)."""
    switches = call.switches

    def same(other: str) -> bool:
        if switches.email_case_matters:
            return other == address
        return other.casefold() == address.casefold()

    if any(same(hidden) for hidden in call.world.hidden_admins):
        return True
    for other in call.world.users_with_address(address):
        if user is not None and other.id == user.id and not switches.own_email_conflicts:
            continue
        if same(other.user_email) or (switches.console_email_counts and same(other.email)):
            return True
    return False


def _mail_if_new(call: Call, user: User, *, before: str) -> None:
    if call.switches.send_invitations and user.user_email not in ("", before):
        call.world.send_mail(user.id, user.user_email, "welcome")


def _refuse_if_deactivated(call: Call, user: User) -> None:
    if call.switches.deactivated_refuses_cards and user.status == Status.DEACTIVATED:
        raise NoRoute
