"""A canary that is missing from a list means that the list is not to be believed."""

import pytest

from door_sync.app.canaries import Canaries, believe
from door_sync.core.controller import Snapshot, User, UserId, UserStatus
from door_sync.core.people import ContactId, Member
from door_sync.ports import ControllerDistrusted, SourceDistrusted, SourceReading

THERE, GONE = ContactId(7), ContactId(9)
HERE, AWAY = UserId("17d2f099"), UserId("281824aa")
READING = SourceReading(members={THERE: Member(THERE)}, membership_types=())


def user(status: UserStatus) -> User:
    return User(HERE, status=status)


SNAPSHOT = Snapshot(users=(user(UserStatus.ACTIVE),), cards=())


@pytest.mark.parametrize(
    "canaries",
    [Canaries(), Canaries(contact=THERE), Canaries(user=HERE), Canaries(THERE, HERE)],
    ids=str,
)
def test_canaries_that_are_there_or_not_chosen_are_no_matter(canaries: Canaries) -> None:
    believe(canaries, READING, SNAPSHOT)


@pytest.mark.parametrize("status", UserStatus)
def test_a_user_of_any_status_is_a_canary(status: UserStatus) -> None:
    believe(Canaries(user=HERE), READING, Snapshot(users=(user(status),), cards=()))


def test_a_missing_contact_distrusts_civicrm_and_says_what_settles_it() -> None:
    with pytest.raises(SourceDistrusted) as caught:
        believe(Canaries(GONE, HERE), READING, SNAPSHOT)
    assert "lacks contact 9, which civicrm.canary_contact says" in caught.value.message
    assert "deleted or merged in CiviCRM, or its card field emptied" in caught.value.remedy
    assert "set civicrm.canary_contact to another one" in caught.value.remedy
    assert "look at the rights of the key" in caught.value.remedy
    assert "user" not in caught.value.message


def test_a_missing_user_distrusts_the_controller_and_says_what_settles_it() -> None:
    with pytest.raises(ControllerDistrusted) as caught:
        believe(Canaries(THERE, AWAY), READING, SNAPSHOT)
    assert "lacks user 281824aa, who unifi.canary_user says" in caught.value.message
    assert "set unifi.canary_user to another one" in caught.value.remedy
    assert "look at the rights of the token" in caught.value.remedy
    assert "contact" not in caught.value.message


def test_two_missing_canaries_are_told_at_once() -> None:
    with pytest.raises(SourceDistrusted) as caught:
        believe(Canaries(GONE, AWAY), READING, SNAPSHOT)
    for setting in ("civicrm.canary_contact", "unifi.canary_user"):
        assert setting in caught.value.message
        assert f"set {setting} to another one" in caught.value.remedy
