"""What a CiviCRM tells for setting a site up: structure and counts, never a value."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest

from door_sync.civicrm.survey import KeyNotTaken, Survey, TypeFound, is_civicrm, survey
from door_sync.civicrm.wire import Auth
from door_sync.ports import SourceDistrusted
from door_sync.simulators.civicrm import CivicrmSimulator
from door_sync.simulators.serving import Server
from tests.civicrm.conftest import MakeClient

PATH = "/civicrm/ajax/api4"

Look = Callable[..., Survey]


@pytest.fixture
def server(site: CivicrmSimulator) -> Iterator[Server]:
    """The site, served."""
    with site.serve() as server:
        yield server


@pytest.fixture
def look(site: CivicrmSimulator, server: Server, make_client: MakeClient) -> Look:
    """Survey the site with the key of a role, or with a key of one's own."""

    def surveyed(role: str = "full", key: str = "", auth: Auth = "x-civi-auth") -> Survey:
        secret = key or (site.world.add_key(f"key-of-{role}", role) and f"key-of-{role}")
        return survey(make_client(server.url, key=secret, auth=auth), PATH, auth)

    return surveyed


def sell(site: CivicrmSimulator, card: object, type_name: str, status: str, **more: object) -> int:
    contact = site.world.add_contact("Zaphodine", "Quux", card=card)
    ends = date(2030, 1, 1)
    site.world.add_membership(
        contact, type_name, status=status, start_date=date(2026, 1, 1), end_date=ends
    )
    return contact


def test_types_come_in_the_sites_order_with_how_many_members_each_has(
    look: Look, site: CivicrmSimulator
) -> None:
    for status in ("Current", "New", "Expired"):
        sell(site, None, "Gold", status)
    trashed = sell(site, None, "Gold", "Current")
    site.world.trash(trashed)
    site.world.set_type_active("Silver", False)
    gold, silver, day_pass = look().types
    assert gold == TypeFound("Gold", "Gold member", True, members=2, fee=10.0, weight=gold.weight)
    assert (silver.name, silver.is_active, silver.members) == ("Silver", False, 0)
    assert day_pass.name == "Day Pass"


def test_statuses_come_with_whether_civicrm_counts_them_as_a_members(
    look: Look, site: CivicrmSimulator
) -> None:
    site.world.set_status_active("Grace", False)
    statuses = look().statuses
    assert [one.name for one in statuses if one.is_current] == ["New", "Current"]
    assert "Expired" in [one.name for one in statuses]
    assert "Grace" not in [one.name for one in statuses]


def test_fields_that_cannot_hold_one_number_are_left_out(
    look: Look, site: CivicrmSimulator
) -> None:
    world = site.world
    world.add_custom_group("More")
    world.add_custom_field("More", "size", options={"s": "Small", "l": "Large"})
    world.add_custom_field("More", "keys", is_list=True, options={"a": "A"})
    world.add_custom_field("More", "since", data_type="Date")
    world.add_custom_field("More", "badge", data_type="Integer")
    assert sorted(one.name for one in look().fields) == ["Door_Access.card_id", "More.badge"]


def test_a_field_is_judged_by_what_stands_in_it_and_tells_counts_alone(
    look: Look, site: CivicrmSimulator
) -> None:
    for card in ("51234", " 0077 ", "70000", "none yet", "51235"):
        site.world.add_contact("Zaphodine", "Quux", card=card)
    found = look()
    [field] = found.fields
    assert (field.filled, field.seen, field.numbers) == (5, 5, 3)
    assert field.label.endswith("Card number")
    for told in ("51234", "0077", "70000", "none yet", "Zaphodine"):
        assert told not in repr(found)


def test_an_old_site_is_read_as_well(look: Look, site: CivicrmSimulator) -> None:
    site.switches.version = "5.77"
    assert [one.label for one in look().types] == ["Gold", "Silver", "Day Pass"]


def test_a_key_that_is_wrong_is_not_sent_another_way(look: Look) -> None:
    with pytest.raises(KeyNotTaken, match="does not know the API key") as caught:
        look(key="nobodys-key")
    assert caught.value.other is None


def test_a_header_that_gets_lost_names_the_other_way(look: Look, site: CivicrmSimulator) -> None:
    site.switches.drops_authorization = True
    with pytest.raises(KeyNotTaken) as caught:
        look(auth="authorization")
    assert caught.value.other == "x-civi-auth"


def test_a_site_that_takes_no_keys_in_this_header_names_the_other_way(
    look: Look, site: CivicrmSimulator
) -> None:
    site.switches.xheader_credentials = frozenset()
    with pytest.raises(KeyNotTaken) as caught:
        look()
    assert caught.value.other == "authorization"


@pytest.mark.parametrize(
    ("role", "right"),
    [
        ("noview", "view all contacts"),
        ("acl", "view all contacts"),
        ("nomember", "access CiviMember"),
        ("nocivi", "access CiviCRM"),
        ("nouserperm", "authenticate with api key"),
    ],
)
def test_a_missing_right_is_named(look: Look, role: str, right: str) -> None:
    with pytest.raises(SourceDistrusted) as caught:
        look(role)
    assert right in caught.value.remedy


def test_a_key_without_custom_data_sees_no_field(look: Look) -> None:
    assert look("nocustom").fields == ()


def test_the_component_that_is_switched_off_is_named(look: Look, site: CivicrmSimulator) -> None:
    site.switches.civimember = False
    with pytest.raises(SourceDistrusted) as caught:
        look()
    assert "CiviMember" in caught.value.remedy


def test_civicrm_is_known_by_a_key_that_it_refuses(server: Server, make_client: MakeClient) -> None:
    is_civicrm(make_client(server.url, key="nobodys-key"), PATH)


def test_what_is_not_civicrm_is_known_without_a_key(
    server: Server, make_client: MakeClient, site: CivicrmSimulator
) -> None:
    with pytest.raises(SourceDistrusted, match="no CiviCRM at that address"):
        is_civicrm(make_client(server.url), "/elsewhere")
    site.switches.pretty_urls = False
    with pytest.raises(SourceDistrusted):
        is_civicrm(make_client(server.url), PATH)


def test_fees_may_come_as_text_or_be_hidden() -> None:
    """Money is a text in some versions; a site may keep it from the key."""
    from door_sync.civicrm.survey import _number

    assert [_number(fee) for fee in ("12.50", 12, None, "free")] == [12.5, 12.0, 0.0, 0.0]
