"""Whatever is asked, the site answers or fails as CiviCRM does; it never fails by itself."""

from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from door_sync.simulators.civicrm import Switches, World, fresh_world
from door_sync.simulators.civicrm.api import Api
from door_sync.simulators.civicrm.comparing import OPERATORS as KNOWN_OPERATORS
from door_sync.simulators.civicrm.errors import ApiError, Problem, TypeCrash
from door_sync.simulators.civicrm.permissions import ROLES
from door_sync.simulators.civicrm.schema import ENTITIES
from door_sync.simulators.civicrm.scope import Session

_FIELDS = """
    id contact_id display_name first_name email_primary.email is_deleted is_test end_date status_id
    status_id:name status_id:nope membership_type_id.name contact_id.Door_Access.card_id m.id m.*
    Door_Access.card_id Door_Access.zone Door_Access.zone:label Door_Access.nope Cards.number *
    custom.* row_count api_key contact_id.contact_type contact_type nope created_date name e.email
    contact_id.* user_contact_id data_type options
"""
_FUNCTIONS = [
    "COUNT(id)",
    "GROUP_CONCAT(DISTINCT Door_Access.zone) AS z",
    "SUM(display_name)",
    "MIN(id)",
    "x AS y",
]
NAMES = st.sampled_from(_FIELDS.split() + _FUNCTIONS)
OPERATORS = st.sampled_from([*sorted(KNOWN_OPERATORS), "in", "~~"])
ODDITIES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 400),
    st.floats(allow_nan=False),
    st.sampled_from(["", " ", "abc", "20abc", "Current", "2026-11-22", "now", "-5 days", "%", "a"]),
    st.just("-99999999999 years"),
    st.text(max_size=3),
)
ANYTHING = st.recursive(
    ODDITIES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=5,
)
VALUES = ODDITIES | st.lists(ODDITIES, max_size=3) | NAMES
PLAIN = st.tuples(NAMES, OPERATORS, VALUES).map(list)
CLAUSES = st.recursive(
    PLAIN | st.tuples(NAMES, OPERATORS, NAMES, st.booleans()).map(list),
    lambda inner: st.tuples(st.sampled_from(["AND", "OR", "NOT"]), st.lists(inner, max_size=3)).map(
        list
    ),
    max_leaves=4,
)
JOINS = st.tuples(
    st.sampled_from(["Membership AS m", "Email AS e", "Nope AS n", "Contact AS m", "Job AS e"]),
    st.sampled_from(["LEFT", "INNER", "EXCLUDE", True, False, "OUTER"]),
    st.lists(PLAIN, max_size=1),
).map(lambda join: [join[0], join[1], *join[2]])
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "select": st.lists(NAMES, max_size=4) | ANYTHING,
        "where": st.lists(CLAUSES, max_size=3) | ANYTHING,
        "join": st.lists(JOINS, max_size=2) | ANYTHING,
        "orderBy": st.dictionaries(NAMES, st.sampled_from(["ASC", "DESC", "down"]), max_size=2)
        | ANYTHING,
        "groupBy": st.lists(NAMES, max_size=2) | ANYTHING,
        "limit": st.integers(-1, 5) | ANYTHING,
        "offset": st.integers(0, 5) | ANYTHING,
        "chain": st.just({"m": ["Membership", "get", {"where": [["contact_id", "=", "$id"]]}]})
        | ANYTHING,
        "values": ANYTHING,
        "loadOptions": ANYTHING,
        "nope": ANYTHING,
    },
)


def _world() -> World:
    world = fresh_world()
    world.add_custom_field("Door_Access", "zone", is_list=True, options={"a": "A", "b": "B"})
    world.add_custom_group("Cards", is_multiple=True)
    world.add_custom_field("Cards", "number")
    for number in range(6):
        contact = world.add_contact("First", f"Last{number}", email=f"m{number}@example.org")
        world.set_card(contact, f"0{number}")
        world.set_custom(contact, "Door_Access.zone", ["a", "b"][: number % 3])
        world.add_membership(contact, "Gold")
    world.add_custom_record(4, "Cards", number="1")
    world.set_custom(5, "Door_Access.card_id", "", raw=True)
    return world


