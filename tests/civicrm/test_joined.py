"""Reading everybody with a membership from a simulated site, with a card or without."""

import json
from collections.abc import Callable
from datetime import date
from urllib.parse import parse_qs

import pytest

from door_sync.civicrm import CivicrmSource
from door_sync.core.people import ContactId
from door_sync.ports import SourceDistrusted
from door_sync.simulators.civicrm import CivicrmSimulator
from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.faults import Hook, Rewrite

MakeSource = Callable[..., CivicrmSource]
END = date(2027, 5, 6)


def calls(request: SeenRequest) -> set[str]:
    return set(json.loads(parse_qs(request.body.decode())["calls"][0]))


def join(
    site: CivicrmSimulator, status: str = "Current", *, card: str | None = None, email: str = ""
) -> ContactId:
    """Add a contact with a membership of this status; return its id."""
    number = site.world.add_contact("Ann", "Lee", card=card, email=email or None)
    site.world.add_membership(number, "Gold", status=status, end_date=END)
    return ContactId(number)


def test_everybody_with_a_membership_of_any_status_comes_with_a_card_or_without(
    site: CivicrmSimulator, make_source: MakeSource
) -> None:
    with_card = join(site, card="10013")
    without = join(site, email="ann@example.org")
    lapsed = join(site, "Expired")
    site.world.add_contact("No", "Member", card="10014")
    found = make_source(page_size=2).read_joined()
    assert {one: [m.status for m in found[one].memberships] for one in found} == {
        with_card: ["Current"],
        without: ["Current"],
        lapsed: ["Expired"],
    }
    assert found[without].email == "ann@example.org"
    assert found[with_card].card is not None


def test_who_is_in_the_trash_and_test_memberships_stay_out(
    site: CivicrmSimulator, make_source: MakeSource
) -> None:
    trashed = join(site)
    site.world.trash(trashed)
    tester = site.world.add_contact("Tess", "Test")
    site.world.add_membership(tester, "Gold", status="Current", end_date=END, is_test=True)
    assert make_source().read_joined() == {}


def test_a_list_that_moves_while_it_is_read_is_read_again(
    site: CivicrmSimulator, make_source: MakeSource
) -> None:
    """Somebody joins after the first count, once: the second reading is whole."""
    first = join(site)
    late: list[ContactId] = []

    def somebody_joins(_: SeenRequest) -> None:
        late.append(join(site))

    site.faults.add(Hook(somebody_joins, after=True), where=lambda r: calls(r) == {"count"})
    assert set(make_source().read_joined()) == {first, *late}


def test_contacts_that_never_come_are_not_believed(
    site: CivicrmSimulator, make_source: MakeSource
) -> None:
    """A key that sees memberships and not their contacts would make everybody a stranger."""
    join(site)

    def without_contacts(document: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
        return {
            name: {**part, "values": [], "count": 0, "countFetched": 0, "countMatched": 0}
            for name, part in document.items()
        }

    site.faults.add(Rewrite(without_contacts), where=lambda r: calls(r) == {"contacts"}, times=None)
    with pytest.raises(SourceDistrusted, match="of 1 contacts with a membership 1 did not come"):
        make_source().read_joined()


def test_fewer_contacts_than_counted_are_not_believed(
    site: CivicrmSimulator, make_source: MakeSource
) -> None:
    join(site)

    def more(document: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
        return {name: {**part, "countMatched": 2} for name, part in document.items()}

    site.faults.add(Rewrite(more), where=lambda r: calls(r) == {"contacts"}, times=None)
    with pytest.raises(SourceDistrusted, match="does not hold as many rows as it counts"):
        make_source().read_joined()
