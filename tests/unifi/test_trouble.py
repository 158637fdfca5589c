"""What failures of HTTP and noes of the controller become, while reading and while writing."""

from collections.abc import Iterator

import pytest

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
    ControllerForbids,
    ControllerUnreachable,
    DoorSyncError,
    WriteRefused,
    WriteUncertain,
    WrongController,
)
from door_sync.unifi import trouble
from door_sync.unifi.envelope import (
    ApiSwitchedOff,
    KeyRefused,
    Overloaded,
    ScopeMissing,
    Unreadable,
)
from door_sync.unifi.trouble import Right

HOST = "https://192.0.2.10:12445"


def every_kind(root: type[HttpError]) -> Iterator[type[HttpError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from every_kind(kind)


def test_no_http_error_is_forgotten() -> None:
    """A new kind of HttpError must be given a meaning before it can get this far."""
    assert set(trouble.MEANING) == set(every_kind(HttpError))


@pytest.mark.parametrize(
    ("error", "reading", "writing"),
    [
        (Unreachable(host=HOST, reason="x"), ControllerUnreachable, WriteUncertain),
        (
            TimedOut(host=HOST, seconds=20, maybe_carried_out=True),
            ControllerUnreachable,
            WriteUncertain,
        ),
        (ConnectionLost(host=HOST, maybe_carried_out=True), ControllerUnreachable, WriteUncertain),
        (TooLarge(host=HOST, limit_bytes=1), ControllerDistrusted, WriteUncertain),
        (TooMuch(host=HOST, reason="x"), ControllerDistrusted, WriteUncertain),
        (ProtocolBroken(host=HOST, reason="x"), ControllerDistrusted, WriteUncertain),
        (WrongCertificate(host=HOST, seen="AB:CD"), WrongController, WrongController),
        (UntrustedCertificate(host=HOST, reason="x"), WrongController, WrongController),
    ],
)
def test_an_http_error_ends_the_cycle_for_a_read_and_one_write_for_a_write(
    error: HttpError, reading: type[DoorSyncError], writing: type[DoorSyncError]
) -> None:
    """P2, P6; another host ends the cycle in either case (P11)."""
    read, write = trouble.silent_read(error, "this"), trouble.silent_write(error, "that")
    assert (type(read), type(write)) == (reading, writing)
    assert read.message == f"this: {error.message}"
    assert write.message == f"that: {error.message}"
    assert read.remedy == write.remedy == error.remedy


def test_a_read_from_an_overloaded_controller_counts_as_no_answer() -> None:
    error = trouble.poor_read(Overloaded(503), "the list of users")
    assert type(error) is ControllerUnreachable
    assert error.message == "the list of users: the controller is in trouble (HTTP 503)"


def test_a_read_that_another_program_answers_is_distrusted() -> None:
    error = trouble.poor_read(Unreadable(200, "it is no JSON object"), "the list of users")
    assert type(error) is ControllerDistrusted
    assert "unifi.host" in error.remedy


@pytest.mark.parametrize("answer", [Overloaded(500), Overloaded(504), Unreadable(200, "x")])
def test_a_write_without_a_real_answer_is_uncertain(answer: Overloaded | Unreadable) -> None:
    assert type(trouble.poor_write(answer, "activating user 7")) is WriteUncertain


@pytest.mark.parametrize(
    ("answer", "code"), [(Overloaded(429), "HTTP 429"), (Unreadable(404, "x"), "HTTP 404")]
)
def test_a_write_that_surely_was_not_carried_out_is_refused(
    answer: Overloaded | Unreadable, code: str
) -> None:
    error = trouble.poor_write(answer, "activating user 7")
    assert isinstance(error, WriteRefused)
    assert error.code == code


def test_a_refused_key_tells_where_to_make_a_new_one() -> None:
    error = trouble.key_refused(KeyRefused("CODE_ACCESS_TOKEN_INVALID"), "the list of users")
    assert type(error) is ControllerForbids
    assert "CODE_ACCESS_TOKEN_INVALID" in error.message
    assert "Settings → General → Advanced → API Token" in error.remedy
    assert "UNIFI_API_KEY" in error.remedy


def test_an_adopted_site_is_told_apart_from_a_bad_key() -> None:
    error = trouble.key_refused(ApiSwitchedOff("CODE_OTHERS_UID_ADOPTED_NOT_SUPPORTED"), "x")
    assert "Identity Enterprise" in error.remedy
    assert "UNIFI_API_KEY" not in error.remedy


@pytest.mark.parametrize(
    ("right", "words"),
    [
        (Right.READ_PEOPLE, "People & Groups: View"),
        (Right.WRITE_PEOPLE, "People & Groups: Edit"),
        (Right.READ_CARDS, "Credentials: View"),
        (Right.WRITE_CARDS, "Credentials: Edit"),
        (Right.READ_POLICIES, "Access Policy: View"),
        (Right.READ_VISITORS, "Visitor: View"),
    ],
)
def test_a_missing_right_is_named_as_on_the_page_where_it_is_ticked(
    right: Right, words: str
) -> None:
    """§1.4."""
    error = trouble.right_missing(ScopeMissing("CODE_UNAUTHORIZED"), "importing 3 cards", right)
    assert type(error) is ControllerForbids
    expected = f"importing 3 cards: the API token lacks the right {words} (CODE_UNAUTHORIZED)"
    assert error.message == expected


def test_a_missing_route_names_the_version_that_has_it() -> None:
    """§17."""
    error = trouble.route_missing("importing 3 cards", since="3.3.10")
    assert type(error) is ControllerForbids
    assert "UniFi Access 3.3.10 or newer" in error.remedy
