"""Seed files that cannot be used: where the fault is, what it is, and what to do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from door_sync.cli.simulate.seeds import BadSeed, civicrm_site, load_seed, unifi_controller

SIDES = ("civicrm", "unifi")
LOADERS: dict[str, Callable[[Path], object]] = {
    "civicrm": civicrm_site,
    "unifi": unifi_controller,
}


def refusal(side: str, path: Path) -> BadSeed:
    with pytest.raises(BadSeed) as refused:
        LOADERS[side](path)
    assert refused.value.exit_code == 78
    return refused.value


BAD_SEEDS: list[tuple[str, object, str]] = [
    *[
        (side, document, said)
        for side in SIDES
        for document, said in (
            ("{", "it is no JSON: Expecting property name enclosed in double quotes (line 1"),
            ("[" * 100_000, "it is no JSON in UTF-8"),
            ([1], "it must hold an object"),
        )
    ],
    ("civicrm", {"people": []}, "it has an unknown key 'people'; known are card_field, custom_"),
    ("civicrm", {"card_field": 5}, "card_field must be a text"),
    ("civicrm", {"contacts": {}}, "contacts must be a list"),
    ("civicrm", {"contacts": [{}, 5]}, "contacts, row 2: it must be an object"),
    (
        "civicrm",
        {"contacts": [{"first_name": "A"}, {"first_name": "B", "nick": "C"}]},
        "contacts, row 2: a Contact has no nick",
    ),
    (
        "civicrm",
        {"contacts": [{"first_name": "A"}, {"first_name": "B", "is_deleted": "yes"}, {}]},
        "contacts, row 2: is_deleted: input should be a valid boolean",
    ),
    (
        "civicrm",
        {
            "membership_types": [{"name": "Maker"}],
            "contacts": [
                {"memberships": [{"type": "Maker"}]},
                {"memberships": [{"type": "Maker"}]},
                {"memberships": [{"type": "Maker"}, {"type": "Mkaer"}]},
                {"memberships": [{"type": "Maker"}]},
            ],
        },
        "contacts, row 3: no such name: Mkaer",
    ),
    (
        "civicrm",
        {"contacts": [{"id": 7}, {"id": 7}]},
        "contacts, row 2: the id 7 cannot be given in contacts",
    ),
    ("civicrm", {"membership_types": [{}]}, "membership_types, row 1: there is no 'name'"),
    (
        "civicrm",
        {"memberships": [{"type": "X", "contact_id": 2}]},
        "memberships, row 1: no such name: X",
    ),
    ("civicrm", {"keys": [{"key": "k", "role": "king"}]}, "keys, row 1: no such role: king"),
    ("civicrm", {"keys": [{"role": "full"}]}, "keys, row 1: it has a wrong key, lacks one, or"),
    (
        "civicrm",
        {"contacts": [{"first_name": ["A"]}]},
        "contacts, row 1: it has a wrong key, lacks one, or has a value of a wrong kind",
    ),
    ("unifi", {"people": []}, "people: extra inputs are not permitted"),
    (
        "unifi",
        {"users": [{"first_name": "A", "last_name": "B"}, {"first_name": 5}]},
        "users, row 2, last_name: field required",
    ),
    (
        "unifi",
        {"doors": [{"name": "Front"}], "policies": [{"name": "P", "doors": ["Frnt"]}]},
        "policies, row 1: 0 entries of the seed are called 'Frnt'",
    ),
    (
        "unifi",
        {"door_groups": [{"name": "G"}, {"name": "H"}, {"name": "G"}]},
        "door_groups, row 3: the controller would refuse it (CODE_OPERATION_FORBIDDEN)",
    ),
    (
        "unifi",
        {"cards": [{"facility": 1, "number": 2}, {"facility": 1, "number": 2}]},
        "cards, row 2: this card is there already",
    ),
    ("unifi", {"tokens": [{"secret": "s"}], "switches": {"unbind": "x"}}, "unbind: input should"),
    ("unifi", {"switches": {"unbnd": "put"}}, "unbnd: "),
]


@pytest.mark.parametrize(("side", "document", "said"), BAD_SEEDS)
def test_a_bad_seed_is_said_with_its_place_and_a_remedy(
    side: str, document: object, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "seed.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    refused = refusal(side, path)
    assert refused.message.startswith(f"the seed {path} cannot be used: ")
    assert said in refused.message
    assert f"door-sync simulate {side} --seed-format" in refused.remedy


@pytest.mark.parametrize("rows", range(1, 12))
def test_the_first_bad_row_is_found_wherever_it_is(rows: int, tmp_path: Path) -> None:
    """Also where a later row is bad too: the loader never got there."""
    path = tmp_path / "seed.json"
    for bad in range(1, rows + 1):
        contacts = [{"nick": "C"} if row in {bad, rows} else {} for row in range(1, rows + 1)]
        path.write_text(json.dumps({"groups": [{"name": "All"}], "contacts": contacts}))
        place = f"contacts, row {bad}: a Contact has no nick"
        assert refusal("civicrm", path).message.endswith(place)


def test_a_seed_that_is_not_in_utf_8_is_said(tmp_path: Path) -> None:
    path = tmp_path / "seed.json"
    path.write_bytes(b'{"a": "\xff"}')
    assert "it is no JSON in UTF-8" in refusal("civicrm", path).message


@pytest.mark.parametrize("side", SIDES)
def test_a_seed_that_cannot_be_read_is_said(side: str, tmp_path: Path) -> None:
    missing = refusal(side, tmp_path / "nowhere.json")
    assert "there is no such file" in missing.message
    assert "--seed" in missing.remedy
    assert "it is a directory" in refusal(side, tmp_path).message


def test_a_fault_that_is_in_no_row_is_given_no_place(tmp_path: Path) -> None:
    """The search for the row ends there instead of blaming the first one."""

    def refuse(_document: dict[str, Any]) -> object:
        raise ValueError("the moon is full")

    with pytest.raises(BadSeed) as refused:
        load_seed(tmp_path / "seed.json", "unifi", {"users": [{}]}, ["users"], refuse)
    assert refused.value.message.endswith("cannot be used: the moon is full")
