"""What is fuzzed: each target takes bytes, and raises if a promise is broken.

A target of replies takes one line, `KIND NUMBER STATUS CONTENT-TYPE`, and a body: which answer of
the tape is exchanged, and for what. Only the documented errors may come out of a reading; what it
returns holds its invariants, and reading again gives the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import Snapshot
from door_sync.core.people import Member, PersonInFull
from door_sync.http import Reply, Request
from door_sync.ports import (
    ControllerError,
    DoorSyncError,
    SourceError,
    SourceReading,
    WriteFailed,
)
from door_sync.unifi import envelope, wire
from fuzz import oracles, seeds
from fuzz.oracles import require
from fuzz.readings import FACILITY, Reading, civicrm_readings, unifi_readings
from fuzz.tape import Tape, kind_of

Errors = tuple[type[DoorSyncError], ...]

_STATUSES: Final = (200, 200, 200, 200, 200, 201, 302, 400, 401, 403, 404, 429, 500, 502, 503)
_TYPES: Final = ("application/json", "application/json; charset=UTF-8", "text/html", "")


def head_of(kind: int, status: int = 200, content_type: str = _TYPES[0]) -> bytes:
    """Return the first line of a target's input."""
    return f"{kind} {status} {content_type}\n".encode()


@dataclass(frozen=True)
class ReplyTarget:
    """One side's answers, played to everything that reads that side."""

    tape: Callable[[], Mapping[str, Reply]]
    readings: Callable[[], Mapping[str, Reading]]
    allowed: Errors
    bodies: Callable[[], tuple[bytes, ...]]

    def kinds(self) -> list[str]:
        """Return the kinds of request, in the order of their numbers."""
        return sorted(self.tape())

    def seeds(self) -> list[bytes]:
        """Return every answer of the tape in its place, and the recorded ones in the first."""
        tape = self.tape()
        good = [head_of(n) + tape[kind].body for n, kind in enumerate(self.kinds())]
        return [*good, *(head_of(n % len(good)) + b for n, b in enumerate(self.bodies()))]

    def __call__(self, data: bytes) -> None:
        """Play one hostile answer to every reading that asks for it."""
        head, _, body = data.partition(b"\n")
        words = head.decode("latin-1").split(" ", 2)
        number, status = (_small(word) for word in [*words, "0", "0"][:2])
        content_type = words[2] if len(words) > 2 else _TYPES[0]
        kinds = self.kinds()
        kind = kinds[number % len(kinds)]
        reply = Reply(
            status if 200 <= status < 600 else _STATUSES[status % len(_STATUSES)],
            {"content-type": content_type} if content_type else {},
            body,
        )
        for name, reading in self.readings().items():
            if kind in _asks(self, name):
                self._play(reading, Tape(self.tape(), kind, reply))

    def _play(self, reading: Reading, tape: Tape) -> None:
        first = self._outcome(reading, tape)
        again = self._outcome(reading, Tape(tape.answers, tape.hostile_kind, tape.hostile))
        require(first == again, "the same answers are read in two ways")

    def _outcome(self, reading: Reading, tape: Tape) -> object:
        try:
            result = reading(tape.client())
        except self.allowed as error:
            oracles.check_error(error, seeds.PRIVATE)
            return type(error), error.message
        check_result(result)
        return repr(result)


def check_result(result: object) -> None:
    """Raise Broken for the result of a reading that breaks what its type promises."""
    match result:
        case SourceReading():
            oracles.check_members(result)
        case Snapshot():
            oracles.check_snapshot(result)
        case PersonInFull(member=member):
            oracles.check_member(member)
        case dict():
            for member in result.values():
                require(isinstance(member, Member), "something else than a member was read")
                oracles.check_member(member)
        case _:
            pass


_ASKED: Final[dict[tuple[int, str], frozenset[str]]] = {}


def _asks(target: ReplyTarget, name: str) -> frozenset[str]:
    """Return the kinds of request that a reading makes where all goes well."""
    key = (id(target), name)
    if key not in _ASKED:
        tape = _Listening(target.tape())
        target.readings()[name](tape.client())
        _ASKED[key] = frozenset(tape.kinds)
    return _ASKED[key]


class _Listening(Tape):
    def __init__(self, answers: Mapping[str, Reply]) -> None:
        super().__init__(answers)
        self.kinds: set[str] = set()

    def send(self, request: Request) -> Reply:
        """Note the kind, and answer."""
        self.kinds.add(kind_of(request))
        return super().send(request)


def _small(word: str) -> int:
    return int(word) if word.isascii() and word.isdigit() and len(word) < 6 else 0


REPLIES: Final = {
    "civicrm": ReplyTarget(
        seeds.civicrm_tape, civicrm_readings, (SourceError,), seeds.recorded_answers
    ),
    "unifi": ReplyTarget(
        seeds.unifi_tape, unifi_readings, (ControllerError, WriteFailed), lambda: ()
    ),
}


_NUMBERS: Final = tuple(CardNumber(number) for number in (60001, 60002, 1, 0, 65535))


def import_seeds() -> list[bytes]:
    """Return what a controller answers to an import, in both forms of a failed row."""
    rows = ",".join(
        f'{{"nfc_id":"{number.nfc_id(FACILITY)}","alias":"{number.alias()}","token":"{at:064x}"}}'
        for at, number in enumerate(_NUMBERS[:3])
    )
    failed = f'{{"nfc_id":"{_NUMBERS[3].nfc_id(FACILITY)}","alias":"","token":""}}'
    return [f'{{"code":"SUCCESS","msg":"success","data":[{rows},{failed}]}}'.encode()]


def import_answer(data: bytes) -> None:
    """Take an import's answer apart: each number at most once, each token at most once."""
    answer = envelope.judge(200, data)
    if not isinstance(answer, envelope.Success):
        return
    try:
        found = wire.imported_tokens(answer.data, _NUMBERS, FACILITY, "importing 5 cards")
    except ControllerError as error:
        oracles.check_error(error, seeds.PRIVATE)
        return
    require(set(found) <= set(_NUMBERS), "a number came that was not sent")
    require(len(set(found.values())) == len(found), "two numbers have one token")
    require(all(isinstance(token, CardToken) for token in found.values()), "a token is none")
    require(
        found == wire.imported_tokens(answer.data, _NUMBERS, FACILITY, "again"), "read in two ways"
    )
