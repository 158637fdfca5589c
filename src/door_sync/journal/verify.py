"""Whether the audit lines are those that were written, and whether the journal agrees (§7, P13).

The chain shows any line that was changed, put in, moved or removed between two others. The journal
shows what the chain cannot: a forged chain, and lines that are missing at its end.
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from door_sync.files import OpsFileError
from door_sync.journal.auditfiles import Damaged, Line, read_lines
from door_sync.journal.book import Book, Entry
from door_sync.journal.chain import HALF_LINE, OPENS, hash_of, seal_of
from door_sync.journal.remarks import CHANGED, NO_HASH, NOT_AFTER, NOT_FIRST, NOT_NEXT, UNTOLD
from door_sync.journal.store import Store


@dataclass(frozen=True, slots=True)
class Remark:
    """What was found, and where; `line` is 0 where it concerns a whole file."""

    file: Path
    line: int
    text: str


@dataclass
class Verification:
    """What was read, and what is wrong with it. `notes` explain what is no reason to worry."""

    files: list[Path] = field(default_factory=list)
    lines: int = 0
    cycles: int = 0
    findings: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Place:
    file: Path
    line: int


@dataclass(frozen=True, slots=True)
class _Half:
    """A line that is in no chain, until the next one says whether it knows of it."""

    place: _Place
    hash: str


_NAME: Final = re.compile(r"[A-Za-z0-9_-]{0,64}")
_HASH: Final = re.compile(r"([0-9a-f]{64})?")


def verify(files: Sequence[Path], store: Store, *, are_all: bool) -> Verification:
    """Check these audit files, the oldest first, against each other and the journal.

    `are_all` says that no line of this site is anywhere else but in files that were thrown away;
    else lines after the last one given are not missed. Raise JournalError.
    """
    check = _Check(store, are_all)
    for path in files:
        check.file(path)
    check.end()
    return check.result


class _Check:
    def __init__(self, store: Store, are_all: bool) -> None:
        self.result = Verification()
        self._store = store
        self._are_all = are_all
        with store.reading() as connection:
            self._book = Book.read(connection)
        self._place = _Place(store.path, 0)
        self._is_first_chained = True  # of all files
        self._before = 0  # lines without a hash before the chain
        self._last = ""
        self._may_follow: set[str] = set()
        self._after: dict[str, tuple[str, str]] = {}  # in one file: the line after each, its cycle
        self._once_more: dict[str, _Place] = {}
        self._half: _Half | None = None
        self._not_theirs: dict[str, _Place] = {}
        self._not_begun = 0
        self._untold = 0  # lines of cycles that the journal does not hold any more

    # One file after the other

    def file(self, path: Path) -> None:
        """Read one file."""
        self.result.files.append(path)
        self._is_first_in_file = True
        self._plain_in_file = 0
        try:
            for line in read_lines(path):
                self._place = _Place(path, line.number)
                self.result.lines += 1
                self._line(line)
        except OpsFileError as error:
            self._find(f"{error.message}. {error.remedy}", _Place(path, 0))
        except Damaged:
            self._find("is damaged: it cannot be unpacked to its end", _Place(path, 0))
        self._settle_half(None)

    def end(self) -> None:
        """Compare with the journal what only the whole can tell."""
        self._missing()
        for place in self._once_more.values():
            self._find(NOT_AFTER, place)
        for cycle_id, place in self._not_theirs.items():
            if cycle_id in self._book.seen:
                text = f"stands there twice for cycle {cycle_id}: the process died between writing"
                self._note(f"{text} the line and recording that", place)
            else:
                text = f"is not the line that was written for cycle {cycle_id}"
                self._find(f"{text}: the journal holds another hash", place)
        start = (
            _Place(self.result.files[0], 0) if self.result.files else _Place(self._store.path, 0)
        )
        for count, text in (
            (
                self._before,
                "lines of earlier versions stand before the chain and cannot be checked",
            ),
            (self._not_begun, "lines tell of cycles that could not begin, so the journal has none"),
            (self._untold, UNTOLD),
        ):
            if count:
                self._note(f"{count} {text}", start)

    def _line(self, line: Line) -> None:
        if line.is_long:
            self._find("is longer than any line of door-sync")
            return
        carried = seal_of(line.content)
        if carried is None:
            self._unsealed(line)
            return
        if not carried.fits:
            self._find(CHANGED)
        content = _parsed(line.content)
        if content is None or not _is_ours(content):
            content = None
            self._settle_half(None)
            if carried.fits:
                self._find("is not a line of door-sync")
        else:
            self._settle_half(content)
            self._chained(content)
            if self._is_first_in_file:
                self._after.clear()
            cycle_id = str(content.get("cycle"))
            self._after[str(content.get("prev"))] = carried.hash, cycle_id
            self._once_more.pop(cycle_id, None)
        self._is_first_chained = self._is_first_in_file = False
        self._last = carried.hash
        self._may_follow.add(carried.hash)
        if content is None:
            return
        if carried.fits:
            self._against_the_journal(content, carried.hash)
        elif (entry := self._entry(str(content.get("cycle")))) and entry.audit == carried.hash:
            self._book.seen.add(entry.cycle_id)  # changed, but not missing

    # The chain

    def _unsealed(self, line: Line) -> None:
        if self._is_first_chained and line.is_whole and _parsed(line.content) is not None:
            self._before += 1
            self._plain_in_file += 1
            return
        self._settle_half(None)
        self._half = _Half(self._place, hash_of(line.content))
        if not line.is_whole:
            self._half = None
            self._note("is half a line: a power cut, a full disk, or it is being written just now")

    def _settle_half(self, follower: dict[str, object] | None) -> None:
        """Judge the line in no chain before this one: the follower vouches for half a line."""
        vouched = None if follower is None else follower.get(HALF_LINE)
        half, self._half = self._half, None
        if half is None:
            if vouched is not None:
                self._find("tells of half a line before it, which was removed")
        elif vouched == half.hash:
            self._note("is half a line, left by a power cut or a full disk", half.place)
        elif self._is_first_chained and vouched is None:
            self._before += 1
            self._plain_in_file += 1
        else:
            self._find(NO_HASH, half.place)

    def _chained(self, content: dict[str, object]) -> None:
        prev, opens = content.get("prev"), content.get(OPENS) is True
        if not self._is_first_in_file:
            if prev != self._last or opens:
                self._find(NOT_NEXT)
            return
        if opens and self._plain_in_file:
            self._find("was the first line of this file: what stands before it was put in")
        if self._is_first_chained:
            if prev != "" and opens:
                self._note("goes on from lines that are in none of these files: rotated away")
            elif not opens and not (prev == "" and self._plain_in_file):
                self._find(NOT_FIRST)
            return
        if not opens:
            self._find(NOT_FIRST)
        elif prev == "":
            self._find(
                "begins a new chain, although there are lines before it: the journal was replaced "
                "or could not be read, or lines were removed"
            )
        elif prev not in self._may_follow and not self._goes_back(str(prev)):
            self._find(NOT_AFTER)

    def _goes_back(self, prev: str) -> bool:
        """Say whether a file goes on from an earlier line of the one before it, because the lines
        after that could not be noted before the rotation; then what they told comes once more.

        The journal's own cycles tell that by themselves; this is for those that it forgot.
        """
        if prev not in self._after:
            return False
        while prev in self._after:
            prev, cycle_id = self._after[prev]
            if cycle_id:
                self._once_more.setdefault(cycle_id, self._place)
                break
        return True

    # The journal

    def _against_the_journal(self, content: dict[str, object], line_hash: str) -> None:
        cycle_id = content.get("cycle")
        if content.get("dry_run") is True:
            if cycle_id != "":
                self._find("calls itself a dry run, but names a cycle")
            return
        if cycle_id == "" and content.get("event") == "crashed" and content.get("changes") == []:
            self._not_begun += 1
            return
        self.result.cycles += 1
        entry = self._entry(str(cycle_id))
        if entry is None:
            if self._book.may_be_gone(str(cycle_id), quiet=not _has_written(content)):
                self._untold += 1
                self._may_follow = {line_hash}
            else:
                self._find(f"tells of cycle {cycle_id}, which the journal does not know")
            return
        if entry.audit is None:
            self._note(
                f"is not on record yet for cycle {cycle_id}: its process died just after writing "
                "the line, or is at it; the next live cycle makes up for it"
            )
        elif entry.audit != line_hash:
            self._not_theirs.setdefault(entry.cycle_id, self._place)
            return
        else:
            self._book.seen.add(entry.cycle_id)
            self._may_follow = {line_hash}
        for text in self._disagreements(entry, content):
            self._find(f"does not agree with the journal about cycle {cycle_id}: {text}")

    def _entry(self, cycle_id: str) -> Entry | None:
        found = self._book.entries.get(cycle_id)
        if found is None or found.audit is None:  # it may have been written since this check began
            with self._store.reading() as connection:
                found = Book.entry(connection, cycle_id)
        return found

    def _disagreements(self, entry: Entry, content: dict[str, object]) -> Iterable[str]:
        if entry.event is None:
            return
        if content.get("event") != entry.event_in_line:
            yield f"the line says {_word(content.get('event'))}, the journal {entry.event}"
        if not entry.was_interrupted and content.get("digest") != entry.digest:
            yield "the digest of its plan is another"
        told = _changes(content)
        with self._store.reading() as connection:
            done = Book.done(connection, entry.cycle_id)
        for contact_id, change in sorted(done - told):
            yield f"the journal has a {change} of contact {contact_id}, the line has not"

    def _missing(self) -> None:
        """Miss the lines of cycles that the journal holds a hash of, and that nobody read."""
        book = self._book
        numbered = {
            one.audit_number: one for one in book.entries.values() if one.audit_number is not None
        }
        seen = [number for number, one in numbered.items() if one.cycle_id in book.seen]
        where = _Place(self.result.files[-1] if self.result.files else self._store.path, 0)
        first, last = min(seen, default=0), max(seen, default=0)
        older = 0
        for number, one in sorted(numbered.items()):
            if one.cycle_id in book.seen or one.cycle_id in self._not_theirs:
                continue
            if seen and number < first:
                older += 1
            elif self._are_all or number < last:
                self._find(
                    f"the line of cycle {one.cycle_id} is missing, although it was written: it was "
                    "removed, or is in a file that was not read",
                    where,
                )
        if older:
            text = "cycles have their lines in files that are gone: rotated away"
            self._note(f"{older} {text}", _Place(self.result.files[0], 0))
        for one in book.entries.values():
            if one.audit is None and one.event is not None:
                self._note(
                    f"cycle {one.cycle_id} has no line yet, because its process died or the file "
                    "could not be written; the next live cycle writes it",
                    _Place(self._store.path, 0),
                )

    def _find(self, text: str, place: _Place | None = None) -> None:
        place = place or self._place
        self.result.findings.append(Remark(place.file, place.line, text))

    def _note(self, text: str, place: _Place | None = None) -> None:
        place = place or self._place
        self.result.notes.append(Remark(place.file, place.line, text))


def check_database(store: Store) -> list[str]:
    """Return what SQLite itself finds wrong with the journal; nothing for a sound one.

    Raise JournalError if it is too damaged to be asked.
    """
    with store.reading() as connection:
        said = [str(one) for (one,) in connection.execute("PRAGMA integrity_check(20)")]
        loose = _loose(connection)
    found = [] if said == ["ok"] else said
    if loose:
        found.append(f"{loose} rows refer to others that are gone")
    return found


def _loose(connection: sqlite3.Connection) -> int:
    return sum(1 for _ in connection.execute("PRAGMA foreign_key_check"))


def _parsed(line: bytes) -> dict[str, object] | None:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return None
    return cast("dict[str, object]", content) if isinstance(content, dict) else None


def _is_ours(content: dict[str, object]) -> bool:
    """Say whether a line names its cycle and the line before as door-sync does.

    Both are looked up and repeated in remarks, so nothing else may pass for them.
    """
    cycle, prev = content.get("cycle"), content.get("prev")
    is_named = isinstance(cycle, str) and _NAME.fullmatch(cycle) is not None
    return is_named and isinstance(prev, str) and _HASH.fullmatch(prev) is not None


def _word(value: object) -> str:
    is_word = isinstance(value, str) and _NAME.fullmatch(value) is not None
    return str(value) if is_word else "something else"


def _has_written(content: dict[str, object]) -> bool:
    """Say whether a line tells of a write that the journal must have had a step of.

    A change that failed may have got as far as none: so it is where the record broke off.
    """
    told = content.get("changes")
    return any(
        isinstance(one, dict) and one.get("outcome") != "failed"
        for one in (told if isinstance(told, list) else [])
    )


def _changes(content: dict[str, object]) -> set[tuple[int, str]]:
    """Return whose changes a line tells of, with their class."""
    told = content.get("changes")
    return {
        (one["contact"], one["class"])
        for one in (told if isinstance(told, list) else [])
        if isinstance(one, dict)
        and isinstance(one.get("contact"), int)
        and isinstance(one.get("class"), str)
    }
