"""R2: which address is written to whom, after whom, and which is left out."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from door_sync.core.addresses import (
    REFUSED,
    TAKEN,
    AddressDecision,
    Claim,
    LeaveOut,
    Write,
    decide_addresses,
    has_address,
    normal,
)
from door_sync.core.controller import User
from door_sync.core.people import ContactId
from tests.core.builders import user

CONTACT = [ContactId(number) for number in range(10)]


def decide(
    wanted: dict[int, str], users: Iterable[User] = (), refused: Iterable[int] = ()
) -> dict[int, AddressDecision]:
    """Decide for contacts that want these addresses, each served by its own user if it has one."""
    listed = tuple(users)
    own = {one.contact_id: one for one in listed if one.contact_id is not None}
    claims = {
        ContactId(contact): Claim(ContactId(contact), own.get(ContactId(contact)), address)
        for contact, address in wanted.items()
    }
    found = decide_addresses(
        claims, {one.id: one for one in listed}, frozenset(map(ContactId, refused))
    )
    return {int(contact_id): decision for contact_id, decision in found.items()}


def test_addresses_are_compared_trimmed_and_without_regard_to_case() -> None:
    assert normal("  Ann@Example.ORG ") == normal("ann@example.org")
    assert has_address(user("u", email=" ANN@example.org"), "ann@EXAMPLE.org ")
    assert not has_address(user("u", email="ann@example.org"), "bob@example.org")


def test_what_the_console_filled_in_itself_counts_where_ours_is_blank() -> None:
    assert has_address(user("u", console_email="Ann@example.org"), "ann@example.org")
    both = user("u", email="bob@example.org", console_email="ann@example.org")
    assert not has_address(both, "ann@example.org")
    assert has_address(both, "bob@example.org")


def test_a_contact_without_an_address_needs_nothing_but_an_empty_field_of_ours() -> None:
    assert has_address(user("u"), "")
    assert has_address(user("u", console_email="ann@example.org"), " ")
    assert not has_address(user("u", email="ann@example.org"), "")


def test_an_address_that_is_there_is_not_written_again() -> None:
    assert decide({1: "Ann@Example.org"}, [user("u1", 1, email="ann@example.org")]) == {}


def test_a_new_address_is_written_trimmed_and_otherwise_as_it_is() -> None:
    assert decide({1: " Ann@Example.org "}, [user("u1", 1)]) == {1: Write("Ann@Example.org")}
    assert decide({1: "ann@example.org"}) == {1: Write("ann@example.org")}


def test_an_address_that_civicrm_no_longer_has_is_cleared() -> None:
    assert decide({1: ""}, [user("u1", 1, email="ann@example.org")]) == {1: Write("")}


def test_somebody_without_user_and_address_needs_no_write() -> None:
    assert decide({1: "", 2: "  "}) == {}


def test_several_contacts_may_lose_their_address_at_once() -> None:
    users = [user("u1", 1, email="a@x"), user("u2", 2, email="b@x")]
    assert decide({1: "", 2: ""}, users) == {1: Write(""), 2: Write("")}


def test_an_address_of_somebody_outside_the_plan_is_left_out() -> None:
    """Leavers and unmanaged people keep theirs: the controller lets no two people have one."""
    for other in (user("u2", 2, email="A@x"), user("hand", email="a@x")):
        assert decide({1: "a@x"}, [user("u1", 1), other]) == {1: LeaveOut(TAKEN)}
        assert decide({1: "a@x"}, [other]) == {1: LeaveOut(TAKEN)}


def test_an_address_that_two_people_have_already_is_left_out_although_one_gives_it_up() -> None:
    users = [user("u1", 1, email="a@x"), user("u2", 2, email="a@x"), user("u3", 3)]
    assert decide({1: "b@x", 3: "a@x"}, users) == {1: Write("b@x"), 3: LeaveOut(TAKEN)}


def test_an_address_that_only_the_console_shows_for_somebody_else_is_taken_too() -> None:
    other = user("u2", 2, console_email="a@x")
    assert decide({1: "a@x"}, [user("u1", 1), other]) == {1: LeaveOut(TAKEN)}
    moving = user("u2", 2, email="b@x", console_email="a@x")
    assert decide({1: "a@x", 2: "c@x"}, [moving])[1] == LeaveOut(TAKEN), "nobody can change it"


def test_a_wish_for_what_the_console_shows_is_written_to_our_own_field() -> None:
    both = user("u1", 1, email="old@x", console_email="new@x")
    assert decide({1: "new@x"}, [both]) == {1: Write("new@x")}


def test_an_address_is_left_out_while_its_refusal_is_remembered() -> None:
    assert decide({1: "a@x"}, [user("u1", 1)], refused=[1]) == {1: LeaveOut(REFUSED)}
    assert decide({1: "a@x"}, [user("u1", 1)], refused=[2]) == {1: Write("a@x")}


def test_what_one_contact_was_refused_is_not_tried_for_the_next_one_either() -> None:
    """The controller has it somewhere that no list shows; each cycle would try it anew (P8)."""
    assert decide({1: "b@x", 2: "A@x", 3: "a@X "}, refused=[2]) == {
        1: Write("b@x"),
        2: LeaveOut(REFUSED),
        3: LeaveOut(TAKEN),
    }
    assert decide({3: "a@x"}, refused=[2]) == {3: Write("a@x")}, "nobody was refused this one"


def test_a_refusal_says_nothing_where_nothing_is_to_be_written() -> None:
    assert decide({1: "a@x", 2: ""}, [user("u1", 1, email="a@x")], refused=[1, 2]) == {}


def test_an_address_that_its_holder_gives_up_is_written_after_that() -> None:
    users = [user("u1", 1), user("u2", 2, email="a@x")]
    assert decide({1: "a@x", 2: "b@x"}, users) == {
        1: Write("a@x", after=CONTACT[2], turn=1),
        2: Write("b@x"),
    }


def test_an_address_that_its_holder_loses_is_written_after_that() -> None:
    users = [user("u1", 1), user("u2", 2, email="a@x")]
    assert decide({1: "a@x", 2: ""}, users) == {
        1: Write("a@x", after=CONTACT[2], turn=1),
        2: Write(""),
    }


def test_what_the_console_shows_besides_does_not_keep_an_address_from_being_given_up() -> None:
    """Otherwise the address would be free in the next cycle, and be written only then (P8)."""
    users = [user("u1", 1), user("u2", 2, email="a@x", console_email="other@x")]
    assert decide({1: "a@x", 2: "b@x"}, users)[1] == Write("a@x", after=CONTACT[2], turn=1)


def test_an_address_that_its_holder_keeps_after_all_is_left_out() -> None:
    users = [user("u1", 1), user("u2", 2, email="a@x")]
    assert decide({1: "a@x", 2: "b@x"}, users, refused=[2]) == {
        1: LeaveOut(TAKEN),
        2: LeaveOut(REFUSED),
    }


def test_a_chain_is_written_from_its_free_end() -> None:
    users = [user("u1", 1, email="a@x"), user("u2", 2, email="b@x"), user("u3", 3, email="c@x")]
    assert decide({1: "b@x", 2: "c@x", 3: "d@x", 4: "a@x"}, users) == {
        1: Write("b@x", after=CONTACT[2], turn=2),
        2: Write("c@x", after=CONTACT[3], turn=1),
        3: Write("d@x"),
        4: Write("a@x", after=CONTACT[1], turn=3),
    }


def test_a_chain_that_ends_at_a_taken_address_is_left_out_as_a_whole() -> None:
    users = [user("u1", 1, email="a@x"), user("u2", 2, email="b@x"), user("hand", email="c@x")]
    assert decide({1: "b@x", 2: "c@x", 3: "a@x", 4: "d@x"}, users) == {
        1: LeaveOut(TAKEN),
        2: LeaveOut(TAKEN),
        3: LeaveOut(TAKEN),
        4: Write("d@x"),
    }


def test_two_people_who_swap_addresses_settle_by_blanking_one_first() -> None:
    users = [user("u1", 1, email="a@x"), user("u2", 2, email="b@x")]
    assert decide({1: "b@x", 2: "a@x"}, users) == {
        1: Write("b@x", after=CONTACT[2], turn=2, blank_first=True),
        2: Write("a@x", after=CONTACT[1], turn=1),
    }


def test_a_circle_is_opened_at_its_lowest_contact_which_is_served_last() -> None:
    users = [user("u5", 5, email="a@x"), user("u3", 3, email="b@x"), user("u4", 4, email="c@x")]
    assert decide({5: "b@x", 3: "c@x", 4: "a@x"}, users) == {
        5: Write("b@x", after=CONTACT[3], turn=1),
        4: Write("a@x", after=CONTACT[5], turn=2),
        3: Write("c@x", after=CONTACT[4], turn=3, blank_first=True),
    }


def test_the_lowest_contact_wins_where_two_want_one_address() -> None:
    found = decide({2: "a@x", 1: "A@X"})
    assert found == {1: Write("A@X"), 2: LeaveOut(TAKEN)}


def test_an_outsider_with_a_lower_id_who_wants_an_address_of_a_circle_stops_it() -> None:
    """Somebody would be left without: everybody keeps what they have, in each cycle alike."""
    users = [user("u2", 2, email="a@x"), user("u3", 3, email="b@x")]
    everybody = {1: "a@x", 2: "b@x", 3: "a@x"}
    assert decide(everybody, users) == dict.fromkeys((1, 2, 3), LeaveOut(TAKEN))


PRIMARY = ["a@x", "b@x", "c@x", "d@x"]
SECOND = ["e@x", "f@x", "g@x", "h@x"]


@given(
    shown=st.lists(
        st.sampled_from(["none", "ours", "console", "both", "two addresses"]),
        min_size=4,
        max_size=4,
    ),
    wanted=st.dictionaries(
        st.integers(1, 5), st.sampled_from(["", *PRIMARY, *PRIMARY, *SECOND, "i@x"]), min_size=1
    ),
    refused=st.sets(st.integers(1, 5), max_size=1),
)
def test_writes_in_their_order_never_meet_a_taken_address_and_are_done_in_one_go(
    shown: list[str], wanted: dict[int, str], refused: set[int]
) -> None:
    """Played against a list of addresses in which no two people may have the same one."""
    users = {}
    for number, (use, one, two) in enumerate(zip(shown, PRIMARY, SECOND, strict=True), start=1):
        ours = one if use in ("ours", "both", "two addresses") else ""
        console_email = {"console": one, "both": one, "two addresses": two}.get(use, "")
        users[number] = user(f"u{number}", number, email=ours, console_email=console_email)
    decided = decide(wanted, users.values(), refused)
    now = {number: one.email for number, one in users.items()}
    console = {number: one.console_email for number, one in users.items()}
    writes = {c: d for c, d in decided.items() if isinstance(d, Write)}

    def write(contact: int, address: str) -> None:
        for other in now.keys() - {contact}:
            assert address == "" or address not in (now[other], console.get(other))
        now[contact] = address

    for contact, decision in sorted(writes.items()):
        if decision.after is None:
            write(contact, decision.address)
        elif decision.blank_first:
            write(contact, "")
    for _, contact in sorted((w.turn, c) for c, w in writes.items() if w.after is not None):
        write(contact, writes[contact].address)

    after = [
        user(f"u{number}", number, email=now[number], console_email=console.get(number, ""))
        for number in now
    ]
    assert all(now[contact] == wanted[contact] for contact in writes)
    left_out = {c: d for c, d in decided.items() if isinstance(d, LeaveOut)}
    assert decide(wanted, after, refused) == left_out, "the next cycle has nothing to write (P8)"


def test_whoever_needs_no_address_stands_in_nobodys_way() -> None:
    done = user("u1", 1, email="one@example.org")
    found = decide({1: "one@example.org", 2: " ", 3: "three@example.org"}, [done])
    assert found == {3: Write("three@example.org")}
