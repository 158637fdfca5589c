"""The questions about CiviCRM, and what it answers to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from door_sync.app.setting_up import checks, proposals
from door_sync.app.setting_up import question as q
from door_sync.app.setting_up.interview import Interview
from door_sync.app.setting_up.question import Wrong
from door_sync.civicrm.client import auth_headers
from door_sync.civicrm.survey import (
    FieldFound,
    KeyNotTaken,
    StatusFound,
    Survey,
    is_civicrm,
    survey,
)
from door_sync.civicrm.wire import Auth
from door_sync.http import AuthorityTls, HttpClient, PlainHttp
from door_sync.ports import Clock, DoorSyncError, SourceDistrusted
from door_sync.settings.fields import ApiPath, CardField, civicrm_address

TIMEOUT_SECONDS = 60.0
ATTEMPTS = 1
"""Somebody is waiting for the answer, and can try again."""


@dataclass(frozen=True)
class CivicrmSide:
    """What was decided about CiviCRM. The key is mute."""

    host: str
    path: str
    auth: Auth
    key: str = field(repr=False)
    card_field: str
    statuses: tuple[str, ...]
    survey: Survey


def ask_civicrm(interview: Interview, clock: Clock) -> CivicrmSide:
    """Ask for address and key until CiviCRM answers to them, then for what it has."""
    interview.title("CiviCRM: who is a member")
    host, path = _ask_place(interview, clock)
    auth, key, found = _ask_key(interview, _Opener(host, clock), path)
    interview.say(f"CiviCRM accepts the key, and shows {len(found.types)} membership types.")
    statuses = _ask_statuses(interview, found.statuses)
    return CivicrmSide(
        host, path, auth, key, _ask_card_field(interview, found.fields), statuses, found
    )


@dataclass(frozen=True)
class _Opener:
    """Makes clients for one address, with the key or with none."""

    host: str
    clock: Clock

    def client(self, headers: dict[str, str]) -> HttpClient:
        is_plain = self.host.startswith("http://")
        return HttpClient(
            self.host,
            headers=headers,
            tls=PlainHttp() if is_plain else AuthorityTls(),
            timeout_seconds=TIMEOUT_SECONDS,
            clock=self.clock,
            attempts=ATTEMPTS,
            trust_environment_proxies=True,
        )


def _ask_place(interview: Interview, clock: Clock) -> tuple[str, str]:
    """Ask for the address, and for the path only where something else than CiviCRM answers."""
    host: str | None = None
    path: str = interview.former.answer(q.CIVICRM_PATH) or q.CIVICRM_PATH.default or ""
    given = interview.answers.take(q.CIVICRM_PATH)
    if given is not None:
        path = _path(interview, given)
    while True:
        host = interview.ask(q.CIVICRM_HOST, checks.as_address(civicrm_address), proposal=host)
        try:
            _look(host, path, clock)
        except SourceDistrusted as error:
            interview.refuse(q.CIVICRM_HOST, Wrong(error.message, error.remedy))
            path = interview.ask(q.CIVICRM_PATH, checks.as_setting(ApiPath), proposal=path)
        except DoorSyncError as error:
            interview.refuse(q.CIVICRM_HOST, Wrong(error.message, error.remedy))
        else:
            return host, path


def _path(interview: Interview, given: str) -> str:
    try:
        return checks.as_setting(ApiPath)(given)
    except Wrong as wrong:
        interview.refuse(q.CIVICRM_PATH, wrong)
    return interview.ask(q.CIVICRM_PATH, checks.as_setting(ApiPath))


def _look(host: str, path: str, clock: Clock) -> None:
    with _Opener(host, clock).client({}) as client:
        is_civicrm(client, path)


def _ask_key(interview: Interview, opener: _Opener, path: str) -> tuple[Auth, str, Survey]:
    """Ask for the key until it is accepted. The header is changed by the person alone (R0)."""
    auth = cast("Auth", interview.former.answer(q.CIVICRM_AUTH) or q.CIVICRM_AUTH.default)
    given = interview.answers.has(q.CIVICRM_AUTH)
    if given:
        auth = cast("Auth", interview.ask(q.CIVICRM_AUTH, checks.one_of(q.CIVICRM_AUTH)))
    key: str | None = None
    while True:
        key = interview.ask(q.CIVICRM_KEY, checks.key_text, proposal=key)
        try:
            with opener.client(auth_headers(key, auth)) as client:
                return auth, key, survey(client, path, auth)
        except KeyNotTaken as error:
            interview.refuse(q.CIVICRM_KEY, Wrong(error.message, error.remedy))
            if error.other is not None:
                auth = cast(
                    "Auth",
                    interview.ask(
                        q.CIVICRM_AUTH, checks.one_of(q.CIVICRM_AUTH), proposal=error.other
                    ),
                )
        except DoorSyncError as error:
            interview.refuse(q.CIVICRM_KEY, Wrong(error.message, error.remedy))
        interview.say("Enter tries the same key once more.")


def _ask_statuses(interview: Interview, found: Sequence[StatusFound]) -> tuple[str, ...]:
    names = [one.name for one in found]
    interview.lines(["", f"Membership statuses in CiviCRM: {', '.join(names)}"])
    proposal = ", ".join(proposals.active_statuses(found))
    return interview.ask(q.STATUSES, _statuses(names), proposal=proposal or None)


def _statuses(names: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    def check(text: str) -> tuple[str, ...]:
        wanted = [one.strip() for one in text.split(",") if one.strip()]
        unknown = [one for one in wanted if one not in names]
        if unknown or not wanted:
            raise Wrong(
                f"CiviCRM has no status {', '.join(unknown)}" if unknown else "names no status",
                f"It has these: {', '.join(names)}. Upper and lower case matter.",
            )
        return tuple(dict.fromkeys(wanted))

    return check


def _ask_card_field(interview: Interview, found: Sequence[FieldFound]) -> str:
    ranked = proposals.card_fields(found)
    interview.lines(["", *field_table(ranked)])
    likely = proposals.likely_card_field(ranked)
    return interview.ask(
        q.CARD_FIELD,
        _card_field([one.name for one in ranked]),
        proposal=likely.name if likely else None,
    )


def field_table(ranked: Sequence[FieldFound]) -> list[str]:
    """Return the fields as lines: counts alone, never a value (P12)."""
    if not ranked:
        return ["CiviCRM shows no custom field of contacts that could hold a card number."]
    lines = ["Custom fields of contacts that could hold a card number:"]
    width = max(len(one.name) for one in ranked)
    for number, one in enumerate(ranked, start=1):
        share = f"card numbers: {one.numbers} of {one.seen} looked at" if one.seen else "empty"
        lines.append(f"{number:4}  {one.name:{width}}  filled in {one.filled:6} times; {share}")
    return lines


def _card_field(names: Sequence[str]) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not names:
            raise Wrong(
                "there is no field to choose",
                "Make a custom field of contacts in CiviCRM (one line of text, or a whole number), "
                'give the key\'s user the right "access all custom data", and begin anew.',
            )
        return checks.as_setting(CardField)(checks.picked(text, names))

    return check
