"""The doors' controller as the program sees it: UniFi Access behind the port DoorController.

Reads are in `reading`, imports in `imports`; here stand the writes, and what each refusal of them
means. PUT and DELETE are idempotent in effect and repeated after passing trouble; a POST is never
repeated without a look at what became of it (UniFi sheet §3.6, §20 trap 23).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from door_sync.core.access import AccessReading
from door_sync.core.addresses import normal
from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import Holder, PolicyId, Snapshot, User, UserId, UserStatus
from door_sync.core.people import ContactId
from door_sync.http import HttpClient, Json, RetryClass, Upload
from door_sync.ports import (
    AddressRefused,
    CardChangeImpossible,
    CardHasHolder,
    ImportedCard,
    Profile,
    WriteFailed,
    WriteRefused,
    WriteUncertain,
)
from door_sync.unifi import wire
from door_sync.unifi.access import read_access
from door_sync.unifi.administrators import administrators
from door_sync.unifi.envelope import (
    HAS_HOLDER,
    NO_ROUTE_CODE,
    SYSTEM_ERROR,
    NoRoute,
    Refused,
    Success,
)
from door_sync.unifi.exchange import Exchange, done, looking, path
from door_sync.unifi.imports import CardImport, Tokens
from door_sync.unifi.reading import CARDS, Reader
from door_sync.unifi.taps import Bearer, Taps, read_taps
from door_sync.unifi.trouble import Right

FREEING: Final = ("PUT", "DELETE")
"""The reference says PUT, v0 sent DELETE (UniFi sheet §6.7, §18 C1)."""


def token_headers(token: str) -> dict[str, str]:
    """Return the headers that every request to the controller must carry (UniFi sheet §1.3)."""
    return {"Authorization": f"Bearer {token}", "Accept": "application/json"}


class UnifiController:
    """One site's controller. Fills the port DoorController, whose docstrings are the contract.

    `client` must send the headers of `token_headers`. `facility_code` (0 to 255) belongs to the
    site's cards; at most `read_concurrency` reads run side by side.
    """

    def __init__(self, client: HttpClient, *, facility_code: int, read_concurrency: int) -> None:
        self._exchange = Exchange(client)
        self._reader = Reader(
            self._exchange, facility_code=facility_code, concurrency=read_concurrency
        )
        self._facility_code = facility_code
        self._read_concurrency = read_concurrency
        self._freeing: tuple[str, ...] = FREEING

    def read(self) -> Snapshot:
        """Read users, cards, visitors' cards and policies completely, and compare them (R0)."""
        return self._reader.snapshot()

    def user(self, user_id: UserId) -> User | None:
        """Read one user now; None if the controller says that it does not exist."""
        return self._reader.user(user_id)

    def users_of(self, contact_ids: Collection[ContactId]) -> tuple[User, ...]:
        """Read the users that carry one of these contacts' ids now, lowest id first."""
        return self._reader.users_of(contact_ids)

    def holder(self, token: CardToken) -> Holder:
        """Read what the card's row says now; whether the user's row agrees is not looked at."""
        return self._reader.holder(token)

    def direct_policies(self, user_id: UserId) -> tuple[PolicyId, ...] | None:
        """Read the policies given to this user directly; None where that cannot be learnt."""
        return self._reader.direct_policies(user_id)

    def taps(self, bearer: Bearer, since: datetime, until: datetime) -> Taps | None:
        """Read what the system log says of one person; None without that right."""
        with self._exchange.reading():
            return read_taps(self._exchange, bearer, self._facility_code, since, until)

    def create_user(self, contact_id: ContactId, profile: Profile) -> UserId:
        """Create a user with both names; look for it before a doubtful try is repeated, once.

        Raise ValueError without both names, AddressRefused, WriteRefused, WriteUncertain.
        """
        if not profile.first_name or not profile.last_name:
            raise ValueError("a new user needs both names")
        return self._create(contact_id, profile, again=True)

    def administrators(self) -> frozenset[UserId] | None:
        """Read who administers the console, for a warning; None where that cannot be learnt."""
        with self._exchange.reading():
            return administrators(self._exchange)

    def read_access(self) -> AccessReading:
        """Read what the doors go by: credentials, policies with their doors, groups, visits."""
        with self._exchange.reading():
            return read_access(self._exchange, self._reader.page, self._read_concurrency)

    def link(self, user_id: UserId, contact_id: ContactId) -> None:
        """Write a contact's id into the user's employee number, in place of what is there."""
        what = f"linking user {user_id} to contact {contact_id}"
        body = {"employee_number": str(contact_id)}
        done(self._put(path("users", user_id), body, what), what, since="1.9.1")

    def update_profile(self, user_id: UserId, profile: Profile) -> None:
        """Write the given names and address; nothing is sent for an empty profile.

        An address that is refused as taken is looked for on the user itself: a repeat of a write
        whose answer was lost meets there what the first try brought (UniFi sheet §6.10).
        """
        body = wire.profile_body(profile)
        if body:
            what = f"writing the profile of user {user_id}"
            answer = self._put(path("users", user_id), body, what)
            if _refuses_address(answer, profile) and self._has_address(user_id, profile, what):
                return
            _profile_done(answer, profile, what)

    def activate(self, user_id: UserId) -> None:
        """Set the status ACTIVE."""
        self._set_status(user_id, UserStatus.ACTIVE, f"activating user {user_id}")

    def deactivate(self, user_id: UserId) -> None:
        """Set the status DEACTIVATED."""
        self._set_status(user_id, UserStatus.DEACTIVATED, f"deactivating user {user_id}")

    def set_policies(self, user_id: UserId, policy_ids: Sequence[PolicyId]) -> None:
        """Replace the direct policies of this user (UniFi sheet §6.5)."""
        what = f"setting the policies of user {user_id}"
        body = {"access_policy_ids": list(policy_ids)}
        done(self._put(path("users", user_id, "access_policies"), body, what), what, since="1.9.1")

    def bind_card(self, user_id: UserId, token: CardToken, *, force: bool = False) -> None:
        """Bind a card (UniFi sheet §6.6). Raise CardHasHolder if somebody else has it.

        A missing route ends the cycle, unless the user is not ACTIVE any more: then it may be the
        controller's way to refuse this one (§18 C1), and CardChangeImpossible is raised. A forced
        bind is sent once: by the time of a repeat the holder may be active again (P3).
        """
        what = f"binding a card to user {user_id}"
        # Sent even where it is false, so that no default can take a card from anybody (P3).
        body = {"token": token.reveal(), "force_add": force}
        retry = RetryClass.NEVER if force else RetryClass.IDEMPOTENT_WRITE
        answer = self._put(path("users", user_id, "nfc_cards"), body, what, retry)
        if answer == Refused(HAS_HOLDER):
            raise CardHasHolder(f"{what}: somebody holds it ({HAS_HOLDER})", code=HAS_HOLDER)
        if isinstance(answer, NoRoute):
            with looking(what):
                user = self._reader.user(user_id)
            if user is None or user.status is not UserStatus.ACTIVE:
                raise _card_change_impossible(what)
        done(answer, what, since="1.9.1")

    def free_card(self, user_id: UserId, token: CardToken, *, once: bool = False) -> None:
        """Free a card from this user, by whichever method the firmware has (UniFi sheet §18 C1).

        Raise CardChangeImpossible if it has neither. The method that it knows is tried first from
        then on. `once` sends each at most one time.
        """
        what = f"freeing a card from user {user_id}"
        where = path("users", user_id, "nfc_cards", "delete")
        retry = RetryClass.NEVER if once else RetryClass.IDEMPOTENT_WRITE
        for method in self._freeing:
            answer = self._exchange.write(
                method,
                where,
                what=what,
                right=Right.WRITE_PEOPLE,
                body=Json({"token": token.reveal()}),
                retry=retry,
            )
            if isinstance(answer, NoRoute):
                continue
            self._freeing = (method, *(other for other in FREEING if other != method))
            if isinstance(answer, Refused) and answer.is_not_there:
                with looking(what):
                    user = self._reader.user(user_id)
                if user is None or token not in user.tokens:
                    return
            done(answer, what, since="1.9.1")
            return
        raise _card_change_impossible(what)

    def import_cards(self, numbers: Sequence[CardNumber]) -> Sequence[ImportedCard]:
        """Import cards with our aliases; a number that failed is absent from the answer.

        A token may be one that the controller had before. Raise WriteUncertain if nothing is
        known to have arrived, ImportUncertain if something is, ControllerForbids below Access
        3.3.10.
        """
        found = CardImport(self._upload, self._listed_cards).run(numbers)
        return [ImportedCard(number, found[number]) for number in numbers if number in found]

    def set_alias(self, token: CardToken, number: CardNumber) -> bool:
        """Give a card our alias; False where the firmware has no such route (before 3.1.30).

        Nobody is read back for it, so its row is looked at here (P10): WriteRefused where that
        does not show the alias after all.
        """
        what = "giving a card our alias"
        answer = self._exchange.write(
            "PUT",
            f"{CARDS.path}{path(token.reveal())}",
            what=what,
            right=Right.WRITE_CARDS,
            body=Json({"alias": number.alias()}),
        )
        if isinstance(answer, NoRoute):
            return False
        done(answer, what, since="3.1.30")
        with looking(what):
            is_so = self._reader.carries_alias(token, number)
        if not is_so:
            raise WriteRefused(f"{what}: called done, but the card has it not", code="not so")
        return True

    def _create(self, contact_id: ContactId, profile: Profile, *, again: bool) -> UserId:
        what = f"creating the user of contact {contact_id}"
        try:
            return self._create_once(contact_id, profile, what)
        except WriteFailed as failure:
            if not _is_doubtful(failure):
                raise
            with looking(what):
                made = self._reader.users_of((contact_id,))
            if not made and not again:
                raise
        return made[0].id if made else self._create(contact_id, profile, again=False)

    def _create_once(self, contact_id: ContactId, profile: Profile, what: str) -> UserId:
        answer = self._exchange.write(
            "POST",
            "/users",
            what=what,
            right=Right.WRITE_PEOPLE,
            body=Json(wire.creation_body(contact_id, profile)),
            retry=RetryClass.ONCE,
        )
        success = _profile_done(answer, profile, what)
        with looking(what):  # a success that does not name the user is settled by a look
            return wire.created_user(success.data, what)

    def _has_address(self, user_id: UserId, profile: Profile, what: str) -> bool:
        with looking(what):
            user = self._reader.user(user_id)
        return user is not None and normal(user.email) == normal(profile.email or "")

    def _set_status(self, user_id: UserId, status: UserStatus, what: str) -> None:
        done(self._put(path("users", user_id), {"status": status.value}, what), what, since="1.9.1")

    def _put(
        self,
        where: str,
        body: Mapping[str, object],
        what: str,
        retry: RetryClass = RetryClass.IDEMPOTENT_WRITE,
    ) -> Success | NoRoute | Refused:
        return self._exchange.write(
            "PUT", where, what=what, right=Right.WRITE_PEOPLE, body=Json(body), retry=retry
        )

    def _upload(self, file: Sequence[CardNumber]) -> Tokens | Refused:
        what = f"importing {len(file)} cards"
        answer = self._exchange.write(
            "POST",
            "/credentials/nfc_cards/import",
            what=what,
            right=Right.WRITE_CARDS,
            body=Upload(
                field="file",
                filename="cards.csv",
                content=wire.import_file(file, self._facility_code),
                content_type="text/csv",
            ),
            retry=RetryClass.ONCE,
        )
        if isinstance(answer, Refused):
            return answer
        success = done(answer, what, since="3.3.10")
        with looking(what):
            return wire.imported_tokens(success.data, file, self._facility_code, what)

    def _listed_cards(self) -> Tokens:
        with looking("importing cards"):
            return self._reader.cards_by_number()


def _refuses_address(answer: Success | NoRoute | Refused, profile: Profile) -> bool:
    """Whether an address was sent and is what the controller does not want."""
    return isinstance(answer, Refused) and answer.is_about_address and profile.email is not None


def _profile_done(answer: Success | NoRoute | Refused, profile: Profile, what: str) -> Success:
    """Given the answer to a write of a profile, return it if it was done; see `done`.

    AddressRefused only where an address was sent: a write without one cannot do without it.
    """
    if isinstance(answer, Refused) and _refuses_address(answer, profile):
        raise AddressRefused(f"{what}: the address is refused ({answer.code})", code=answer.code)
    return done(answer, what, since="1.22.16")


def _is_doubtful(failure: WriteFailed) -> bool:
    """Whether the write may have been carried out in spite of the failure."""
    return isinstance(failure, WriteUncertain) or (
        isinstance(failure, WriteRefused) and failure.code == SYSTEM_ERROR
    )


def _card_change_impossible(what: str) -> CardChangeImpossible:
    return CardChangeImpossible(
        f"{what}: the controller knows no such call for this user", code=NO_ROUTE_CODE
    )
