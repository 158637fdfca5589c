"""Who is who: pairs for a person to confirm, doubts with their reasons, and nobody twice."""

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from door_sync.core.controller import Snapshot, User, UserId, UserStatus
from door_sync.core.matching import (
    Agreement,
    Caution,
    Doubt,
    Matching,
    agreements,
    contact_name_key,
    match,
    name_key,
    pair_of,
    strangers,
)
from door_sync.core.names import NO_LAST_NAME
from door_sync.core.people import ContactId, Member

BOTH = (Agreement.ADDRESS, Agreement.NAME)


def user(
    user_id: str = "u1",
    first: str = "Ann",
    last: str = "Lee",
    email: str = "",
    *,
    console: str = "",
    contact: int | None = None,
    status: UserStatus = UserStatus.ACTIVE,
    other: str = "",
) -> User:
    """A user made by hand."""
    return User(
        UserId(user_id),
        first,
        last,
        email,
        console,
        None if contact is None else ContactId(contact),
        status,
        other_number=other,
    )


def member(contact: int = 7, first: str = "Ann", last: str = "Lee", email: str = "") -> Member:
    """A contact of CiviCRM."""
    return Member(ContactId(contact), first, last, f"{first} {last}".strip(), email)


def matched(
    users: Iterable[User], members: Iterable[Member], administrators: Iterable[str] = ()
) -> Matching:
    """Match these people, knowing who is linked already."""
    everybody = tuple(users)
    return match(
        everybody,
        {one.contact_id: one for one in members},
        Snapshot(everybody, ()).users_of,
        frozenset(map(UserId, administrators)),
    )


def reasons(matching: Matching) -> list[str]:
    """The reasons of the one doubt that there is."""
    [doubt] = matching.doubts
    assert matching.pairs == ()
    return [*doubt.reasons]


@pytest.mark.parametrize(
    ("made", "known", "common"),
    [
        (user(email=" ANN@example.org"), member(email="ann@Example.org "), BOTH),
        (user(console="ann@example.org"), member(email="ann@example.org"), BOTH),
        (user(first="ann  marie ", last="LEE"), member(first="Ann", last="Marie Lee"), BOTH[1:]),
        (user(first="Zoe\u0308"), member(first="Zo\u00eb"), BOTH[1:]),
        (user(first="Prince", last="—"), member(first="Prince", last=""), BOTH[1:]),
        (user(first="STRASSE"), member(first="Straße"), BOTH[1:]),
        (user(first="Bob", email="ann@example.org"), member(email="ann@example.org"), BOTH[:1]),
        (user(first="Bob"), member(), ()),
        (user(first="", last=""), member(first="", last=""), ()),
        (user(first="Contact", last="7"), member(first="", last=""), ()),
    ],
)
def test_addresses_and_names_are_compared_without_case_and_blanks(
    made: User, known: Member, common: tuple[Agreement, ...]
) -> None:
    """The last two: nothing equals nothing, and an invented name is no name."""
    assert agreements(made, known) == common
    found = matched([made], [known])
    assert [pair.agreements for pair in found.pairs] == ([common] if common else [])
    assert found.alone == (() if common else (made.id,))


def test_an_address_decides_before_a_name() -> None:
    found = matched(
        [user("u1", "A.", "Lee", "ann@example.org"), user("u2", "Bob", "Ross")],
        [member(7, email="ann@example.org"), member(8, "Bob", "Ross")],
    )
    assert [(p.user_id, p.contact_id) for p in found.pairs] == [("u1", 7), ("u2", 8)]
    assert found.pairs[0].cautions == (Caution.NAMES_DIFFER,)
    assert found.pairs[1].cautions == ()


def test_an_address_that_two_contacts_have_is_a_doubt_that_says_whom_the_name_speaks_for() -> None:
    family = "lee@example.org"
    found = matched([user(email=family)], [member(7, "Bo", email=family), member(8, email=family)])
    assert reasons(found) == [
        "contacts 7, 8 have this user's e-mail address",
        "the name speaks for contact 8",
    ]


def test_a_name_that_two_contacts_have_is_a_doubt() -> None:
    assert reasons(matched([user()], [member(7), member(8, "ann", "LEE")])) == [
        "contacts 7, 8 have this user's name"
    ]


def test_an_address_and_a_name_that_speak_for_two_contacts_are_a_doubt() -> None:
    found = matched(
        [user(email="old@example.org")], [member(7, "Bob", "Ross", "old@example.org"), member(8)]
    )
    assert reasons(found) == ["the e-mail address speaks for contact 7, the name for contact 8"]
    assert found.doubts[0].candidates == (7, 8)


def test_two_users_with_one_key_are_both_in_doubt() -> None:
    by_name = matched([user("u1"), user("u2", "ANN")], [member()])
    by_address = matched(
        [user("u1", email="a@example.org"), user("u2", console="A@example.org")],
        [member(email="a@example.org")],
    )
    for found, has in ((by_name, "name"), (by_address, "e-mail address")):
        assert [doubt.reasons for doubt in found.doubts] == [
            (f"user u2 has the {has} of contact 7 too",),
            (f"user u1 has the {has} of contact 7 too",),
        ]


def test_whoever_has_the_address_outranks_whoever_has_the_name_alone() -> None:
    found = matched(
        [user("u1", email="a@example.org"), user("u2")], [member(email="a@example.org")]
    )
    assert [pair.user_id for pair in found.pairs] == ["u1"]
    assert found.doubts == (
        Doubt(UserId("u2"), (ContactId(7),), ("user u1 has the e-mail address of contact 7 too",)),
    )


