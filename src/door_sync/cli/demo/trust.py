"""The demo's last chapters: what a person says, and what is on record of it all."""

from typing import Final

from door_sync.app.report import Ending
from door_sync.cli.demo.chapter import CHIDI, FRONT, NONE, TIDIED_AWAY, Chapter
from door_sync.cli.demo.show import Show
from door_sync.core.steps import ChangeClass
from door_sync.simulators.demo_club import FRIEND, MAKER

STUDIO: Final = [one for one in TIDIED_AWAY if one.tier in (MAKER, FRIEND)][:7]


def many_leave(show: Show) -> None:
    """What a guard holds goes through once a person approved exactly that (§6)."""
    site, first = show.site, STUDIO[0]
    assert first.card is not None
    show.say(
        f"A studio in the house closes, and {len(STUDIO)} members leave with it. That is more than "
        "15 % of the club at once. door-sync cannot know that it is right, so it asks."
    )
    for one in STUDIO:
        site.lapse(one)
    report = show.run(Ending.HELD)
    show.no_write()
    digest = report.hold_digest
    show.check(f"`door-sync approve {digest}`" in show.printed, "the report says how to approve")
    show.say(
        "The treasurer looks at the list, and it is right. The approval is good for this plan and "
        "for 24 hours: if one more person were to lose access, all of it would be held anew."
    )
    show.command("approve", digest)
    report = show.run()
    show.done(report, *((one, ChangeClass.REVOKE) for one in STUDIO))
    show.doors((first, first.card, NONE))


def cut_off_at_once(show: Show) -> None:
    """One person is cut off without CiviCRM, and no cycle undoes it (§6)."""
    site, chidi = show.site, str(show.site.contacts[CHIDI])
    show.say(
        f"Friday night. Chidi (contact {chidi}) has had a fight, and the board wants him out at "
        "once. CiviCRM cannot be reached; its server is being moved."
    )
    show.doors((CHIDI, 1002, FRONT))
    site.civicrm.switches.outage = "civicrm-database"
    show.command("revoke", chidi, "--reason", "the board, Friday night")
    show.doors((CHIDI, 1002, NONE))
    site.civicrm.switches.outage = None
    show.say(
        "On Saturday CiviCRM is back, and says that Chidi has paid until summer. A sync does not "
        "give him access for that: the word of a person stands until a person takes it back."
    )
    report = show.run()
    show.done(report)
    show.doors((CHIDI, 1002, NONE))
    show.command("status")
    show.check(f"contact {chidi}" in show.printed, "the status names who is cut off")
    show.say("They have talked. The cut-off is lifted, and the next sync lets him in again.")
    show.command("restore", chidi)
    report = show.run()
    show.done(report, (CHIDI, ChangeClass.RESTORE))
    show.doors((CHIDI, 1002, FRONT))


def on_record(show: Show) -> None:
    """The journal tells one person's story, and the audit lines hold against it (P13)."""
    chidi = str(show.site.contacts[CHIDI])
    show.say(
        "Weeks later Chidi asks what happened to his card that weekend. The journal knows each "
        "write, why it was sent, what became of it, and who asked for it."
    )
    show.command("history", "--contact", chidi)
    show.check("Friday night" in show.printed, "the story names the reason")
    show.say(
        "And nobody has touched the record: each line of the audit file holds the hash of the line "
        "before it, and each cycle of the journal has its line."
    )
    show.command("history", "verify")


CHAPTERS: Final = (
    Chapter("A studio closes, and a person approves", many_leave),
    Chapter("Somebody must be cut off at once", cut_off_at_once),
    Chapter("What is on record", on_record),
)
