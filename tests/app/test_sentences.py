"""Parts of messages become whole sentences, and commands and settings keep their spelling."""

import pytest

from door_sync.app.sentences import each_once, named, sentence
from door_sync.core.people import ContactId


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("if that is right, raise it", "If that is right, raise it."),
        ("Wait until it has ended.", "Wait until it has ended."),
        ("is that so?", "Is that so?"),
        ("look here!", "Look here!"),
        (" the list of users: no answer ", "The list of users: no answer."),
        ("somebody's card", "Somebody's card."),
        (
            "https://192.0.2.10:12445 cannot be reached",
            "https://192.0.2.10:12445 cannot be reached.",
        ),
        ("safety.mass_add_pct is too low", "safety.mass_add_pct is too low."),
        ("door-sync cannot work there", "door-sync cannot work there."),
        ("12 of 40 people", "12 of 40 people."),
        ("", ""),
    ],
)
def test_a_text_gets_a_capital_and_a_full_stop_where_it_needs_them(text: str, whole: str) -> None:
    assert sentence(text) == whole


@pytest.mark.parametrize(
    ("contacts", "text"),
    [([7], "contact 7"), ([12, 7], "contacts 7, 12"), ([7, 12, 7], "contacts 7, 12")],
)
def test_contacts_are_named_once_and_in_order(contacts: list[int], text: str) -> None:
    assert named(map(ContactId, contacts)) == text


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["Wait.", "Wait."], "Wait."),
        (["Wait.", "Look."], "Wait. Look."),
        (["", "Look.", ""], "Look."),
        ([], ""),
    ],
)
def test_what_two_say_is_said_once(texts: list[str], told: str) -> None:
    assert each_once(texts) == told
