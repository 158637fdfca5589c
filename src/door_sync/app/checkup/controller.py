"""What the controller says to a checkup: who answers, what the token may do, what the site has."""

from collections.abc import Iterator
from typing import Final, assert_never

from door_sync.app.checkup.check import Check, Name, Verdict, bad, good, not_asked, warning
from door_sync.app.checkup.clocks import clock_check
from door_sync.app.checkup.configuration import faults_in
from door_sync.app.checkup.membership import rules_of
from door_sync.core.controller import UserId
from door_sync.core.tiers import Resolution, resolve_policies
from door_sync.http import HttpClient, HttpError, PinnedTls, WrongCertificate
from door_sync.ports import Clock, ControllerError
from door_sync.settings import Secret, TierMapping, Unifi
from door_sync.settings.addresses import fingerprint_command, host_address
from door_sync.settings.known import KnownSettings
from door_sync.unifi.client import token_headers
from door_sync.unifi.envelope import (
    ApiSwitchedOff,
    KeyRefused,
    NoRoute,
    Overloaded,
    Refused,
    Success,
    Unreadable,
)
from door_sync.unifi.probing import Probes, Stop, Try, has_route, may, policies_in, probe
from door_sync.unifi.trouble import NEW_KEY, key_refused, poor_read

PATIENCE_SECONDS: Final = 20.0

_WHAT: Final = "asking the controller"
_RIGHTS: Final = (Name.PEOPLE, Name.CREDENTIALS, Name.VIEW_POLICIES, Name.VIEW_VISITORS)
_REST: Final = (*_RIGHTS, Name.VERSION, Name.POLICIES, Name.CANARY_USER)
_ALL: Final = (
    *(Name.CONTROLLER, Name.FINGERPRINT, Name.CONTROLLER_CLOCK, Name.IDENTITY, Name.TOKEN),
    *_REST,
)


def controller_checks(known: KnownSettings, clock: Clock) -> Iterator[Check]:
    """Yield the checks of the controller; nothing is changed on it, whatever it answers.

    Nothing, and no token, is sent to a host with another certificate than the pinned one (P11).
    """
    if known.unifi is None:
        yield from _none(_ALL, faults_in(known, "unifi"))
    elif known.unifi_api_key is None:
        yield from _none(_ALL, "UNIFI_API_KEY is missing or malformed")
    else:
        yield from _asked(known.unifi, known.unifi_api_key, known.tier_mapping, clock)


def _asked(unifi: Unifi, token: Secret, tiers: TierMapping | None, clock: Clock) -> Iterator[Check]:
    try:
        found = _probed(unifi, token, clock)
    except WrongCertificate as error:
        yield good(Name.CONTROLLER, f"{unifi.host} answers")
        yield _other_fingerprint(unifi, error.seen)
        yield from _none(_ALL[2:], "nothing is sent to a host with another certificate")
        return
    except HttpError as error:
        yield bad(Name.CONTROLLER, error.message, error.remedy)
        yield from _none(_ALL[1:], "the controller cannot be reached")
        return
    clock_line = clock_check(Name.CONTROLLER_CLOCK, "the controller", found.first, clock.now())
    pin = good(Name.FINGERPRINT, "it shows the pinned certificate")
    if found.stopped_by is not None:
        yield from _stopped(unifi, found.stopped_by, pin, clock_line)
        return
    yield good(Name.CONTROLLER, f"{unifi.host} answers")
    yield pin
    yield clock_line
    yield good(Name.IDENTITY, "the local API is switched on")
    yield good(Name.TOKEN, "the controller knows it")
    yield _people(found)
    yield _credentials(found)
    yield _view_policies(found, tiers)
    yield _view_visitors(found)
    yield _version(found)
    yield _policies(found, tiers)
    yield _canary(found, unifi.canary_user)


