"""One person's taps and refusals, out of a system log that promises little (UniFi sheet §13)."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import UserId
from door_sync.ports import ControllerDistrusted, ControllerUnreachable
from door_sync.simulators.faults import Reset, json_answer
from door_sync.simulators.unifi.simulator import UnifiSimulator
from door_sync.unifi import taps
from door_sync.unifi.client import UnifiController
from door_sync.unifi.taps import Bearer, Taps, Whose
from tests.unifi.conftest import FACILITY, Connect

DAY = timedelta(days=1)


class Club:
    """A door, and Ann and Bob with their cards, 1001 and 1002; the log's clock moves by hand."""

    def __init__(self, simulator: UnifiSimulator) -> None:
        self.simulator = simulator
        self.world = simulator.world
        self.door = self.world.add_door("Front").id
        self.policy = self.world.add_policy("Always", [self.door]).id
        self.ann = self.member("Ann", 1001)
        self.bob = self.member("Bob", 1002)
        self.now = datetime.now(UTC)

    def member(self, name: str, number: int) -> str:
        user = self.world.add_user(name, "Lee", policy_ids=[self.policy]).id
        self.world.add_card(FACILITY, number, holder_id=user)
        return user

    def tap(self, number: int, *, ago: timedelta = timedelta(hours=1)) -> None:
        at = (self.now - ago).timestamp()
        self.world.tap(FACILITY, number, self.door, at)

    def bearer(self, *, with_card: bool = True) -> Bearer:
        """Ann, as the program knows her."""
        tokens = {CardToken(card.token) for card in self.world.cards_of(self.ann)}
        number = CardNumber(1001) if with_card else None
        users = frozenset({UserId(self.ann)})
        return Bearer(users, frozenset(tokens if with_card else set()), number)

    def read(
        self, controller: UnifiController, *, with_card: bool = True, since: timedelta = DAY
    ) -> Taps:
        bearer = self.bearer(with_card=with_card)
        found = controller.taps(bearer, self.now - since, self.now)
        assert found is not None
        return found


@pytest.fixture
def club(simulator: UnifiSimulator) -> Club:
    return Club(simulator)


def told(found: Taps) -> list[tuple[bool, Whose]]:
    return [(tap.opened, tap.whose) for tap in found.taps]


def test_taps_and_refusals_come_with_door_and_time_the_newest_first(
    club: Club, controller: UnifiController
) -> None:
    club.tap(1001, ago=2 * timedelta(hours=1))
    club.world.set_status(club.ann, "DEACTIVATED")
    club.tap(1001, ago=timedelta(hours=1))
    found = club.read(controller)
    assert told(found) == [(False, Whose.USER), (True, Whose.USER)]
    assert [tap.door for tap in found.taps] == ["Front", "Front"]
    assert abs(found.taps[1].at - (club.now - 2 * timedelta(hours=1))) < timedelta(seconds=2)
    assert found.is_whole


PAGES: tuple[dict[str, object], ...] = (
    {},
    {"page_size_cap": 2},
    {"past_the_end": "last page"},
    {"past_the_end": "refused"},
)
READINGS: list[dict[str, object]] = [
    {"log_counts": counts, "log_ids": ids, "log_order": order, "log_bounds": bounds, **pages}
    for counts, ids, order, bounds, pages in product(
        ("inside data", "beside data", "bare list"),
        ("growing", "empty"),
        ("newest first", "oldest first"),
        ("included", "excluded"),
        PAGES,
    )
]


@pytest.mark.parametrize("switches", READINGS[::5], ids=str)
def test_the_same_is_found_under_every_reading_of_the_log(
    club: Club, controller: UnifiController, switches: dict[str, object]
) -> None:
    for hours in range(1, 6):
        club.tap(1001, ago=timedelta(hours=hours))
        club.tap(1002, ago=timedelta(hours=hours))
    club.simulator.switch(**switches)
    assert told(club.read(controller)) == [(True, Whose.USER)] * 5


def test_nothing_of_anybody_else_is_returned(club: Club, controller: UnifiController) -> None:
    club.tap(1002)
    club.tap(1003)
    assert club.read(controller) == Taps(())


def test_a_filter_that_the_controller_forgets_changes_nothing(
    club: Club, controller: UnifiController
) -> None:
    """Entries are kept by what stands in them, not because they were asked for."""
    club.tap(1002)
    answer = club.simulator.world.taps
    assert [tap.holder.id for tap in answer if tap.holder] == [club.bob]
    bob = controller.taps(Bearer(frozenset({UserId(club.bob)})), club.now - DAY, club.now)
    assert bob is not None
    assert len(bob.taps) == 1
    hits = {"hits": [_entry(club.bob, club.now - timedelta(hours=1))]}
    document = {"code": "SUCCESS", "msg": "", "data": hits}
    club.simulator.faults.add(json_answer(document), path="/system/logs")
    assert club.read(controller, with_card=False) == Taps(())