WORLD = _world()


@settings(max_examples=120, deadline=None)
@given(
    entity=st.sampled_from([*ENTITIES, "Custom_Cards", "Entity", "Setting", "System", "Nope"]),
    action=st.sampled_from(["get", "get", "get", "getFields", "getActions", "checkAccess", "save"]),
    params=PARAMS | ANYTHING,
    index=st.none() | st.sampled_from(["id", "nope", 0, "3", ["id"], {"id": "name"}]),
    role=st.sampled_from(sorted(ROLES)),
    switches=st.sampled_from([Switches(), Switches(version="5.77", unordered=False)]),
)
def test_any_call_is_answered_or_refused(
    entity: str, action: str, params: Any, index: Any, role: str, switches: Switches
) -> None:
    session = Session(role, ROLES[role], contact_id=3)
    with suppress(Problem):
        answer = Api(WORLD, switches).run(session, entity, action, params, index)
        assert answer.envelope["countFetched"] == answer.rows


CONTACT = """
    id display_name first_name email_primary.email is_deleted created_date contact_type
    Door_Access.card_id Door_Access.zone Door_Access.zone:label m.id m.end_date m.is_test
    m.status_id:name m.membership_type_id.name m.contact_id.Door_Access.card_id hash prefix_id
"""
MEMBERSHIP = """
    id contact_id contact_id.display_name contact_id.Door_Access.card_id end_date is_test
    status_id:name membership_type_id.name membership_type_id:label status_id.is_current_member
    contact_id.email_primary.email contact_id.is_deleted owner_membership_id source
"""
READABLE = {"Contact": CONTACT.split(), "Membership": MEMBERSHIP.split()}
KNOWN = sorted(KNOWN_OPERATORS)


@st.composite
def sensible(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """An entity and a query of fields that exist; operators and values at random."""
    entity = draw(st.sampled_from(sorted(READABLE)))
    names = st.sampled_from(READABLE[entity])
    plain = st.tuples(names, st.sampled_from(KNOWN), ODDITIES | st.lists(ODDITIES, max_size=3))
    compared = st.tuples(names, st.sampled_from(["=", "<", ">=", "!="]), names, st.just(True))
    clause = st.recursive(
        (plain | compared).map(list),
        lambda inner: st.tuples(st.sampled_from(["AND", "OR", "NOT"]), st.lists(inner)).map(list),
        max_leaves=4,
    )
    params: dict[str, Any] = {
        "select": draw(st.lists(names, max_size=4)),
        "where": draw(st.lists(clause, max_size=2)),
        "orderBy": draw(st.dictionaries(names, st.sampled_from(["ASC", "DESC"]), max_size=2)),
        "limit": draw(st.integers(0, 5)),
        "offset": draw(st.integers(0, 5)),
    }
    if draw(st.booleans()):
        by = draw(st.lists(names, min_size=1, max_size=2))
        function = draw(st.sampled_from(["COUNT", "GROUP_CONCAT", "SUM"]))
        distinct = draw(st.sampled_from(["", "DISTINCT "])) if function != "SUM" else ""
        params["groupBy"] = by
        params["select"] = [*by, f"{function}({distinct}{draw(names)}) AS x"]
    if entity == "Contact":
        params["join"] = [["Membership AS m", draw(st.sampled_from(["LEFT", "INNER", "EXCLUDE"]))]]
    return entity, params


@settings(max_examples=80, deadline=None)
@given(query=sensible(), is_old=st.booleans())
def test_a_query_of_known_fields_runs_unless_php_stops_at_a_value(
    query: tuple[str, dict[str, Any]], is_old: bool
) -> None:
    entity, params = query
    api = Api(WORLD, Switches(version="5.77" if is_old else "6.17"))
    session = Session("full", ROLES["full"], contact_id=3)
    with suppress(TypeCrash):
        try:
            answer = api.run(session, entity, "get", params)
        except ApiError as error:
            assert error.message == "DB Error: syntax error"  # noqa: PT017 the other outcome
            return
        limit = params["limit"]
        assert answer.rows <= (limit or answer.rows)
        if not limit or answer.rows < limit:
            assert answer.envelope["count"] == params["offset"] + answer.rows
