"""What the controller's noes and silences mean for the cycle: the port's errors, made here alone.

Reading and writing differ. A read that fails ends the cycle (R0); a write that fails is one
person's failure (P6), unless the key, the right or the route is missing, or it is the wrong host.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, assert_never

from door_sync.http import (
    ConnectionLost,
    HttpError,
    ProtocolBroken,
    TimedOut,
    TooLarge,
    TooMuch,
    Unreachable,
    UntrustedCertificate,
    WrongCertificate,
)
from door_sync.ports import (
    ControllerDistrusted,
    ControllerError,
    ControllerForbids,
    ControllerUnreachable,
    DoorSyncError,
    WriteFailed,
    WriteRefused,
    WriteUncertain,
    WrongController,
)
from door_sync.unifi.envelope import (
    ApiSwitchedOff,
    KeyRefused,
    Overloaded,
    ScopeMissing,
    Unreadable,
)


class Right(Enum):
    """A right of an API token, in the words of the page where it is made (UniFi sheet §1.4)."""

    READ_PEOPLE = ("People & Groups", "View")
    WRITE_PEOPLE = ("People & Groups", "Edit")
    READ_CARDS = ("Credentials", "View")
    WRITE_CARDS = ("Credentials", "Edit")
    READ_POLICIES = ("Access Policy", "View")
    READ_VISITORS = ("Visitor", "View")
    READ_SPACES = ("Locations", "View")
    READ_LOG = ("System Log", "View")

    @property
    def category(self) -> str:
        """The row to look for on the page."""
        return self.value[0]

    @property
    def level(self) -> str:
        """The choice to make in that row."""
        return self.value[1]


NEW_KEY: Final = (
    "In the Access application open Settings → General → Advanced → API Token, make a new token "
    "with People & Groups: Edit, Credentials: Edit, Access Policy: View and Visitor: View, and "
    "put it into UNIFI_API_KEY."
)
"""How a token with the rights of the handbook is made."""
_OTHER_PROGRAM: Final = (
    "Check that unifi.host in config.toml is the console's own address, with port 12445, and that "
    "no proxy or login page stands before it. Nothing was changed by this read."
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an HTTP failure becomes while reading and while writing."""

    reading: type[ControllerError]
    writing: type[ControllerError | WriteFailed]


_SILENCE: Final = Meaning(ControllerUnreachable, WriteUncertain)
_NONSENSE: Final = Meaning(ControllerDistrusted, WriteUncertain)
_STRANGER: Final = Meaning(WrongController, WrongController)

MEANING: Final[dict[type[HttpError], Meaning]] = {
    # A write counts as uncertain even where the last try surely did not arrive: an earlier one of
    # the same write may have.
    Unreachable: _SILENCE,
    TimedOut: _SILENCE,
    ConnectionLost: _SILENCE,
    TooLarge: _NONSENSE,
    TooMuch: _NONSENSE,
    ProtocolBroken: _NONSENSE,
    WrongCertificate: _STRANGER,
    UntrustedCertificate: _STRANGER,
}


def silent_read(error: HttpError, what: str) -> ControllerError:
    """Given why a read got no reply, return the port's error for it."""
    return MEANING[type(error)].reading(f"{what}: {error.message}", remedy=error.remedy)


def silent_write(error: HttpError, what: str) -> DoorSyncError:
    """Given why a write got no reply, return the port's error for it."""
    return MEANING[type(error)].writing(f"{what}: {error.message}", remedy=error.remedy)


def poor_read(answer: Overloaded | Unreadable, what: str) -> ControllerError:
    """Given a reply to a read that carries no answer, return the port's error for it."""
    match answer:
        case Overloaded(status):
            return ControllerUnreachable(
                f"{what}: the controller is in trouble (HTTP {status})",
                remedy="This passes by itself while the console restarts or updates; if it stays, "
                "restart the Access application.",
            )
        case Unreadable(status, problem):
            return ControllerDistrusted(
                f"{what}: the reply (HTTP {status}) is not the controller's: {problem}",
                remedy=_OTHER_PROGRAM,
            )
        case _:
            assert_never(answer)


def poor_write(answer: Overloaded | Unreadable, what: str) -> WriteFailed:
    """Given a reply to a write that carries no answer, return the port's error for it.

    429 and other 4xx say that nothing was done; after anything else nobody knows.
    """
    problem = f"HTTP {answer.status}"
    if isinstance(answer, Unreadable):
        problem += f", and {answer.problem}"
    message = f"{what}: the reply is no answer ({problem})"
    if answer.maybe_carried_out:
        return WriteUncertain(message)
    return WriteRefused(message, code=f"HTTP {answer.status}")


def key_refused(answer: KeyRefused | ApiSwitchedOff, what: str) -> ControllerForbids:
    """Given a reply that shuts the door on the key or on everybody, return the error for it."""
    match answer:
        case KeyRefused(code):
            return ControllerForbids(
                f"{what}: the controller refuses the API token ({code})",
                remedy="The token was mistyped, deleted or has expired, or belongs to another "
                "console or to its Control Plane. " + NEW_KEY,
            )
        case ApiSwitchedOff(code):
            return ControllerForbids(
                f"{what}: the controller's API is switched off ({code})",
                remedy="The site was upgraded to Identity Enterprise, which ends the local API. "
                "door-sync cannot work there.",
            )
        case _:
            assert_never(answer)


def right_missing(answer: ScopeMissing, what: str, right: Right) -> ControllerForbids:
    """Given that the key lacks a right, return the error that says which one to tick."""
    return ControllerForbids(
        f"{what}: the API token lacks the right {right.category}: {right.level} ({answer.code})",
        remedy="A token's rights cannot be changed afterwards. " + NEW_KEY,
    )


def route_missing(what: str, *, since: str) -> ControllerForbids:
    """Given that a call which must exist is no route, return the error; `since` is the version of
    Access that brought it (UniFi sheet §17)."""
    return ControllerForbids(
        f"{what}: the controller knows no such call",
        remedy=f"This needs UniFi Access {since} or newer: update the Access application. If it "
        "is new enough, check that UNIFI_API_KEY is a token of the Access application and not "
        "one of the console's Control Plane.",
    )


def read_refused(code: str, what: str) -> ControllerDistrusted:
    """Given a business error in reply to a read, return the error for it."""
    return ControllerDistrusted(f"{what}: the controller answered {code} to a plain read")