def test_a_contact_that_is_linked_already_is_a_doubt() -> None:
    assert reasons(matched([user("u1"), user("u9", contact=7)], [member()])) == [
        "contact 7 is linked to user u9 already"
    ]


def test_a_managed_user_is_left_out() -> None:
    assert matched([user(contact=7)], [member()]) == Matching()


@pytest.mark.parametrize(
    ("made", "caution"),
    [
        (user("admin"), Caution.ADMINISTRATOR),
        (user(status=UserStatus.PENDING), Caution.ADMINISTRATOR),
        (user(other="HR-17"), Caution.OTHER_NUMBER),
        (user(email="other@example.org"), Caution.ADDRESSES_DIFFER),
        (user("u1", "Bob", "Ross"), Caution.UNLIKE),
    ],
)
def test_what_needs_a_thought_is_a_caution(made: User, caution: Caution) -> None:
    known = member(email="ann@example.org")
    assert pair_of(made, known, {UserId("admin")}).cautions == (caution,)
    assert caution.needs_a_word is (caution is not Caution.ADDRESSES_DIFFER)


def test_names_that_differ_need_a_look_but_no_word() -> None:
    assert not Caution.NAMES_DIFFER.needs_a_word


@pytest.mark.parametrize(
    ("made", "is_strange"),
    [
        (user(contact=7), False),
        (user(first="Bob", email="a@example.org", contact=7), False),
        (user(first="Bob", contact=7), True),
        (user(contact=8), True),
        (user(first="Bob", contact=7, status=UserStatus.DEACTIVATED), False),
        (user(first="Bob"), False),
    ],
)
def test_a_managed_user_unlike_the_contact_is_a_stranger(made: User, is_strange: bool) -> None:
    """A staff number in the field is the commonest reason."""
    known = member(email="a@example.org")
    found = strangers([made], {known.contact_id: known})
    assert found == (((made.id, made.contact_id),) if is_strange else ())


def test_a_name_is_one_key_however_it_is_split() -> None:
    assert name_key("Ann Marie", "Lee") == name_key(" ann", "marie  lee") == "ann marie lee"


FIRST = st.sampled_from(["Ann", "ann ", "Bob", ""])
ADDRESS = st.sampled_from(["", "a@example.org", "A@Example.org ", "b@example.org"])
USERS = st.lists(
    st.builds(
        lambda first, email, console, contact: (first, email, console, contact),
        FIRST,
        ADDRESS,
        ADDRESS,
        st.sampled_from([None, None, 1, 2]),
    ),
    max_size=5,
).map(
    lambda rows: [
        user(f"u{n}", first, "Lee", email, console=console, contact=contact)
        for n, (first, email, console, contact) in enumerate(rows)
    ]
)
MEMBERS = st.lists(st.tuples(FIRST, ADDRESS), max_size=4).map(
    lambda rows: [member(n, first, "Lee", email) for n, (first, email) in enumerate(rows, 1)]
)


@given(USERS, MEMBERS, st.randoms(use_true_random=False))
def test_whoever_comes_first_each_user_is_told_once_and_no_contact_is_given_twice(
    users: list[User], members: list[Member], chance: Random
) -> None:
    found = matched(users, members)
    told = [p.user_id for p in found.pairs] + [d.user_id for d in found.doubts] + [*found.alone]
    assert sorted(told) == sorted(u.id for u in users if u.contact_id is None)
    taken = [pair.contact_id for pair in found.pairs]
    assert len(set(taken)) == len(taken)
    assert not {u.contact_id for u in users} & set(taken)
    by_id = {one.id: one for one in users}
    of_contact = {one.contact_id: one for one in members}
    for pair in found.pairs:
        assert pair.agreements == agreements(by_id[pair.user_id], of_contact[pair.contact_id])
        assert pair.agreements
    for doubt in found.doubts:
        assert doubt.reasons
        assert doubt.candidates
    for user_id in found.alone:
        assert not any(agreements(by_id[user_id], one) for one in members)
    shuffled, others = [*users], [*members]
    chance.shuffle(shuffled)
    chance.shuffle(others)
    assert matched(shuffled, others) == found


def test_a_user_who_left_hides_no_stranger_who_comes_after() -> None:
    users = [user("u1", contact=1, status=UserStatus.DEACTIVATED), user("u2", contact=2)]
    assert strangers(users, {}) == ((UserId("u2"), ContactId(2)),)


def test_addresses_differ_only_where_both_have_one_and_they_do_not_agree() -> None:
    mine = user(email="a@example.org")
    for known, cautions in (
        (member(), ()),
        (member(email="a@example.org"), ()),
        (member(email="b@example.org"), (Caution.ADDRESSES_DIFFER,)),
    ):
        assert pair_of(mine, known, ()).cautions == cautions


def test_a_missing_last_name_adds_nothing_to_the_key_and_an_invented_name_is_none() -> None:
    assert name_key("Prince", NO_LAST_NAME) == "prince"
    assert contact_name_key(member(first="", last="")) == ""


def test_strangers_and_candidates_come_in_order() -> None:
    users = [user("u2", "Bob", contact=2), user("u1", "Bob", contact=1)]
    assert [one for one, _ in strangers(users, {})] == ["u1", "u2"]
    found = matched([user()], [member(9), member(8)])
    assert found.doubts[0].candidates == (8, 9)