def _entry(actor: str, at: datetime) -> dict[str, object]:
    source = {"actor": {"id": actor}, "event": {"result": "ACCESS"}, "target": None}
    return {"@timestamp": at.isoformat(), "_source": source}


@pytest.mark.parametrize("is_known", [True, False], ids=["free", "unknown"])
@pytest.mark.parametrize("names_cards", [True, False])
def test_a_card_that_is_nobodys_is_found_by_its_number_or_token(
    club: Club, controller: UnifiController, is_known: bool, names_cards: bool
) -> None:
    club.simulator.switch(cards_in_log=names_cards)
    card = club.world.card_with_number((FACILITY << 16) | 1001)
    assert card is not None
    if is_known:
        club.world.free(card.token)
    else:
        club.world.delete_card(card.token)
    club.tap(1001)
    assert told(club.read(controller)) == [(False, Whose.CARD)]
    assert club.read(controller, with_card=False) == Taps(())


def test_what_a_card_did_in_another_hand_is_not_told(
    club: Club, controller: UnifiController
) -> None:
    card = club.world.card_with_number((FACILITY << 16) | 1001)
    assert card is not None
    club.world.bind(card.token, club.bob)
    club.tap(1001)
    club.world.bind(card.token, club.ann)
    assert club.read(controller) == Taps(())


def test_only_the_time_asked_for_is_told(club: Club, controller: UnifiController) -> None:
    club.tap(1001, ago=timedelta(hours=30))
    club.tap(1001, ago=timedelta(hours=3))
    assert len(club.read(controller).taps) == 1
    assert len(club.read(controller, since=2 * DAY).taps) == 2


def test_a_log_without_end_is_left_after_so_many_pages(
    club: Club, controller: UnifiController, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taps, "PAGE_SIZE", 2)
    for minute in range(30):
        club.tap(1001, ago=timedelta(minutes=minute + 1))
    club.simulator.journal.clear()
    found = club.read(controller, with_card=False)
    assert (len(found.taps), found.is_whole) == (2 * taps.MOST_PAGES, False)
    assert len(club.simulator.journal.requests()) == taps.MOST_PAGES


def test_without_the_right_there_is_no_answer_and_no_error(connect: Connect, club: Club) -> None:
    scopes = [f"view:{family}" for family in ("user", "credential")]
    club.world.add_token("few", scopes=scopes)
    assert connect(token="few").taps(club.bearer(), club.now - DAY, club.now) is None


@pytest.mark.parametrize(
    "data",
    [
        {"hits": "none"},
        "none",
        [{"@timestamp": "yesterday", "_source": {"actor": {"id": "ANN"}}}],
        [{"_source": {}}],
    ],
    ids=str,
)
def test_what_is_no_log_is_distrusted_without_a_word_of_it(
    club: Club, controller: UnifiController, data: object
) -> None:
    text = str(data)
    if isinstance(data, list) and "ANN" in text:
        data[0]["_source"]["actor"]["id"] = club.ann
    document = {"code": "SUCCESS", "msg": "", "data": data}
    club.simulator.faults.add(json_answer(document), path="/system/logs")
    with pytest.raises(ControllerDistrusted) as caught:
        club.read(controller)
    assert "yesterday" not in str(caught.value)


@pytest.mark.parametrize("data", [None, {"hits": None}, {}])
def test_an_empty_log_may_be_nothing_at_all(
    club: Club, controller: UnifiController, data: object
) -> None:
    document = {"code": "SUCCESS", "msg": "", "data": data}
    club.simulator.faults.add(json_answer(document), path="/system/logs")
    assert club.read(controller) == Taps(())


def test_a_time_without_a_zone_and_an_issuer_that_is_no_number_are_borne(
    club: Club, controller: UnifiController
) -> None:
    at = (club.now - timedelta(hours=1)).replace(tzinfo=None)
    entry = _entry(club.ann, at)
    other = {**_entry("", at), "@timestamp": club.now.isoformat()}
    other["_source"] = {"authentication": {"issuer": "a phone"}}
    document = {"code": "SUCCESS", "msg": "", "data": [entry, other]}
    club.simulator.faults.add(json_answer(document), path="/system/logs")
    assert told(club.read(controller)) == [(True, Whose.USER)]


def test_silence_is_the_controllers(club: Club, controller: UnifiController) -> None:
    club.simulator.faults.add(Reset(), path="/system/logs", times=None)
    with pytest.raises(ControllerUnreachable):
        club.read(controller)
