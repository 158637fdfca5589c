"""The questions about the controller, and what it answers to them."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from door_sync.app.setting_up import checks, proposals
from door_sync.app.setting_up import question as q
from door_sync.app.setting_up.interview import Interview
from door_sync.app.setting_up.question import Wrong
from door_sync.http import HttpClient, PinnedTls, shown_fingerprint
from door_sync.ports import Clock, DoorSyncError
from door_sync.settings.addresses import fingerprint_command, normalised_fingerprint
from door_sync.settings.fields import unifi_address
from door_sync.unifi.client import token_headers
from door_sync.unifi.survey import Survey, survey

LOOK_SECONDS: Final = 10.0
TIMEOUT_SECONDS: Final = 30.0


class NotTrusted(DoorSyncError):
    """Nobody said that the certificate shown is the console's, so nothing was sent to it."""


@dataclass(frozen=True)
class ControllerSide:
    """What was decided about the controller. The token is mute."""

    host: str
    fingerprint: str
    token: str = field(repr=False)
    facility: int
    email: str
    survey: Survey


def ask_controller(interview: Interview, clock: Clock) -> ControllerSide:
    """Ask for the address, show the fingerprint; only after a yes ask for the token and send it."""
    interview.title("UniFi Access: the doors")
    host, shown = interview.ask(q.UNIFI_HOST, _seen)
    _confirm(interview, host, shown)
    token, found = _ask_token(interview, host, shown, clock)
    interview.lines(_told(found))
    number = _ask_facility(interview, found)
    interview.lines(["", "Invitations by mail"])
    email = interview.ask(q.EMAIL, checks.one_of(q.EMAIL), proposal="off")
    return ControllerSide(host, shown, token, number, email, found)


def _seen(text: str) -> tuple[str, str]:
    host = checks.as_address(unifi_address)(text)
    shown = checks.answered_by(lambda: shown_fingerprint(host, timeout_seconds=LOOK_SECONDS))
    return host, shown


def _confirm(interview: Interview, host: str, shown: str) -> None:
    """Return when the fingerprint shown is confirmed; raise NotTrusted if it is not."""
    interview.lines(how_to_compare(host, shown))
    interview.lines(_against_former(interview.former.fingerprints, shown))
    if interview.answers.take(q.TRUST_SHOWN) == "yes":
        interview.say("It is trusted as shown, without a comparison, because the answers say so.")
        return
    if not interview.ask(q.FINGERPRINT, _same_as(shown)):
        raise NotTrusted(
            "the certificate is not the console's, so the token was not sent and nothing was "
            "written",
            remedy="Check the address of the console. If it is right, something stands between "
            "this machine and the console: find out what before you give anything a token.",
        )


def how_to_compare(host: str, shown: str) -> list[str]:
    """Return the fingerprint as consoles and browsers show it, and how to compare it."""
    half = len(shown) // 2 + 1
    address = host.removeprefix("https://")
    port = address.rpartition(":")[2]
    return [
        "",
        f"What answers at {address} shows this certificate (SHA-256 fingerprint):",
        "",
        f"    {shown[: half - 1]}",
        f"    {shown[half:]}",
        "",
        "This fingerprint is the only proof of who answers. Nothing has been sent there yet, and",
        "the token will go to nobody who cannot show it. Compare it, in one of these ways:",
        "",
        "  * on the console itself, by SSH:",
        f"    {fingerprint_command(f'127.0.0.1:{port}')}",
        "  * in a browser on a computer next to the console, in the console's own network: open",
        f"    {host}, click the lock or the warning beside the address, show the certificate,",
        "    and look for SHA-256 under Fingerprints.",
    ]


def _against_former(trusted: str, shown: str) -> list[str]:
    """Return what the certificate is to a site that trusted some before."""
    if not trusted:
        return []
    for text in trusted.split(","):
        with suppress(ValueError):
            if normalised_fingerprint(text) == shown:
                return ["", "It is the one that config.toml trusts."]
    return [
        "",
        "IT IS NOT THE ONE that config.toml trusts. That is well only if the console got a new",
        "certificate, as after an update or a reset.",
    ]


def _same_as(shown: str) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        word = text.lower()
        if word in {"y", "yes", "n", "no"}:
            return word in {"y", "yes"}
        try:
            other = normalised_fingerprint(text)
        except ValueError as error:
            raise Wrong(
                f"that {error}", 'Answer "yes" or "no", or paste the fingerprint.'
            ) from None
        if other != shown:
            raise Wrong(
                f"the console shows another fingerprint, {shown}",
                "Compare once more. If they differ, do not go on: somebody may stand in between.",
            )
        return True

    return check


def _ask_token(
    interview: Interview, host: str, fingerprint: str, clock: Clock
) -> tuple[str, Survey]:
    token: str | None = None
    while True:
        token = interview.ask(q.UNIFI_TOKEN, checks.key_text, proposal=token)
        try:
            with HttpClient(
                host,
                headers=token_headers(token),
                tls=PinnedTls((fingerprint,)),
                timeout_seconds=TIMEOUT_SECONDS,
                clock=clock,
                attempts=1,
                trust_environment_proxies=False,
            ) as client:
                return token, survey(client)
        except DoorSyncError as error:
            interview.refuse(q.UNIFI_TOKEN, Wrong(error.message, error.remedy))
        interview.say("Enter tries the same token once more.")


def _told(found: Survey) -> list[str]:
    lines = [f"The controller accepts the token. Users: {found.users}, cards: {found.cards}."]
    if found.policies is None:
        lines.append('The token may not read access policies ("Access Policy: View" is missing).')
    elif not found.policies:
        lines.append("It has no access policy yet: make one in UniFi Access first.")
    else:
        lines += ["Access policies:", *(f"  * {policy.name}" for policy in found.policies)]
    if found.managed:
        lines += [
            "",
            f"Users with a whole number as employee number: {found.managed}. door-sync",
            "takes it for the id of a contact in CiviCRM: if you use it for something else, such",
            "as staff numbers, clear it before the first cycle.",
        ]
    return lines


def _ask_facility(interview: Interview, found: Survey) -> int:
    likely = proposals.facility(found.facilities)
    interview.lines(["", *_facilities(found.facilities)])
    proposal = None if likely is None else str(likely)
    return interview.ask(q.FACILITY, checks.whole_number(0, 255), proposal=proposal)


def _facilities(found: Sequence[tuple[int, int]]) -> list[str]:
    if not found:
        return ["No card in the controller tells its facility code."]
    told = ", ".join(f"{code} (on {count})" for code, count in found[:5])
    return [f"Facility codes of the cards in the controller: {told}"]
