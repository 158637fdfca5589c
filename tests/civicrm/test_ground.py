"""What must hold before any row is believed, and what is said when it does not."""

from collections.abc import Callable
from typing import Any

import pytest

from door_sync.civicrm.ground import Ground, ground_proved
from door_sync.civicrm.replies import Part, Refused, Rows
from door_sync.civicrm.wire import Auth
from door_sync.core.people import MembershipType
from door_sync.ports import SourceDistrusted

Recorded = Callable[[str, str], dict[str, Any]]

FIELD = "Door_Access.card_id"
DESCRIBED = {"name": FIELD, "data_type": "String", "serialize": None}


def forbidden(title: str) -> Refused:
    return Refused(title, forbidden=True, error_id="nNRU-2oqu-TDNe")


def failed(title: str) -> Refused:
    return Refused(title, forbidden=False, error_id="vZkb-B45k-whvd")


def parts(**changes: Part) -> dict[str, Part]:
    """Everything as it should be, but for `changes`."""
    good: dict[str, Part] = {
        "card_field": Rows("Contact.getFields", [dict(DESCRIBED)]),
        "types": Rows(
            "MembershipType.get",
            [
                {"id": 1, "name": "Gold", "title": "Gold member"},
                {"id": 2, "name": "Silver", "title": None},
                {"id": 6, "name": "Old Bronze"},
            ],
        ),
        "statuses": Rows(
            "MembershipStatus.get",
            [
                {"id": 1, "name": "New"},
                {"id": 2, "name": "Current"},
                {"id": 3, "name": "Grace"},
                {"id": 4, "name": "Expired"},
            ],
        ),
        "actions": Rows("Membership.getActions", [{"name": "create"}, {"name": "get"}]),
        "own": Rows("Contact.get", [{"id": 304}]),
        "contacts": Rows("Contact.get", [], matched=246),
        "memberships": Rows("Membership.get", [], matched=183),
    }
    return good | changes


def prove(
    found: dict[str, Part], active: tuple[str, ...] = ("Current", "New"), auth: Auth = "x-civi-auth"
) -> Ground:
    return ground_proved(found, card_field=FIELD, active_statuses=active, auth=auth)


def refusal(found: dict[str, Part], **how: Any) -> SourceDistrusted:
    with pytest.raises(SourceDistrusted) as caught:
        prove(found, **how)
    return caught.value


def test_a_firm_ground_tells_types_active_statuses_and_counts() -> None:
    ground = prove(parts())
    assert ground.types[1] == MembershipType(1, "Gold", "Gold member")
    assert dict(ground.statuses) == {1: "New", 2: "Current"}
    assert (ground.contacts, ground.memberships) == (246, 183)


def test_a_type_without_a_title_has_its_name_as_label() -> None:
    """5.x has no titles, and leaves the key out without a word (versions sheet §1)."""
    ground = prove(parts())
    assert ground.types[2] == MembershipType(2, "Silver", "Silver")
    assert ground.types[6] == MembershipType(6, "Old Bronze", "Old Bronze")


def test_recorded_types_statuses_and_fields_are_a_firm_ground(recorded: Recorded) -> None:
    [field, *_] = recorded("queries", "getfields_custom")["body"]["values"]
    own = recorded("self_checks", "self_self_full")["body"]["values"]
    found = parts(
        card_field=Rows("Contact.getFields", [field]),
        types=Rows("MembershipType.get", recorded("queries", "membership_type")["body"]["values"]),
        statuses=Rows(
            "MembershipStatus.get", recorded("queries", "membership_status")["body"]["values"]
        ),
        own=Rows("Contact.get", own),
    )
    ground = prove(found, active=("Current", "Grace", "New"))
    assert ground.types[1].label == "Gold member"
    assert sorted(ground.statuses.values()) == ["Current", "Grace", "New"]


