"""The demo's story: what happens to cards and lists, each chapter with what it claims."""

from typing import Final

from door_sync.app.report import Ending
from door_sync.cli.demo import trust
from door_sync.cli.demo.chapter import (
    ADA,
    BILAL,
    BOTH,
    CHIDI,
    FRONT,
    NONE,
    OTTOLINE,
    ROSA,
    RUTA,
    TIDIED_AWAY,
    YUSUF,
    YUSUFS_CARD,
    Chapter,
)
from door_sync.cli.demo.show import Show
from door_sync.core.steps import ChangeClass
from door_sync.simulators.demo_club import (
    ADMINISTRATOR,
    FRIEND,
    LONG_GONE,
    MAKER,
    PEOPLE,
    Person,
)


def first_sync(show: Show) -> None:
    """A dry run writes nothing, a sync lets everybody in, a second one has nothing to do."""
    show.say(
        "The club has just installed door-sync. The controller knows two doors and a few people "
        "whom somebody added by hand; no member's card is in it."
    )
    show.doors((ADA, 1017, NONE))
    show.say(
        "First a look: door-sync reads both sides, says what it would write, and writes nothing."
    )
    show.plan()
    show.say("That looks right. Now for real; every person changed is read back afterwards.")
    report = show.run()
    members = [one for one in PEOPLE if one.tier in (MAKER, FRIEND) and not one.is_lapsed]
    show.done(report, *((one, ChangeClass.GRANT) for one in members))
    show.doors((ADA, 1017, BOTH), (CHIDI, 1003, FRONT), (RUTA, _card(RUTA), NONE))
    everybody = _counted_at_the_doors(show)
    show.say(
        f"Ada is a Maker (contact {show.site.contacts[ADA]}), Chidi a Friend, and Rūta's "
        f"membership ran out months ago. Of the club's cards, {everybody[0]} open the front door "
        f"and {everybody[1]} of them the workshop too."
    )
    show.say("Once more. The second sync finds nothing to do, and sends nothing.")
    show.run()
    show.no_write()


def _counted_at_the_doors(show: Show) -> tuple[int, int]:
    """Hold everybody's card to both doors; claim that each opens what its tier says."""
    front = workshop = 0
    for one in PEOPLE:
        if one.card is None:
            continue
        opens = show.site.opened_by(one.card)
        entitled = not one.is_lapsed and one.tier in (MAKER, FRIEND)
        wanted = (entitled, entitled and one.tier == MAKER)
        show.check(opens == wanted, f"{one.first}'s card opens what the tier says")
        front, workshop = front + opens[0], workshop + opens[1]
    return front, workshop


def card_handed_on(show: Show) -> None:
    """A leaver's card opens for its next owner after one cycle (P5, R3)."""
    site = show.site
    show.say(
        "Ada has let her membership lapse and handed in card 1017. Ottoline Oilstone has just "
        "joined as a Friend, and the secretary gives her that card. Both happened since the last "
        "sync."
    )
    site.lapse(ADA)
    site.write_card(ADA, None)
    site.join(OTTOLINE)
    show.doors((ADA, 1017, BOTH))
    show.say(
        f"One sync settles both: Ada (contact {site.contacts[ADA]}) first, because leavers always "
        f"come first, then Ottoline (contact {site.contacts[OTTOLINE]})."
    )
    report = show.run()
    show.done(report, (ADA, ChangeClass.REVOKE), (OTTOLINE, ChangeClass.GRANT))
    ada = site.user_of(ADA)
    first = site.writes()[:1]
    show.check(ada is not None and any(ada.id in path for path in first), "Ada comes first")
    show.is_disabled(ADA, "Ada's user is disabled")
    show.doors((OTTOLINE, 1017, FRONT))
    show.say("Ada's user is disabled, and the card that was hers now opens what a Friend may open.")


def card_of_one_long_gone(show: Show) -> None:
    """A card bound to a disabled user is reclaimed, after another look (P3, R3)."""
    site = show.site
    show.say(
        "Card 1900 lay in a drawer. Years ago somebody disabled Tim Timeworn in the controller, "
        "but his card was never taken off him, and a card with a holder cannot be given to "
        "anybody else. Now Rosa Router joins as a Maker, and gets this card."
    )
    site.join(ROSA)
    show.doors((ROSA, 1900, NONE))
    report = show.run()
    show.done(report, (ROSA, ChangeClass.GRANT))
    show.check(site.looked_before_binding(LONG_GONE), "Tim was looked up just before")
    tim = show.names_user(LONG_GONE, "the report says whose card it was")
    show.say(
        f"User {tim} is Tim. Just before it took the card door-sync asked the controller once "
        "more whether he is still disabled."
    )
    show.is_disabled(LONG_GONE, "Tim stays disabled")
    show.doors((ROSA, 1900, BOTH))


