"""Imports: a bad card costs itself alone, and nothing is sent twice without a look (§10.4)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from door_sync.core.cards import CardNumber, CardToken
from door_sync.ports import ControllerForbids, ImportedCard, ImportUncertain, WriteUncertain
from door_sync.unifi.envelope import SYSTEM_ERROR, Refused
from door_sync.unifi.imports import LARGEST_FILE, CardImport, Tokens


def cards(*numbers: int) -> list[CardNumber]:
    return [CardNumber(number) for number in numbers]


def token_of(number: CardNumber) -> CardToken:
    return CardToken(f"token{number.reveal()}")


@dataclass
class Box:
    """A card box: what is in it, what was sent, how often it was looked into.

    `misbehave` is asked before each file with its place in the order (from 1): it may return a
    refusal, or raise; the box takes in nothing then, unless the caller puts it in.
    """

    misbehave: Callable[[int, Sequence[CardNumber]], Refused | None] = lambda _n, _file: None
    bad: frozenset[CardNumber] = frozenset()
    inside: dict[CardNumber, CardToken] = field(default_factory=dict)
    files: list[list[int]] = field(default_factory=list)
    looks: int = 0
    is_unreadable: bool = False

    def upload(self, file: Sequence[CardNumber]) -> Tokens | Refused:
        self.files.append([number.reveal() for number in file])
        refusal = self.misbehave(len(self.files), file)
        if refusal is not None:
            return refusal
        return self.take(file)

    def take(self, file: Sequence[CardNumber]) -> Tokens:
        fresh = [number for number in file if number not in self.bad | self.inside.keys()]
        taken = {number: token_of(number) for number in fresh}
        self.inside |= taken
        return taken

    def look(self) -> Tokens:
        self.looks += 1
        if self.is_unreadable:
            raise WriteUncertain("no look")
        return dict(self.inside)

    def imported(self, numbers: Sequence[CardNumber]) -> set[int]:
        found = CardImport(self.upload, self.look).run(numbers)
        assert all(token == token_of(number) for number, token in found.items())
        return {number.reveal() for number in found}


def test_no_numbers_send_nothing() -> None:
    box = Box()
    assert box.imported([]) == set()
    assert (box.files, box.looks) == ([], 0)


def test_good_cards_go_in_one_file_without_a_look() -> None:
    box = Box()
    assert box.imported(cards(1, 2, 3)) == {1, 2, 3}
    assert (box.files, box.looks) == ([[1, 2, 3]], 0)


def test_a_number_that_is_asked_for_twice_is_sent_once() -> None:
    """Trap 16: one alias twice may take the whole file along."""
    box = Box()
    assert box.imported(cards(1, 2, 1)) == {1, 2}
    assert box.files == [[1, 2]]


def test_a_long_import_is_several_files() -> None:
    box = Box()
    assert len(box.imported(cards(*range(LARGEST_FILE + 1)))) == LARGEST_FILE + 1
    assert [len(file) for file in box.files] == [LARGEST_FILE, 1]


def test_a_row_that_fails_alone_is_absent() -> None:
    """§9: that row fails. It is looked for in the card list before it is given up."""
    box = Box(bad=frozenset(cards(2)))
    assert box.imported(cards(1, 2, 3)) == {1, 3}
    assert (box.files, box.looks) == ([[1, 2, 3]], 1)


def test_a_row_that_failed_because_the_card_is_there_gets_the_card_s_token() -> None:
    """§9: importing a known card answers with an empty token."""
    box = Box(inside={CardNumber(2): token_of(CardNumber(2))})
    assert box.imported(cards(1, 2, 3)) == {1, 2, 3}
    assert box.files == [[1, 2, 3]]


@pytest.mark.parametrize("bad", range(9))
def test_a_row_that_takes_its_file_along_costs_itself_alone(bad: int) -> None:
    """§9: the whole file fails."""
    spoilt = CardNumber(bad)

    def refuse(_number: int, file: Sequence[CardNumber]) -> Refused | None:
        return Refused("CODE_PARAMS_INVALID") if spoilt in file else None

    box = Box(refuse)
    assert box.imported(cards(*range(9))) == set(range(9)) - {bad}
    assert [bad] in box.files
    assert len(box.files) <= 9


def test_a_controller_that_refuses_everything_is_asked_about_each_card_once() -> None:
    box = Box(lambda _number, _file: Refused("CODE_OPERATION_FORBIDDEN"))
    assert box.imported(cards(1, 2, 3, 4)) == set()
    assert sorted(file for file in box.files if len(file) == 1) == [[1], [2], [3], [4]]


def test_a_file_that_arrived_without_an_answer_is_not_sent_again() -> None:
    """Trap 23."""

    def swallow(_number: int, file: Sequence[CardNumber]) -> None:
        box.take(file)
        raise WriteUncertain("no answer")

    box = Box(swallow)
    assert box.imported(cards(1, 2, 3)) == {1, 2, 3}
    assert (box.files, box.looks) == ([[1, 2, 3]], 1)


def test_of_a_file_that_arrived_in_part_only_the_rest_is_sent_again() -> None:
    def half(number: int, file: Sequence[CardNumber]) -> None:
        if number == 1:
            box.take(file[:2])
            raise WriteUncertain("no answer")

    box = Box(half)
    assert box.imported(cards(1, 2, 3)) == {1, 2, 3}
    assert box.files == [[1, 2, 3], [3]]


def test_a_doubtful_file_is_sent_again_once_and_then_given_up() -> None:
    def silence(_number: int, _file: Sequence[CardNumber]) -> None:
        raise WriteUncertain("no answer")

    box = Box(silence)
    with pytest.raises(WriteUncertain, match="no answer"):
        box.imported(cards(1, 2))
    assert (box.files, box.looks) == ([[1, 2], [1, 2]], 2)


def test_nothing_is_sent_again_if_the_card_list_cannot_be_read() -> None:
    def silence(_number: int, _file: Sequence[CardNumber]) -> None:
        raise WriteUncertain("no answer")

    box = Box(silence, is_unreadable=True)
    with pytest.raises(WriteUncertain, match="no look"):
        box.imported(cards(1, 2))
    assert box.files == [[1, 2]]


def test_tokens_that_came_are_not_lost_to_a_later_silence() -> None:
    def silence(number: int, _file: Sequence[CardNumber]) -> None:
        if number > 1:
            raise WriteUncertain("no answer")

    box = Box(silence)
    with pytest.raises(ImportUncertain) as caught:
        box.imported(cards(*range(LARGEST_FILE + 5)))
    first_file = cards(*range(LARGEST_FILE))
    assert caught.value.arrived == tuple(ImportedCard(one, token_of(one)) for one in first_file)


def test_a_system_error_is_looked_into_before_the_rest_is_sent_once_more() -> None:
    """§3.5: it stands for failures half-way too; §3.6: once at most."""

    def stumble(number: int, file: Sequence[CardNumber]) -> Refused | None:
        if number > 1:
            return None
        box.take(file[:1])
        return Refused(SYSTEM_ERROR)

    box = Box(stumble)
    assert box.imported(cards(1, 2, 3)) == {1, 2, 3}
    assert box.files == [[1, 2, 3], [2, 3]]


def test_a_system_error_after_which_all_is_there_sends_nothing_more() -> None:
    def stumble(_number: int, file: Sequence[CardNumber]) -> Refused | None:
        box.take(file)
        return Refused(SYSTEM_ERROR)

    box = Box(stumble)
    assert box.imported(cards(1, 2, 3)) == {1, 2, 3}
    assert box.files == [[1, 2, 3]]


def test_a_row_that_causes_a_system_error_costs_itself_alone() -> None:
    spoilt = CardNumber(2)

    def stumble(_number: int, file: Sequence[CardNumber]) -> Refused | None:
        return Refused(SYSTEM_ERROR) if spoilt in file else None

    box = Box(stumble)
    assert box.imported(cards(0, 1, 2, 3)) == {0, 1, 3}
    assert box.files.count([0, 1, 2, 3]) == 2
    assert box.files.count([2]) == 1


def test_what_forbids_every_write_is_not_held_back() -> None:
    def forbid(_number: int, _file: Sequence[CardNumber]) -> None:
        raise ControllerForbids("401")

    with pytest.raises(ControllerForbids):
        Box(forbid).imported(cards(1))