@pytest.mark.parametrize("active", [("current",), ("Current", "Nope"), ("Aktiv", "Current ")])
def test_an_unknown_active_status_is_an_error_that_lists_those_there_are(
    active: tuple[str, ...],
) -> None:
    """§13.9: an unknown name would match nothing, in silence: nobody would be a member."""
    error = refusal(parts(), active=active)
    assert "civicrm.active_statuses" in error.message
    assert next(name for name in active if name != "Current") in error.message
    assert '"Current", "Expired", "Grace", "New"' in error.remedy


def test_status_names_that_cannot_be_printed_are_not_listed() -> None:
    statuses = Rows("MembershipStatus.get", [{"id": 1, "name": "\x1b[2J"}])
    error = refusal(parts(statuses=statuses))
    assert "\x1b" not in error.remedy
    assert "statuses: none." in error.remedy


@pytest.mark.parametrize("data_type", ["String", "Text", "Integer", "Float", "Number"])
def test_a_field_of_text_or_numbers_may_hold_the_card(data_type: str) -> None:
    field = Rows("Contact.getFields", [DESCRIBED | {"data_type": data_type, "serialize": 0}])
    assert prove(parts(card_field=field)).contacts == 246


@pytest.mark.parametrize(
    "change",
    [{"data_type": "Boolean"}, {"data_type": "Date"}, {"data_type": None}, {"serialize": 1}],
)
def test_a_field_that_cannot_hold_one_card_number_is_refused(change: dict[str, object]) -> None:
    error = refusal(parts(card_field=Rows("Contact.getFields", [DESCRIBED | change])))
    assert f"the field {FIELD} cannot hold one card number" in error.message
    assert "civicrm.card_id_field" in error.remedy


@pytest.mark.parametrize("data_type", [[], {}, ["String"], None, 5, True])
def test_a_field_whose_type_is_no_word_is_refused_like_any_other(data_type: object) -> None:
    described = Rows("Contact.getFields", [{**DESCRIBED, "data_type": data_type}])
    assert "cannot hold one card number" in refusal(parts(card_field=described)).message


def test_a_card_field_that_is_not_there_is_named_with_what_to_compare(recorded: Recorded) -> None:
    """Zero rows for a field that is misspelt, off, or hidden: §13.4, recorded."""
    values = recorded("states", "field_disabled_getfields")["body"]["values"]
    assert values == []
    error = refusal(
        parts(
            card_field=Rows("Contact.getFields", values),
            contacts=failed("Contact.get"),
            memberships=failed("Membership.get"),
        )
    )
    assert f"the field {FIELD} does not exist" in error.message
    assert "civicrm.card_id_field" in error.remedy
    assert '"access all custom data"' in error.remedy
    assert "several records per contact" in error.remedy


@pytest.mark.parametrize(
    "values", [[DESCRIBED, DESCRIBED], [DESCRIBED | {"name": "other"}], [{"name": FIELD}]]
)
def test_a_description_that_is_not_of_the_one_field_asked_for_is_disbelieved(
    values: list[dict[str, object]],
) -> None:
    error = refusal(parts(card_field=Rows("Contact.getFields", values)))
    assert "does not describe the field asked for" in error.message


def test_a_key_that_may_not_list_membership_actions_lacks_the_right() -> None:
    """Versions sheet §12.6: without the right the list lacks `get`."""
    actions = Rows("Membership.getActions", [{"name": "getActions"}, {"name": "getFields"}])
    error = refusal(parts(actions=actions))
    assert "may not read memberships" in error.message
    assert '"access CiviMember"' in error.remedy


def test_a_key_without_access_to_memberships_is_told_the_right_once() -> None:
    error = refusal(
        parts(
            types=forbidden("MembershipType.get"),
            statuses=forbidden("MembershipStatus.get"),
            actions=Rows("Membership.getActions", []),
            memberships=forbidden("Membership.get"),
        )
    )
    assert error.remedy.count('"access CiviMember"') == 1
    assert "nNRU-2oqu-TDNe" in error.message


