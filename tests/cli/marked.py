"""A site full of marked people, and everything that door-sync says and writes about them (P12)."""

import logging
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

import door_sync
from door_sync.app.faults import where
from door_sync.ports import DoorSyncError
from door_sync.simulators.faults import Answer, json_answer
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN
from tests.cli.conftest import Ran, Site
from tests.mailing import PASSWORD, USER

FIRST, LAST = "Zaphodine", "Quuxbeeble"
EMAIL = "zaphodine@marked.example"
HAND = "Handmadeleine"
NAMES = (FIRST, LAST, EMAIL, HAND)
NUMBERS = (54321, 54322, 54323, 54324)
"""Cards of the marked members; the last is held by somebody whom door-sync does not manage."""


_SOURCES = str(Path(door_sync.__file__).parent)


SHOUT: Final = f"{FIRST} {LAST} {EMAIL} 54321 4321 sync-54321 {HAND} {USER} {PASSWORD}"
"""What a side says that does not know what it may repeat."""


@dataclass
class Heard:
    """Every error that the program made, every record that it logged, and the lines that did."""

    errors: list[DoorSyncError] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    places: set[tuple[str, int]] = field(default_factory=set)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to everything inside, in all threads."""
        make, handle = DoorSyncError.__init__, logging.Logger.handle

        def made(error: DoorSyncError, *arguments: Any, **named: Any) -> None:
            make(error, *arguments, **named)
            self.errors.append(error)
            self._note(sys._getframe(1), error)

        def handled(logger: logging.Logger, record: logging.LogRecord) -> None:
            self.records.append(f"{record.getMessage()} {record.args} {record.exc_info}")
            self._note(sys._getframe(1), None)
            handle(logger, record)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(DoorSyncError, "__init__", made)
            patched.setattr(logging.Logger, "handle", handled)
            yield

    def texts(self) -> Iterator[str]:
        """Yield all that may ever be shown of it."""
        yield from self.records
        for error in self.errors:
            yield f"{error} {error!r} {error.args} {vars(error)}"
            yield " ".join(getattr(error, "__notes__", []))
            yield where(error)

    def _note(self, frame: FrameType | None, error: DoorSyncError | None) -> None:
        """Take down the line of the program that made an error, or logged."""
        while frame is not None:
            code = frame.f_code
            makes_itself = code.co_name == "__init__" and frame.f_locals.get("self") is error
            if code.co_filename.startswith(_SOURCES) and not (makes_itself and error is not None):
                self.places.add((code.co_filename[len(_SOURCES) + 1 :], frame.f_lineno))
                return
            frame = frame.f_back


@dataclass
class Marked:
    """A site full of marked people, and everything that it said."""

    site: Site
    member: int = 0
    leaver: int = 0
    heard: Heard = field(default_factory=Heard)

    def run(self, *words: str, shows_names: bool = False) -> Ran:
        """Run a command with -v; what it says must hold no mark but, if asked for, names."""
        ran = self.site.run("-v", *words)
        for text in (ran.out, ran.err):
            self.holds_no_secret(text.encode())
        for name in NAMES:
            assert name not in ran.err
            assert shows_names or name not in ran.out
        self.files_hold_nothing()
        return ran

    def holds_no_secret(self, said: bytes) -> None:
        """Look for card numbers, aliases, tokens and keys."""
        club = self.site.club
        for server in (club.civicrm_server, club.unifi_server):  # whose port may be any number
            said = said.replace(server.url.encode(), b"")
        for number in NUMBERS:
            # Not inside of a digest or an id, where it stands by chance.
            for mark in (f"{number}", f"{number % 10_000}"):
                alone = rf"(?<![0-9a-f])(?<![0-9a-f]-){mark}(?!-?[0-9a-f])"
                found = re.search(alone.encode(), said, re.IGNORECASE)
                assert found is None, (mark, said)
        tokens = [card.token for card in club.unifi.world.cards]
        for secret in (DEFAULT_TOKEN, self.site.civicrm_key, "sync-543", *tokens):
            assert secret.encode() not in said

    def files_hold_nothing(self) -> None:
        """Look into every file of the site, and into every cell of the journal."""
        said = self.site.everything_written()
        for name in NAMES:
            assert name.encode() not in said
            assert name.lower().encode() not in said
        for name in (".jsonl", ".json", ".flag"):
            for file in self.site.directory.rglob(f"*{name}"):
                if file.is_file():
                    self.holds_no_secret(file.read_bytes())
        if self.site.journal.exists():
            with sqlite3.connect(f"file:{self.site.journal}?mode=ro", uri=True) as connection:
                self.holds_no_secret("\n".join(connection.iterdump()).encode())
            connection.close()


@contextmanager
def marked_site(site: Site) -> Iterator[Marked]:
    """Yield a site with a marked member, a marked leaver and a marked card that is blocked.

    At the end all that was logged and every error that was made, also one that was swallowed, is
    searched.
    """
    club = site.club
    joined = [
        club.join(number, first=FIRST, email=f"{number}{EMAIL}" if number != 54321 else EMAIL)
        for number in NUMBERS
    ]
    for contact in joined:
        club.civicrm.world.set_name(contact, last_name=LAST)
    by_hand = club.add_user("", cards=[54324])
    club.unifi.world.edit_user(by_hand, first_name=HAND)
    marked = Marked(site, member=joined[0], leaver=joined[1])
    with marked.heard.listening():
        yield marked
    club.unifi.faults.clear()
    club.civicrm.faults.clear()
    for text in marked.heard.texts():
        for name in NAMES:
            assert name.lower() not in text.lower(), text
        marked.holds_no_secret(text.encode())


def much_to_do(marked: Marked) -> None:
    """Let one leave, one change tier and name, one get the leaver's card, and new ones join."""
    club, crm = marked.site.club, marked.site.club.civicrm.world
    marked.site.settle()
    third = marked.member + 2
    club.lapse(marked.leaver)
    club.retier(marked.member, "Silver")
    crm.set_name(marked.member, first_name=f"{FIRST}-{HAND}")
    crm.set_email(marked.member, f"new{EMAIL}")
    crm.set_card(third, "54322")
    stuck = club.add_user("", cards=[54323 + 100], status="DEACTIVATED")
    club.unifi.world.edit_user(stuck, first_name=HAND)
    for number, name in ((54423, FIRST), (54330, FIRST)):
        crm.set_name(club.join(number, first=name, email=f"{number}{EMAIL}"), last_name=LAST)
    club.forget()


def refusal(code: str, status: int = 200) -> Answer:
    """Return a refusal of the controller that quotes whatever it can."""
    return json_answer({"code": code, "msg": SHOUT, "data": {SHOUT: SHOUT}}, status=status)
