"""An import of several files that breaks off: silence about a card is no refusal of it (R3)."""

from door_sync.app.report import Ending
from door_sync.simulators.faults import Reset
from door_sync.unifi.imports import LARGEST_FILE
from tests.club import Club

NUMBERS = range(2001, 2001 + LARGEST_FILE + 5)


def test_cards_of_a_file_without_an_answer_are_imported_by_the_next_cycle(club: Club) -> None:
    """Not a day later, which is how long a number waits that the controller refused."""
    people = [club.join(number) for number in NUMBERS]
    faults, cards = club.unifi.faults, "/credentials/nfc_cards"
    # The cycle has read the card list once by then; the look at what became of the file fails too.
    faults.add(Reset(), method="POST", path=f"{cards}/import", first=2, times=None)
    faults.add(Reset(), method="GET", path=f"{cards}/tokens", first=2, times=None)
    report = club.cycle()
    assert report.ending is Ending.PARTIAL
    assert sum(map(club.opens, NUMBERS)) == LARGEST_FILE
    waiting = [
        contact for contact, number in zip(people, NUMBERS, strict=True) if not club.opens(number)
    ]
    assert [result.change.contact_id for result in report.failed] == waiting
    words = {
        step.outcome
        for step in club.journal.steps(report.cycle_id)
        if step.kind == "import-card" and step.contact_id in waiting
    }
    assert words == {"uncertain"}
    assert not club.journal.memory(club.clock.now()).failed_imports

    faults.clear()
    assert club.cycle().ending is Ending.CLEAN
    assert all(map(club.opens, NUMBERS))
    club.forget()
    assert club.cycle().ending is Ending.CLEAN
    assert club.writes() == 0