def test_a_key_without_access_civicrm_is_told_both_rights(recorded: Recorded) -> None:
    """Such a key still sees its own contact, so it is not taken for nobody (recorded)."""
    own = recorded("self_checks", "self_self_nocivi")["body"]["values"]
    error = refusal(
        parts(
            card_field=forbidden("Contact.getFields"),
            types=forbidden("MembershipType.get"),
            statuses=forbidden("MembershipStatus.get"),
            actions=forbidden("Membership.getActions"),
            memberships=forbidden("Membership.get"),
            own=Rows("Contact.get", own),
        )
    )
    assert '"access CiviCRM"' in error.remedy
    assert '"access CiviMember"' in error.remedy


@pytest.mark.parametrize("user", ["acl", "noview"])
def test_a_key_that_does_not_see_its_own_contact_does_not_see_everybody(
    recorded: Recorded, user: str
) -> None:
    """§13.2: its empty or short answers look like those of a small site."""
    own = recorded("self_checks", f"self_self_{user}")["body"]["values"]
    assert own == []
    error = refusal(parts(own=Rows("Contact.get", own), contacts=Rows("Contact.get", [], 0)))
    assert "does not see everybody" in error.message
    assert '"view all contacts"' in error.remedy


@pytest.mark.parametrize(
    ("auth", "other"), [("authorization", "x-civi-auth"), ("x-civi-auth", "authorization")]
)
def test_a_key_that_turned_into_nobody_is_known_by_what_nobody_gets(auth: Auth, other: str) -> None:
    """§2.3: contacts come empty with 200, metadata are forbidden."""
    error = refusal(
        parts(
            card_field=forbidden("Contact.getFields"),
            types=forbidden("MembershipType.get"),
            statuses=forbidden("MembershipStatus.get"),
            actions=forbidden("Membership.getActions"),
            own=Rows("Contact.get", []),
            contacts=failed("Contact.get"),
            memberships=forbidden("Membership.get"),
        ),
        auth=auth,
    )
    assert "nobody" in error.message
    assert f'civicrm.auth = "{other}"' in error.remedy


def test_everything_that_is_wrong_is_said_at_once() -> None:
    error = refusal(
        parts(
            card_field=Rows("Contact.getFields", []),
            own=Rows("Contact.get", []),
            types=Rows("MembershipType.get", []),
        ),
        active=("Nope",),
    )
    for words in ("does not exist", "does not see", "lists no membership types", '"Nope"'):
        assert words in error.message


@pytest.mark.parametrize("name", ["card_field", "types", "statuses", "actions", "own"])
def test_a_proof_that_civicrm_cannot_carry_out_is_cited_by_its_error_id(name: str) -> None:
    error = refusal(parts(**{name: failed("X.y")}))
    assert "vZkb-B45k-whvd" in error.message
    assert "CiviMember" in error.remedy


@pytest.mark.parametrize("name", ["contacts", "memberships"])
def test_a_count_that_fails_though_every_proof_holds_is_an_error_too(name: str) -> None:
    error = refusal(parts(**{name: failed("X.get")}))
    assert "X.get" in error.message
    assert "vZkb-B45k-whvd" in error.message


@pytest.mark.parametrize("name", ["types", "statuses"])
@pytest.mark.parametrize(
    "row", [{"id": 1}, {"name": "Gold"}, {"id": "1", "name": "Gold"}, {"id": 1, "name": ""}]
)
def test_a_list_with_a_row_that_lacks_id_or_name_is_disbelieved(
    name: str, row: dict[str, object]
) -> None:
    error = refusal(parts(**{name: Rows("X.get", [row])}))
    assert "without id or name" in error.message


def test_a_list_with_the_same_row_twice_is_disbelieved() -> None:
    error = refusal(parts(types=Rows("X.get", [{"id": 1, "name": "Gold"}] * 2)))
    assert "the same row twice" in error.message