def _probed(unifi: Unifi, token: Secret, clock: Clock) -> Probes:
    with HttpClient(
        unifi.host,
        headers=token_headers(token.reveal()),
        tls=PinnedTls(unifi.tls_fingerprint),
        timeout_seconds=min(unifi.timeout_seconds, PATIENCE_SECONDS),
        clock=clock,
        attempts=1,
        write_interval_seconds=unifi.write_interval_ms / 1000,
        trust_environment_proxies=False,
    ) as client:
        return probe(client, None if unifi.canary_user is None else UserId(unifi.canary_user))


def _other_fingerprint(unifi: Unifi, seen: str) -> Check:
    address = host_address(unifi.host)
    command = fingerprint_command(f"{address.host}:{address.port}")
    return bad(
        Name.FINGERPRINT,
        f"it shows another certificate: {seen}; pinned is {' or '.join(unifi.tls_fingerprint)}. "
        "Nothing was sent to it",
        f"Compare the first one with what `{command}` prints on a computer next to the console. "
        "Only if they are the same, and you know why the certificate changed, put it into "
        "unifi.tls_fingerprint. Otherwise somebody may be standing in between.",
    )


def _stopped(unifi: Unifi, stop: Stop, pin: Check, clock_line: Check) -> Iterator[Check]:
    match stop:
        case Overloaded() | Unreadable():
            error = poor_read(stop, _WHAT)
            yield _bad(Name.CONTROLLER, error)
            yield pin
            yield clock_line
            yield from _none(_ALL[3:], "the controller does not answer what is asked")
        case ApiSwitchedOff():
            switched_off = key_refused(stop, _WHAT)
            yield good(Name.CONTROLLER, f"{unifi.host} answers")
            yield pin
            yield clock_line
            yield _bad(Name.IDENTITY, switched_off)
            yield from _none(_ALL[4:], "the local API is switched off")
        case KeyRefused():
            refused = key_refused(stop, _WHAT)
            yield good(Name.CONTROLLER, f"{unifi.host} answers")
            yield pin
            yield clock_line
            yield good(Name.IDENTITY, "the local API is switched on")
            yield _bad(Name.TOKEN, refused)
            yield from _none(_REST, "the token is not accepted")
        case _:
            assert_never(stop)


def _people(found: Probes) -> Check:
    read, write = found.answers.get(Try.READ_USERS), found.answers.get(Try.WRITE_USERS)
    if may(read) is False:
        return _lacks(Name.PEOPLE, "the token may not read users")
    if may(write) is False:
        return _lacks(Name.PEOPLE, "the token may read users, but not change them")
    if may(read) is None:
        return bad(
            Name.PEOPLE,
            "the controller gives no list of users",
            "Restart the Access application, and look again.",
        )
    if may(write) is None:
        return _untold(Name.PEOPLE)
    return good(Name.PEOPLE, "the token may read and change users")


def _credentials(found: Probes) -> Check:
    answers = found.answers
    read, alias, imports = (
        answers.get(one) for one in (Try.READ_CARDS, Try.WRITE_CARDS, Try.IMPORT_CARDS)
    )
    if may(read) is False:
        return _lacks(Name.CREDENTIALS, "the token may not read cards")
    if may(alias) is False or may(imports) is False:
        return _lacks(Name.CREDENTIALS, "the token may read cards, but not import them")
    if isinstance(read, NoRoute):
        return not_asked(Name.CREDENTIALS, "this version of Access has no list of cards")
    if may(read) is None:
        return bad(
            Name.CREDENTIALS,
            "the controller gives no list of cards",
            "Restart the Access application, and look again.",
        )
    if may(alias) is None and may(imports) is None:
        return _untold(Name.CREDENTIALS)
    return good(Name.CREDENTIALS, "the token may read and import cards")


def _view_policies(found: Probes, tiers: TierMapping | None) -> Check:
    """Without this right a rule must name its policy by id, which is then never checked (R0)."""
    right = may(found.answers.get(Try.READ_POLICIES))
    if right is None:
        return bad(
            Name.VIEW_POLICIES,
            "the controller gives no list of access policies",
            "Restart the Access application, and look again.",
        )
    if right:
        return good(Name.VIEW_POLICIES, "the token may read access policies")
    if tiers is not None and resolve_policies(rules_of(tiers), None).unknown:
        text = "the token may not read access policies, and a rule names one by its name"
        return _lacks(Name.VIEW_POLICIES, text)
    return warning(
        Name.VIEW_POLICIES,
        "the token may not read access policies, so nobody checks that those of the rules exist",
        NEW_KEY,
    )


