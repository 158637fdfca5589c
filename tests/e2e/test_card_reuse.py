"""The card-reuse stories, from the membership list to the door."""

from tests.club import Club


def test_a_new_member_gets_a_user_a_card_and_the_doors_of_the_tier(club: Club) -> None:
    gold, silver = club.join(1001, "Gold"), club.join(1002, "Silver")
    report = club.cycle()
    assert report.ending.name == "CLEAN", report.reason()
    assert club.opens(1001)
    assert club.opens(1001, club.workshop)
    assert club.opens(1002)
    assert not club.opens(1002, club.workshop)
    assert club.status_of(gold) == club.status_of(silver) == "ACTIVE"


def test_a_second_cycle_writes_nothing(club: Club) -> None:
    for number in range(1001, 1006):
        club.join(number, "Gold", first=f"Solo  {number}", email=f"M{number}@Example.org")
    assert club.cycle().ending.name == "CLEAN"
    club.forget()
    assert club.cycle().ending.name == "CLEAN"
    assert club.writes() == 0