def card_of_an_administrator(show: Show) -> None:
    """A card of somebody active is not taken; the report says whose it is (P3)."""
    site = show.site
    show.say(
        f"Yusuf Yardstick joins as a Maker. His card says {YUSUFS_CARD}, but the secretary types "
        "1990, and that is the card of Olga Overseer, who looks after the controller. Nobody who "
        "may come in loses a card to a typing mistake."
    )
    site.join(YUSUF)
    show.run()
    olga = show.names_user(ADMINISTRATOR, "the report says who holds the card")
    user = site.user_of(ADMINISTRATOR)
    show.check(user is not None and site.holder_of(1990) == user.id, "Olga keeps her card")
    show.say(
        f"User {olga} is Olga. Her card works as before. Yusuf is known to the controller now, but "
        "without a card he stands outside, and the report says what to do about it."
    )
    show.doors((ADMINISTRATOR, 1990, BOTH), (YUSUF, YUSUFS_CARD, NONE))
    show.say("The secretary corrects the number, and the next sync gives Yusuf his own card.")
    site.write_card(YUSUF, YUSUFS_CARD)
    report = show.run()
    show.done(report, (YUSUF, ChangeClass.CARD))
    show.doors((ADMINISTRATOR, 1990, BOTH), (YUSUF, YUSUFS_CARD, BOTH))


def cards_swapped(show: Show) -> None:
    """Two cards change places in one cycle (R3: all frees come before all binds)."""
    site = show.site
    show.say(
        "After an evening in the workshop Bilal, a Maker, and Chidi, a Friend, have gone home with "
        "each other's card. They keep them, and the secretary swaps the two numbers in CiviCRM."
    )
    show.doors((BILAL, 1002, BOTH), (CHIDI, 1003, FRONT))
    site.write_card(BILAL, 1003)
    site.write_card(CHIDI, 1002)
    show.say("Neither card is free while the other one waits for it, so both are freed first.")
    show.plan()
    report = show.run()
    show.done(report, (BILAL, ChangeClass.CARD), (CHIDI, ChangeClass.CARD))
    show.doors((BILAL, 1003, BOTH), (CHIDI, 1002, FRONT))


def error_page(show: Show) -> None:
    """An answer that is no membership list writes nothing (P2)."""
    site = show.site
    before = site.all_doors()
    show.say(
        "CiviCRM's database is down. Its web server answers all the same, with status 200 as if "
        "all were well, and a page that lists no members. A program that believed it would lock "
        "everybody out."
    )
    site.civicrm.switches.outage = "civicrm-database"
    show.run(Ending.FAILED)
    show.no_write()
    show.check(site.settings.ops.alert_flag.exists(), "the alert flag is up")
    show.check(site.all_doors() == before, "every card opens what it opened before")
    show.doors((BILAL, 1003, BOTH), (OTTOLINE, 1017, FRONT))
    show.say(
        "door-sync has also raised its alert flag, a file that monitoring can watch. It goes away "
        "when the trouble does: the database is back."
    )
    site.civicrm.switches.outage = None
    show.run()
    show.no_write()
    show.check(not site.settings.ops.alert_flag.exists(), "the alert flag is down again")


def third_gone(show: Show) -> None:
    """A loss too large to be likely is held for a person (§6)."""
    site = show.site
    before = site.all_doors()
    show.say(
        f"Somebody tidies up CiviCRM and moves {len(TIDIED_AWAY)} contacts to the trash, a third "
        "of the club. This time the answer is whole and well-formed; it is only unlikely."
    )
    site.trash(TIDIED_AWAY)
    report = show.run(Ending.HELD)
    show.no_write()
    guards = {one.guard for one in report.decision.objections} if report.decision else set()
    show.check("mass deactivation" in guards, "the guard against mass deactivation objects")
    show.check(site.all_doors() == before, "every card opens what it opened before")
    jiro, wanjiru = TIDIED_AWAY[0], TIDIED_AWAY[-1]
    show.doors((jiro, _card(jiro), BOTH), (wanjiru, _card(wanjiru), BOTH))
    show.say("It was a mistake. The contacts come back out of the trash, and all is as it was.")
    site.restore(TIDIED_AWAY)
    show.run()
    show.no_write()


def _card(person: Person) -> int:
    assert person.card is not None
    return person.card


CHAPTERS: Final = (
    Chapter("The first sync", first_sync),
    Chapter("A member leaves, and her card goes to a new one", card_handed_on),
    Chapter("The card of somebody long gone", card_of_one_long_gone),
    Chapter("A card that must not be taken", card_of_an_administrator),
    Chapter("Two members swap cards", cards_swapped),
    Chapter("CiviCRM answers with an error page", error_page),
    Chapter("A third of the members is gone", third_gone),
    *trust.CHAPTERS,
)