def _view_visitors(found: Probes) -> Check:
    answer = found.answers.get(Try.READ_VISITORS)
    if isinstance(answer, NoRoute):
        return not_asked(Name.VIEW_VISITORS, "this version of Access has no list of visitors")
    match may(answer):
        case None:
            return bad(
                Name.VIEW_VISITORS,
                "the controller gives no list of visitors",
                "Restart the Access application, and look again.",
            )
        case True:
            return good(Name.VIEW_VISITORS, "the token may read visitors")
        case False:
            return warning(
                Name.VIEW_VISITORS,
                "the token may not read visitors, so cards that may be a visitor's stay where "
                "they are",
                NEW_KEY,
            )
        case unknown:
            assert_never(unknown)


def _version(found: Probes) -> Check:
    match has_route(found.answers.get(Try.IMPORT_CARDS)):
        case True:
            return good(Name.VERSION, "it is new enough to import cards (3.3.10)")
        case False:
            return bad(
                Name.VERSION,
                "it cannot import cards, so no new card would ever work",
                "Update the Access application to 3.3.10 or newer.",
            )
        case None:
            return _untold(Name.VERSION)
        case unknown:
            assert_never(unknown)


def _policies(found: Probes, tiers: TierMapping | None) -> Check:
    answer = found.answers.get(Try.READ_POLICIES)
    if tiers is None:
        return not_asked(Name.POLICIES, "the rules in config.toml have a fault")
    if may(answer) is not True:
        return not_asked(Name.POLICIES, "the token may not read access policies")
    policies = policies_in(answer)
    if policies is None:
        return bad(
            Name.POLICIES,
            "the controller's list of access policies is malformed",
            "Restart the Access application, and look again.",
        )
    unknown = resolve_policies(rules_of(tiers), policies).unknown
    if unknown:
        keys = ", ".join(f'tier_mapping.rules."{key}".target_policy' for key in unknown)
        names = sorted(one.name for one in policies if one.name.isprintable())
        there = ", ".join(f'"{name}"' for name in names) or "none"
        return bad(
            Name.POLICIES,
            f"the controller does not have, or has twice, the policy of {keys}",
            f"The controller has these: {there}. Write one exactly so, or its id.",
        )
    count = sum(one.resolution is Resolution.TIER for one in rules_of(tiers))
    of_rules = "the one rule" if count == 1 else f"all {count} rules"
    return good(Name.POLICIES, f"those of {of_rules} that give access exist")


def _canary(found: Probes, user: str | None) -> Check:
    if user is None:
        return not_asked(Name.CANARY_USER, "unifi.canary_user names none")
    match found.answers.get(Try.CANARY):
        case Success():
            return good(Name.CANARY_USER, f"user {user} is there")
        case Refused(is_not_there=True):
            return bad(
                Name.CANARY_USER,
                f"the controller has no user {user}",
                "Set unifi.canary_user to the id of one that is always there.",
            )
        case _:
            return not_asked(Name.CANARY_USER, "users cannot be read")


def _bad(name: Name, error: ControllerError) -> Check:
    return bad(name, error.message.removeprefix(f"{_WHAT}: "), error.remedy)


def _lacks(name: Name, text: str) -> Check:
    return bad(name, text, f"A token's rights cannot be changed afterwards. {NEW_KEY}")


def _untold(name: Name) -> Check:
    """Return that a right shows itself only when it is used (decision 33)."""
    text = "cannot be asked here without writing; the first cycle shows it"
    return Check(name, Verdict.UNKNOWN, text)


def _none(names: tuple[Name, ...], because: str) -> Iterator[Check]:
    yield from (not_asked(name, because) for name in names)
