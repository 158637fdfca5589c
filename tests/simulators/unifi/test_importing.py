"""The import of cards: rules 39 to 43 of §19 of the UniFi sheet."""

from typing import TYPE_CHECKING, Any

import pytest

from door_sync.simulators.unifi import UnifiSimulator, World
from door_sync.simulators.unifi.records import Holder

if TYPE_CHECKING:
    from tests.simulators.unifi.conftest import Api


def imported(api: "Api", text: str) -> list[dict[str, Any]]:
    rows = api.done(api.import_cards(text))
    assert isinstance(rows, list)
    return rows


def test_each_row_gives_one_object_and_a_free_card(api: "Api", world: World) -> None:
    """Rules 39 and 43: the first row is data; an alias may be left out."""
    rows = imported(api, "2A04D2,sync-01234\r\n2A04D3,\n2A04D4\n")
    assert [(row["nfc_id"], row["alias"]) for row in rows] == [
        ("2A04D2", "sync-01234"),
        ("2A04D3", ""),
        ("2A04D4", ""),
    ]
    assert all(row.keys() == {"alias", "nfc_id", "token"} for row in rows)
    cards = [world.cards[row["token"]] for row in rows]
    assert [(card.status, card.alias, card.card_type) for card in cards] == [
        ("pending", "sync-01234", "id_card"),
        ("pending", "", "id_card"),
        ("pending", "", "id_card"),
    ]
    number = world.card_with_number((42 << 16) | 1234)
    assert number is not None
    assert number.token == rows[0]["token"]


def test_the_part_must_be_named_file(api: "Api", world: World) -> None:
    """Rule 39."""
    assert api.refused(api.import_cards("2A04D2,x", part="csv")) == "CODE_PARAMS_INVALID"
    assert len(world.cards) == 0


@pytest.mark.parametrize(
    "request_parts",
    [
        {"json": {"file": "2A04D2,x"}},
        {"content": b"2A04D2,x", "headers": {"Content-Type": "text/csv"}},
        {"content": b"2A04D2,x", "headers": {"Content-Type": "multipart/form-data"}},
        {"content": b"garbage", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"files": {"file": ("cards.csv", b"", "text/csv")}},
        {"files": {"file": ("cards.csv", b"\xff\xfe2A04D2", "text/csv")}},
        {"files": {"file": ("cards.csv", b'"' + b"0" * 200_000, "text/csv")}},
    ],
)
def test_a_body_that_is_no_readable_file_is_refused(
    api: "Api", world: World, request_parts: dict[str, Any]
) -> None:
    """Rule 39."""
    response = api.call("POST", "/credentials/nfc_cards/import", **request_parts)
    assert api.refused(response) == "CODE_PARAMS_INVALID"
    assert len(world.cards) == 0


def test_a_part_without_a_file_name_counts_too(api: "Api") -> None:
    """Rule 39: it is the part's name that is looked at."""
    response = api.call(
        "POST", "/credentials/nfc_cards/import", files={"file": (None, "2A04D2,sync-01234")}
    )
    assert api.done(response)[0]["token"]


@pytest.mark.parametrize("number", ["XYZ", "2a04d2", "", " 2A04D2", "0x2A", "1" * 21])
def test_what_is_no_upper_case_hex_fails_its_row_and_not_the_others(
    api: "Api", world: World, number: str
) -> None:
    """Rule 39: the envelope says SUCCESS all the same."""
    rows = imported(api, f"{number},bad\n2A04D3,good\n")
    assert [bool(row["token"]) for row in rows] == [False, True]
    assert rows[0] == {"alias": "bad", "nfc_id": number, "token": ""}
    assert len(world.cards) == 1


def test_lower_case_may_be_accepted(api: "Api", world: World, simulator: UnifiSimulator) -> None:
    """Rule 39: a switch; the number is the same in either case."""
    simulator.switch(lower_case_nfc_id="accepted")
    [row] = imported(api, "2a04d2,sync-01234\n")
    assert world.card_with_number(0x2A04D2) == world.cards[row["token"]]
    assert imported(api, "2A04D2,other\n")[0]["token"] == ""


