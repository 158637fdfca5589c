"""What goes wrong at a site of 330 users, each with what its operator must hear of it.

Every trouble is brought about in the simulators, or in the journal's file, and taken back at the
end of its context.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from door_sync.simulators.faults import (
    Answer,
    Fault,
    FaultPlan,
    Reset,
    Rewrite,
    Truncate,
    html_error,
    json_answer,
)
from door_sync.simulators.unifi.switches import Switches
from tests.cli.conftest import Site
from tests.e2e.journal_troubles import JOURNAL_TROUBLES

USERS = 330
"""In the controller, one of them an administrator without a contact."""

SOURCE = "CiviCRM cannot be read or believed"
TARGET = "The controller cannot be read or believed"
HELD = "Changes wait for a person's word"
JOURNAL = "No cycle runs, because its record cannot be kept"


@contextmanager
def _armed(plan: FaultPlan, fault: Fault, **where: Any) -> Iterator[None]:
    plan.add(fault, times=None, **where)
    try:
        yield
    finally:
        plan.clear()


Begins = Callable[[Site], AbstractContextManager[None]]


def civicrm(fault: Fault) -> Begins:
    """Let CiviCRM answer every request so."""
    return lambda site: _armed(site.club.civicrm.faults, fault)


def pages(change: Callable[[Any], object]) -> Begins:
    """Let CiviCRM answer as it does, but for the pages of its lists."""

    def changed(document: Any) -> Any:
        if "page" in document:
            change(document["page"])
        return document

    return civicrm(Rewrite(changed))


def unifi(change: Fault | Callable[[Any], Any], path: str = "/users") -> Begins:
    """Let the controller answer so where it is asked for a list, of its users unless it is said."""
    fault = Rewrite(change) if callable(change) else change
    return lambda site: _armed(site.club.unifi.faults, fault, method="GET", path=path)


def _no_rows(page: Any) -> None:
    page.update(values=[], countFetched=0)


def _short_of_rows(page: Any) -> None:
    """As a proxy would cut it, which does not know what the page says of itself."""
    del page["values"][-3:]


def _short_in_itself(page: Any) -> None:
    """As an extension would, which does."""
    _short_of_rows(page)
    page["countFetched"] = len(page["values"])


def _values_gone(page: Any) -> None:
    del page["values"]


def _key_gone(page: Any) -> None:
    for row in page["values"]:
        del row[list(row)[-1]]


def _lists_some(site: Site) -> AbstractContextManager[None]:
    """The same 23 users come whatever page is asked for, and the others never."""
    listed = {user.id for user in [*site.club.unifi.world.users][:23]}

    def change(document: Any) -> Any:
        document["data"] = [row for row in document["data"] if row["id"] in listed]
        return document

    return unifi(change)(site)


def _lists_and_counts_some(document: Any) -> Any:
    document["data"] = document["data"][:23]
    document["pagination"]["total"] = 23
    return document


def _counts_more(document: Any) -> Any:
    document["pagination"]["total"] += 7
    return document


@contextmanager
def _first_page_again(site: Site) -> Iterator[None]:
    """Pages of a hundred rows, and each is the first one."""
    site.club.unifi.switches = Switches(page_size_cap=100)
    first: list[Any] = []

    def change(document: Any) -> Any:
        first.append(document["data"])
        document["data"] = first[0]
        return document

    with _armed(site.club.unifi.faults, Rewrite(change), method="GET", path="/users"):
        yield
    site.club.unifi.switches = Switches()


@contextmanager
def _total_that_moves(site: Site) -> Iterator[None]:
    """Pages of a hundred rows, each of which counts the whole list anew."""
    site.club.unifi.switches = Switches(page_size_cap=100)
    totals = iter(range(USERS, 10 * USERS))

    def change(document: Any) -> Any:
        document["pagination"]["total"] = next(totals)
        return document

    with _armed(site.club.unifi.faults, Rewrite(change), method="GET", path="/users"):
        yield
    site.club.unifi.switches = Switches()


@contextmanager
def _a_third_of_the_contacts_gone(site: Site) -> Iterator[None]:
    world, members = site.club.civicrm.world, site.club.memberships
    gone = [*members][1 : USERS // 3]
    tables: list[Any] = [world.contacts, world.memberships]
    kept = [dict(table) for table in tables]
    for contact in gone:
        world.delete(contact)
    yield
    for table, before in zip(tables, kept, strict=True):
        table.update({number: row for number, row in before.items() if number not in table})


@contextmanager
def _all_memberships_gone(site: Site) -> Iterator[None]:
    memberships: Any = site.club.civicrm.world.memberships
    kept = dict(memberships)
    memberships.clear()
    yield
    memberships.update(kept)


def _narrowed(to: int) -> Begins:
    @contextmanager
    def narrowed(site: Site) -> Iterator[None]:
        world = site.club.civicrm.world
        own = world.key_of("full").contact_id
        site.club.civicrm.switches.narrowed_to = frozenset([own, *[*site.club.memberships][:to]])
        yield
        site.club.civicrm.switches.narrowed_to = None

    return narrowed


def _without(right: str) -> Begins:
    @contextmanager
    def without(site: Site) -> Iterator[None]:
        rights = site.club.civicrm.world.permissions("full")
        rights.discard(right)
        yield
        rights.add(right)

    return without


@dataclass(frozen=True)
class Trouble:
    """Something that goes wrong: the exit code, the mail's subject and words of the flag, and in
    how many cycles it must be found before somebody is called."""

    begins: Begins
    code: int
    title: str
    words: str
    patience: int = 1


ERROR = {"error_code": 0, "error_message": "Sorry (Error ID: abCD-efGH-ijKL)", "status": 500}

TROUBLES = {
    "CRM error object in 200": Trouble(civicrm(json_answer(ERROR)), 2, SOURCE, "abCD-efGH-ijKL"),
    "empty list": Trouble(civicrm(json_answer({"values": []})), 2, SOURCE, "CiviCRM"),
    "empty list of members": Trouble(pages(_no_rows), 2, SOURCE, "0 came"),
    "HTML in 200": Trouble(civicrm(html_error(200)), 2, SOURCE, "page"),
    "a page of the login": Trouble(
        civicrm(Answer(302, b"", "text/html", {"location": "/login"})), 2, SOURCE, "CiviCRM"
    ),
    "half a document": Trouble(civicrm(Truncate()), 2, SOURCE, "CiviCRM"),
    "a page that is short of rows": Trouble(
        pages(_short_of_rows), 2, SOURCE, "does not hold as many rows"
    ),
    "a page that is short in itself": Trouble(pages(_short_in_itself), 2, SOURCE, "came, of"),
    "a page without its rows": Trouble(pages(_values_gone), 2, SOURCE, "CiviCRM"),
    "rows without a key": Trouble(pages(_key_gone), 2, SOURCE, "CiviCRM"),
    "a CiviCRM that hangs up": Trouble(civicrm(Reset()), 2, SOURCE, "broke off", patience=2),
    "a CiviCRM that is overloaded": Trouble(
        civicrm(html_error(503)), 2, SOURCE, "overloaded", patience=2
    ),
    "a third of the contacts gone": Trouble(
        _a_third_of_the_contacts_gone, 1, HELD, "people vanished"
    ),
    "all memberships gone": Trouble(_all_memberships_gone, 1, HELD, "empty source"),
    "permission silently narrowed to nobody": Trouble(_narrowed(0), 1, HELD, "empty source"),
    "permission silently narrowed to some": Trouble(_narrowed(200), 1, HELD, "shrunken source"),
    "the right to see contacts taken away": Trouble(
        _without("view all contacts"), 2, SOURCE, "view all contacts"
    ),
    "the right to see memberships taken away": Trouble(
        _without("access CiviMember"), 2, SOURCE, "CiviMember"
    ),
    "controller lists 23 of 330 users": Trouble(_lists_some, 2, TARGET, "330"),
    "controller lists and counts 23 of 330 users": Trouble(
        unifi(_lists_and_counts_some), 2, TARGET, "cards"
    ),
    "controller lists nobody": Trouble(
        unifi(json_answer({"code": "SUCCESS", "msg": "", "data": [], "pagination": {"total": 0}})),
        2,
        TARGET,
        "user",
    ),
    "total does not match": Trouble(unifi(_counts_more), 2, TARGET, "337"),
    "total that moves": Trouble(_total_that_moves, 2, TARGET, "counted as"),
    "page repeats": Trouble(_first_page_again, 2, TARGET, "repeats"),
    "controller answers with a page": Trouble(unifi(html_error(200), "*"), 2, TARGET, "controller"),
    "controller does not know the key": Trouble(
        unifi(json_answer({"code": "CODE_ACCESS_TOKEN_INVALID", "msg": "No."}, status=401), "*"),
        2,
        TARGET,
        "API token",
    ),
    "a controller that hangs up": Trouble(unifi(Reset(), "*"), 2, TARGET, "broke off", patience=2),
    **{
        f"journal {name}": Trouble(begins, 2, JOURNAL, words)
        for name, (begins, words) in JOURNAL_TROUBLES.items()
    },
}
