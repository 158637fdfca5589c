"""CiviCRM as the source of members: the port MemberSource over HTTP."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from door_sync.civicrm import rows, wire
from door_sync.civicrm.ground import Ground, ground_proved, names_of
from door_sync.civicrm.joined import read_joined
from door_sync.civicrm.replies import Part, answered, disbelieve, judge
from door_sync.civicrm.rows import Owned
from door_sync.civicrm.walk import Page, Walked, walk
from door_sync.civicrm.wire import Auth, Call
from door_sync.core.people import ContactId, Member, Membership, PersonInFull
from door_sync.http import (
    ConnectionLost,
    HttpClient,
    HttpError,
    ProtocolBroken,
    TimedOut,
    TooLarge,
    TooMuch,
    Unreachable,
    UntrustedCertificate,
    WrongCertificate,
)
from door_sync.ports import SourceDistrusted, SourceError, SourceReading, SourceUnreachable

CONTACTS_PER_QUESTION = 500
MOST_READINGS = 3

logger = logging.getLogger(__name__)

_TRANSLATED: Mapping[type[HttpError], type[SourceError]] = {
    Unreachable: SourceUnreachable,
    TimedOut: SourceUnreachable,
    ConnectionLost: SourceUnreachable,
    WrongCertificate: SourceDistrusted,
    UntrustedCertificate: SourceDistrusted,
    TooLarge: SourceDistrusted,
    TooMuch: SourceDistrusted,
    ProtocolBroken: SourceDistrusted,
}


def auth_headers(key: str, auth: Auth) -> dict[str, str]:
    """Return the headers that carry the key (CiviCRM sheet §2.1).

    X-Civi-Auth goes without X-Requested-With: in that form alone a lost or refused key never
    turns into an empty success. Authorization needs X-Requested-With.
    """
    if auth == "x-civi-auth":
        return {"X-Civi-Auth": f"Bearer {key}"}
    return {"Authorization": f"Bearer {key}", "X-Requested-With": "XMLHttpRequest"}


class CivicrmSource:
    """The members in one CiviCRM; `client` carries the key in its `auth_headers`.

    `auth` says which of the two ways that was, for the error messages. `path` is where APIv4
    answers, and may hold a query (CiviCRM sheet §1.1). `card_id_field` is Group.field, by machine
    names. `active_statuses` are names of membership statuses. `page_size` rows come per request.

    Each method opens with its own proof of the ground (R0), so nothing is carried from one call
    to the next. Raise ValueError for arguments with which nothing could be read.
    """

    def __init__(
        self,
        client: HttpClient,
        *,
        auth: Auth,
        path: str,
        card_id_field: str,
        active_statuses: Sequence[str],
        page_size: int,
    ) -> None:
        if not active_statuses:
            raise ValueError("without an active status nobody would be a member")
        if page_size < 1:
            raise ValueError("a page holds at least one row")
        self._client = client
        self._auth: Auth = auth
        self._path = path
        self._card_field = card_id_field
        self._active_statuses = tuple(active_statuses)
        self._page_size = page_size

    def read(self) -> SourceReading:
        """Read everybody with a card, completely; raise SourceError otherwise.

        Contacts and memberships are walked side by side. If a count moved meanwhile, all is read
        again, at most twice, from the proof of the ground on: the key may have lost a right.

        A reading without anybody is returned only if the key proved that it sees everybody, reads
        memberships, and counts nobody with a card before and after (CiviCRM sheet §13.2); the
        guard for an empty source holds it then.

        A membership whose contact is not among those with a card (changed in between) is left
        out: contacts that miss are asked for by id (R1).
        """
        moved = ""
        for _ in range(MOST_READINGS):
            with self._client.reading():
                ground = self._ground()
                contacts, memberships = self._both_lists(ground)
            if contacts.is_whole and memberships.is_whole:
                return _reading(contacts.rows, memberships.rows, ground)
            moved = "; ".join(str(each) for each in (contacts, memberships) if not each.is_whole)
            logger.info("CiviCRM's lists moved while they were read: %s", moved)
        raise _never_whole(moved)

    def read_joined(self) -> Mapping[ContactId, Member]:
        """Read everybody who has or had a membership, with a card or without.

        If somebody changed the list meanwhile it is read again, at most twice, as in `read`.
        """
        moved = ""
        for _ in range(MOST_READINGS):
            with self._client.reading():
                found = read_joined(self._ask, self._ground(), self._card_field, self._page_size)
            if not found.moved:
                return _with_memberships(found.contacts, found.memberships.rows)
            moved = found.moved
        raise _never_whole(moved)

    def read_contacts(self, contact_ids: Collection[ContactId]) -> Mapping[ContactId, Member]:
        """Ask for these contacts by id; raise SourceError.

        Found are also the living whose card was cleared, the deceased, and those in the trash if
        the key may see them. Who is not found is absent: no evidence either way (P1).
        """
        if not contact_ids:
            return {}
        wanted = sorted(set(contact_ids))
        found: dict[ContactId, Member] = {}
        with self._client.reading():
            ground = self._ground()
            for start in range(0, len(wanted), CONTACTS_PER_QUESTION):
                found |= self._asked(ground, wanted[start : start + CONTACTS_PER_QUESTION])
        return found

    def read_in_full(self, contact_id: ContactId) -> PersonInFull | None:
        """Ask for one contact with every membership it ever had; None if it is not returned.

        No cycle needs this: it is for a person who wants to know why. Raise SourceError.
        """
        ground = self._ground()
        found = self._asked(ground, [contact_id]).get(contact_id)
        if found is None:
            return None
        parts = self._ask(
            {
                "statuses": wire.membership_statuses(),
                "memberships": wire.memberships_in_full(contact_id),
            }
        )
        every = answered(parts["memberships"])
        if every.count() != len(every.values):
            disbelieve(every.title, "does not hold as many rows as it counts")
        statuses = names_of(answered(parts["statuses"]))
        memberships = rows.memberships_in_full(every, ground.types, statuses, contact_id)
        return PersonInFull(found, memberships)

    def _ground(self) -> Ground:
        return ground_proved(
            self._ask(wire.ground(self._card_field, self._active_statuses)),
            card_field=self._card_field,
            active_statuses=self._active_statuses,
            auth=self._auth,
        )

    def _both_lists(self, ground: Ground) -> tuple[Walked[Member], Walked[Owned]]:
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="civicrm") as beside:
            memberships = beside.submit(self._memberships, ground)
            return self._contacts(ground), memberships.result()

    def _contacts(self, ground: Ground) -> Walked[Member]:
        def ask(after: int, limit: int, counting: bool) -> Page[Member]:
            call = wire.contacts_page(self._card_field, after, limit)
            count = wire.contacts_count(self._card_field)
            parts = self._ask_page(call, count if counting else None)
            found = rows.members_with_card(answered(parts["page"]), self._card_field, after)
            return Page(found, found[-1].contact_id if found else after, _count(parts))

        what = "contacts with a card"
        return walk(what, ask, before=ground.contacts, page_size=self._page_size)

    def _memberships(self, ground: Ground) -> Walked[Owned]:
        def ask(after: int, limit: int, counting: bool) -> Page[Owned]:
            call = wire.memberships_page(self._card_field, ground.statuses, after, limit)
            count = wire.memberships_count(self._card_field, ground.statuses)
            parts = self._ask_page(call, count if counting else None)
            page = answered(parts["page"])
            found = rows.memberships(page, ground.types, ground.statuses, after)
            return Page(found, found[-1][1].id if found else after, _count(parts))

        what = "active memberships"
        return walk(what, ask, before=ground.memberships, page_size=self._page_size)

    def _ask_page(self, page: Call, count: Call | None) -> dict[str, Part]:
        return self._ask({"page": page} if count is None else {"page": page, "count": count})

    def _asked(self, ground: Ground, contact_ids: Sequence[ContactId]) -> dict[ContactId, Member]:
        parts = self._ask(
            {
                "contacts": wire.contacts_by_id(self._card_field, contact_ids),
                "memberships": wire.memberships_by_contact(ground.statuses, contact_ids),
            }
        )
        contacts, memberships = answered(parts["contacts"]), answered(parts["memberships"])
        for part in (contacts, memberships):
            if part.count() != len(part.values):
                disbelieve(part.title, "does not hold as many rows as it counts")
        asked = frozenset(contact_ids)
        members = rows.members_asked(contacts, self._card_field, asked)
        owned = rows.memberships(memberships, ground.types, ground.statuses)
        if any(owner not in asked for owner, _ in owned):
            disbelieve(memberships.title, "holds the membership of a contact not asked for")
        return _with_memberships(members, owned)

    def _ask(self, calls: Mapping[str, Call]) -> dict[str, Part]:
        try:
            reply = self._client.send(wire.request(self._path, calls))
        except HttpError as error:
            raise _TRANSLATED[type(error)](error.message, remedy=error.remedy) from error
        return judge(reply, calls, self._auth)


def _never_whole(moved: str) -> SourceDistrusted:
    return SourceDistrusted(
        f"CiviCRM's lists did not come whole in {MOST_READINGS} readings: {moved}",
        remedy="Somebody may be changing many records, or the job that updates statuses may "
        "be running: the next cycle tries again. If it stays, ask CiviCRM's administrator.",
    )


def _count(parts: Mapping[str, Part]) -> int | None:
    return answered(parts["count"]).count() if "count" in parts else None


def _reading(
    contacts: Iterable[Member], memberships: Iterable[Owned], ground: Ground
) -> SourceReading:
    members = _with_memberships(contacts, memberships)
    with_card = {
        number: member
        for number, member in members.items()
        if member.card is not None and not member.is_deceased
    }
    return SourceReading(with_card, tuple(ground.types.values()))


def _with_memberships(members: Iterable[Member], owned: Iterable[Owned]) -> dict[ContactId, Member]:
    of_contact: dict[ContactId, tuple[Membership, ...]] = {}
    for contact_id, membership in owned:
        of_contact[contact_id] = (*of_contact.get(contact_id, ()), membership)
    return {
        member.contact_id: replace(member, memberships=of_contact[member.contact_id])
        if member.contact_id in of_contact
        else member
        for member in members
    }