def test_an_odd_count_of_digits_is_accepted_or_not(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """C7: a facility below 16; a leading zero makes the same number."""
    assert imported(api, "A04D2,a\n")[0]["token"]
    assert imported(api, "0A04D2,b\n")[0]["token"] == ""
    simulator.switch(odd_length_nfc_id="row fails")
    assert imported(api, "A04D3,c\n")[0]["token"] == ""
    assert imported(api, "0A04D3,c\n")[0]["token"]


def test_an_alias_in_use_or_twice_in_the_file_fails_its_row(api: "Api", world: World) -> None:
    """Rule 40: the others go on."""
    world.add_card(42, 1, alias="taken")
    rows = imported(api, "2A0002,taken\n2A0003,twice\n2A0004,twice\n2A0005,fine\n")
    assert [bool(row["token"]) for row in rows] == [False, True, False, True]
    assert world.card_with_number(0x2A0002) is None
    assert world.card_with_number(0x2A0004) is None


@pytest.mark.parametrize(
    "text",
    [
        "2A0002,taken\n2A0005,fine\n",
        "2A0005,fine\n2A0003,twice\n2A0004,twice\n",
        "2A0005,fine\n2a0003,lower\n",
        "2A0005,fine\n2A0001,known\n",
        "2A0005,fine\n2A0005,again\n",
        "NFC_ID,alias\n2A0005,fine\n",
    ],
)
def test_one_bad_row_may_refuse_the_whole_file(
    api: "Api", world: World, simulator: UnifiSimulator, text: str
) -> None:
    """Rule 40: a switch; then nothing of the file is imported."""
    world.add_card(42, 1, alias="taken")
    simulator.switch(bad_row="file fails")
    assert api.refused(api.import_cards(text)) == "CODE_PARAMS_INVALID"
    assert len(world.cards) == 1
    assert imported(api, "2A0005,fine\n2A0006,\n2A0007,\n")[0]["token"]


def test_a_known_card_answers_an_empty_token(api: "Api", world: World) -> None:
    """Rule 41: and stays as it was."""
    card = world.add_card(42, 1, alias="by hand")
    rows = imported(api, "2A0001,sync-00001\n")
    assert rows == [{"alias": "sync-00001", "nfc_id": "2A0001", "token": ""}]
    assert list(world.cards) == [card]


@pytest.mark.parametrize("bad_row", ["row fails", "file fails"])
def test_a_known_card_may_answer_its_token(
    api: "Api", world: World, simulator: UnifiSimulator, bad_row: str
) -> None:
    """Rule 41: a switch; neither its alias nor its holder changes."""
    simulator.switch(known_card="same token", bad_row=bad_row)
    user = world.add_user("Ann", "Lee")
    card = world.add_card(42, 1, alias="by hand", holder_id=user.id)
    rows = imported(api, "2A0001,sync-00001\n2A0002,sync-00002\n")
    assert rows[0] == {"alias": "sync-00001", "nfc_id": "2A0001", "token": card.token}
    assert rows[1]["token"] not in ("", card.token)
    assert world.cards[card.token].alias == "by hand"
    assert world.cards[card.token].holder == Holder("USER", user.id)


def test_a_header_and_nine_columns_fail_their_rows(api: "Api", world: World) -> None:
    """Rule 42: that is the format of the console's own template."""
    rows = imported(api, "NFC_ID,alias\nAnn,Lee,a@x.org,1,2,2A04D2,5,6,7\n2A04D3,fine\n")
    assert [bool(row["token"]) for row in rows] == [False, False, True]
    assert len(world.cards) == 1


def test_the_space_after_a_comma_becomes_part_of_the_alias(api: "Api", world: World) -> None:
    """§10.4: do not send one."""
    [row] = imported(api, "2A04D2, sync-01234\n")
    assert world.cards[row["token"]].alias == " sync-01234"


def test_the_answer_may_come_in_another_order(
    api: "Api", world: World, simulator: UnifiSimulator
) -> None:
    """§10.4: not promised; match by number."""
    simulator.switch(import_answer_order="reversed")
    rows = imported(api, "2A0001,a\n2A0002,b\n")
    assert [row["nfc_id"] for row in rows] == ["2A0002", "2A0001"]
    assert [world.cards[row["token"]].alias for row in rows] == ["b", "a"]
