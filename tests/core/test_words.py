"""Words that outlive the program: scripts look for them, the journal keeps them.

Who changes one here breaks what others wrote; a new one is added beside the others.
"""

from enum import Enum

import pytest

from door_sync.core.card_list import CardState
from door_sync.core.controller import UserStatus
from door_sync.core.hand_cards import Relation
from door_sync.core.matching import Agreement, Caution
from door_sync.core.steps import ChangeClass, NoticeKind, Phase

WORDS: list[tuple[type[Enum], str]] = [
    (ChangeClass, "revoke grant restore policy card profile"),
    (
        NoticeKind,
        """unknown bad-card duplicate-card pending-user two-users no-name address-left-out
        hand-enrolled-card hand-given-policies no-status restore-waits stale-membership
        unused-rule policies-unseen visitors-unseen reclaim cut-off""",
    ),
    (
        CardState,
        """blocked stuck ended-visit visitor unmanaged by-hand leaving unknown-holder coming free
        in-use""",
    ),
    (Relation, "same number-unseen other somebody-elses none-in-civicrm bad-in-civicrm"),
    (
        Caution,
        "names-differ addresses-differ administrator other-number unlike loses-access",
    ),
    (UserStatus, "ACTIVE DEACTIVATED PENDING unknown"),
]


@pytest.mark.parametrize(("kind", "words"), WORDS, ids=[kind.__name__ for kind, _ in WORDS])
def test_words_for_scripts_and_the_journal_stay(kind: type[Enum], words: str) -> None:
    assert [one.value for one in kind] == words.split()


def test_what_agrees_is_told_in_the_words_of_people() -> None:
    assert [one.value for one in Agreement] == ["e-mail address", "name"]


def test_the_numbers_of_phases_stay_because_digests_hold_them() -> None:
    """R4; a phase in between gets a place of its own only with new digests (§7)."""
    assert [phase.value for phase in Phase] == [*range(1, 10)]
