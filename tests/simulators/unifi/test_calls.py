"""Lists in pages: rules 11 to 14 of §19 of the UniFi sheet."""

from typing import TYPE_CHECKING, Any

import pytest

from door_sync.simulators.faults import Hook
from door_sync.simulators.unifi import ManualClock, UnifiSimulator, World

if TYPE_CHECKING:
    from tests.simulators.unifi.conftest import Api

CARD_LIST = "/credentials/nfc_cards/tokens"


@pytest.fixture
def users(world: World) -> list[str]:
    """Seven users, in the order in which they were made."""
    return [world.add_user("User", str(number)).id for number in range(7)]


def page(api: "Api", path: str = "/users", **params: Any) -> tuple[list[str], dict[str, int]]:
    document = api.get(path, **params).json()
    return [row["id"] for row in document["data"]], document["pagination"]


def test_pages_count_from_one_and_tell_their_own_rows_and_the_total(
    api: "Api", users: list[str]
) -> None:
    """Rule 11: ``page_size`` is the number of rows returned, not the size asked for."""
    first, told = page(api, page_num=1, page_size=3)
    assert told == {"page_num": 1, "page_size": 3, "total": 7}
    second, told = page(api, page_num=2, page_size=3)
    assert told == {"page_num": 2, "page_size": 3, "total": 7}
    third, told = page(api, page_num=3, page_size=3)
    assert told == {"page_num": 3, "page_size": 1, "total": 7}
    assert sorted(first + second + third) == sorted(users)


def test_a_size_larger_than_the_list_is_answered_with_the_size_of_the_list(
    api: "Api", users: list[str]
) -> None:
    """Rule 11, the samples of §4."""
    _, told = page(api, page_num=1, page_size=25)
    assert told == {"page_num": 1, "page_size": 7, "total": 7}


def test_past_the_end_there_is_nothing_and_the_total_stands(api: "Api", users: list[str]) -> None:
    """Rule 11."""
    assert page(api, page_num=9, page_size=3) == (
        [],
        {"page_num": 9, "page_size": 0, "total": 7},
    )


def test_past_the_end_may_repeat_the_last_page_or_be_refused(
    api: "Api", simulator: UnifiSimulator, users: list[str]
) -> None:
    """Rule 11: a switch."""
    simulator.switch(past_the_end="last page")
    last, _ = page(api, page_num=3, page_size=3)
    assert page(api, page_num=9, page_size=3)[0] == last
    simulator.switch(past_the_end="refused")
    assert api.refused(api.get("/users", page_num=9, page_size=3)) == "CODE_PARAMS_INVALID"


def test_an_empty_list_has_an_empty_first_page(api: "Api", simulator: UnifiSimulator) -> None:
    """Rule 11, whatever lies past the end."""
    simulator.switch(past_the_end="refused")
    assert page(api, page_num=1, page_size=3) == (
        [],
        {"page_num": 1, "page_size": 0, "total": 0},
    )


def test_without_paging_the_whole_list_comes(api: "Api", world: World) -> None:
    """Rule 12."""
    for number in range(30):
        world.add_user("User", str(number))
    ids, told = page(api)
    assert len(ids) == 30
    assert told == {"page_num": 1, "page_size": 30, "total": 30}


def test_without_paging_there_may_be_25_rows(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 12, C6."""
    simulator.switch(rows_without_paging=25)
    for number in range(30):
        world.add_user("User", str(number))
    ids, told = page(api)
    assert len(ids) == 25
    assert told == {"page_num": 1, "page_size": 25, "total": 30}


def test_one_parameter_alone_is_enough(api: "Api", world: World) -> None:
    """A size without a number is the first page; a number without a size has pages of 25."""
    for number in range(30):
        world.add_user("User", str(number))
    assert page(api, page_size=4)[1] == {"page_num": 1, "page_size": 4, "total": 30}
    assert page(api, page_num=2)[1] == {"page_num": 2, "page_size": 5, "total": 30}


def test_a_page_may_be_capped_below_what_was_asked(
    api: "Api", simulator: UnifiSimulator, users: list[str]
) -> None:
    """§4 and design §9: a short page is no sign of the end."""
    simulator.switch(page_size_cap=2)
    pages = [page(api, page_num=number, page_size=100) for number in (1, 2, 3, 4)]
    assert [len(ids) for ids, _ in pages] == [2, 2, 2, 1]
    assert {told["total"] for _, told in pages} == {7}
    assert sorted(one for ids, _ in pages for one in ids) == sorted(users)


@pytest.mark.parametrize("value", ["0", "-1", "x", "", "1.5"])
@pytest.mark.parametrize("name", ["page_num", "page_size"])
def test_a_page_that_is_no_number_from_one_is_refused(api: "Api", name: str, value: str) -> None:
    """Rule 10."""
    assert api.refused(api.get("/users", **{name: value})) == "CODE_PARAMS_INVALID"


def test_only_the_paged_lists_carry_pagination(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """Rule 13; the search does so by switch, its sample shows none."""
    user = world.add_user("Ann", "Lee")
    paged = ["/users", "/visitors", CARD_LIST]
    plain = ["/access_policies", "/doors", "/door_groups", f"/users/{user.id}/access_policies"]
    assert all("pagination" in api.get(path).json() for path in paged)
    assert not any("pagination" in api.get(path).json() for path in [*plain, "/users/search"])
    simulator.switch(search_pagination=True)
    assert "pagination" in api.get("/users/search").json()


def test_the_order_is_stable_and_not_that_of_creation(
    api: "Api", world: World, users: list[str]
) -> None:
    """Rule 14: also when ids grow as they are given."""
    ids, _ = page(api)
    assert ids == page(api)[0]
    assert ids != users
    world.set_status(users[0], "DEACTIVATED")
    assert ids == page(api)[0]
    named = [world.add_user("N", "N", user_id=f"user-{number:02}").id for number in range(10)]
    assert [one for one in page(api)[0] if one in named] != named


def test_the_order_may_change_between_pages(
    api: "Api", simulator: UnifiSimulator, users: list[str]
) -> None:
    """Rule 14: then pages miss rows and repeat others, while the total stands."""
    simulator.switch(reorder_between_pages=True)
    rounds = [
        [one for number in (1, 2, 3) for one in page(api, page_num=number, page_size=3)[0]]
        for _ in range(5)
    ]
    assert all(len(collected) == 7 for collected in rounds)
    assert any(len(set(collected)) < 7 for collected in rounds)


def test_a_row_may_appear_between_two_pages(
    api: "Api", simulator: UnifiSimulator, users: list[str]
) -> None:
    """Rule 14: by a hook on the first page."""
    new = Hook(lambda _: simulator.world.add_user("New", "Comer"), after=True)
    simulator.faults.add(new, method="GET", path="/users")
    assert page(api, page_num=1, page_size=4)[1]["total"] == 7
    assert page(api, page_num=2, page_size=4)[1]["total"] == 8


def test_cards_and_visitors_are_paged_alike(api: "Api", world: World, clock: ManualClock) -> None:
    """Rule 13."""
    for number in range(3):
        world.add_card(42, number)
        world.add_visitor("Vic", str(number), int(clock()), int(clock()) + 60)
    for path, key in ((CARD_LIST, "token"), ("/visitors", "id")):
        documents = [api.get(path, page_num=n, page_size=2).json() for n in (1, 2)]
        assert [d["pagination"]["page_size"] for d in documents] == [2, 1]
        assert {d["pagination"]["total"] for d in documents} == {3}
        assert len({row[key] for d in documents for row in d["data"]}) == 3
