"""Where the standing alerts are kept: in the journal; while that cannot be used, in the process
and at the end of the flag (P14)."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from door_sync.core.causes import Identity, Standing
from door_sync.core.people import ContactId
from door_sync.files import OpsFileError
from door_sync.journal.alerts import AlertBook, Told
from door_sync.notify.alerts import Kind
from door_sync.notify.flag import read_flag
from door_sync.notify.trailer import read_endings, read_trailer, trailer
from door_sync.ports import JournalError

RESOLVED: Final = Kind.RESOLVED.value


@dataclass(frozen=True, slots=True)
class AlertFiles:
    """Where the flag is, and the journal; None for one that is kept in memory."""

    flag: Path
    journal: Path | None = None


@dataclass
class AlertMemory:
    """What stands as far as this process knows; None before it looked.

    `is_saved`: the journal has it. `is_whole`: the journal was read once in this process, so that
    nothing stands that is not in here. `unlogged` was told and is not in the journal yet.
    """

    standing: tuple[Standing, ...] | None = None
    is_saved: bool = True
    is_whole: bool = False
    unlogged: list[Told] = field(default_factory=list)


class AlertDesk:
    """The alerts of one site while a cycle's are decided. Nothing here raises."""

    def __init__(self, files: AlertFiles, memory: AlertMemory) -> None:
        self._files = files
        self._memory = memory
        self._book: AlertBook | None = None
        self._kept: tuple[Standing, ...] | None = None

    def __enter__(self) -> Self:
        if self._files.journal is not None:
            with suppress(JournalError):
                self._book = AlertBook.open(self._files.journal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._let_go()

    def trailer(self) -> str:
        """Return the lines at the end of the flag, for a process that cannot ask the journal.

        They tell all that the journal could not keep. That the journal itself was unusable stays
        there until its end was told: when it is asked for, the journal may be unusable again.
        """
        memory = self._memory
        if self._files.journal is None or memory.standing is None:
            return ""
        if not memory.is_saved:
            return trailer(memory.standing, _ends(memory.unlogged))
        return trailer(one for one in memory.standing if one.identity is Identity.JOURNAL)

    def standing(self) -> tuple[Standing, ...]:
        """Return what stands, from wherever it is known."""
        memory = self._memory
        told: tuple[Told, ...] = ()
        if self._book is not None:
            try:
                self._kept, told = self._book.standing(), self._book.told()
            except JournalError:
                self._let_go()
        if memory.standing is None:
            newer = self._of_flag(told)
        elif self._kept is None:
            return memory.standing
        elif memory.is_saved:
            newer = ()
        else:
            newer = tuple(one for one in memory.standing if not _is_told_later(one, told))
        if self._kept is None:
            return newer
        replaced = _replaces(memory)
        known = {
            one.identity: one
            for one in self._kept
            if not self._has_ended(one) and (one.announced is not None or not replaced)
        }
        for one in newer:
            known[one.identity] = _joined(known.get(one.identity), one)
        memory.is_whole = True
        return tuple(known.values())

    def keep(self, standing: tuple[Standing, ...], *told: Told) -> None:
        """Keep what stands and what was told, in the journal if that can be."""
        memory = self._memory
        memory.unlogged += told
        memory.standing, memory.is_saved = standing, False
        if self._book is None:
            return
        try:
            if standing != self._kept or memory.unlogged:
                self._book.keep(standing, memory.unlogged)
        except JournalError:
            self._let_go()
            return
        self._kept = standing
        memory.is_saved = True
        memory.unlogged.clear()

    def repeated(self) -> tuple[tuple[ContactId, str], ...]:
        """Return the changes that something undoes; none if the journal cannot be asked."""
        if self._book is not None:
            try:
                return self._book.repeated()
            except JournalError:
                self._let_go()
        return ()

    def _of_flag(self, told: tuple[Told, ...]) -> tuple[Standing, ...]:
        """Return what the end of the flag says stands, and take over which ends it says were told.

        Lines that the journal knows something later of are old: the flag could not be replaced.
        """
        if self._files.journal is None:
            return ()
        try:
            flag = read_flag(self._files.flag)
        except OpsFileError:
            return ()
        latest = {one.identity: one.at for one in told}

        def is_new(identity: Identity, at: datetime) -> bool:
            return identity not in latest or latest[identity] < at

        ends = read_endings(flag).items()
        self._memory.unlogged += [Told(one, RESOLVED, at) for one, at in ends if is_new(one, at)]
        return tuple(
            one for one in read_trailer(flag) if is_new(one.identity, one.reminded or one.began)
        )

    def _has_ended(self, kept: Standing) -> bool:
        """Say whether the end of what the journal has was told when it could not keep that."""
        end = _ends(self._memory.unlogged).get(kept.identity)
        return end is not None and end >= (kept.reminded or kept.began)

    def _let_go(self) -> None:
        book, self._book = self._book, None
        if book is not None:
            with suppress(JournalError):
                book.close()


def _replaces(memory: AlertMemory) -> bool:
    """Say whether the process knows all that stands, and better than the journal; but for what
    another process told since, as of a cycle that somebody ran by hand."""
    return memory.is_whole and not memory.is_saved


def _is_told_later(one: Standing, told: Iterable[Told]) -> bool:
    """Say whether the journal knows something later of a cause than this process does."""
    known = one.reminded or one.began
    return any(each.identity is one.identity and each.at > known for each in told)


def _ends(told: Iterable[Told]) -> dict[Identity, datetime]:
    return {one.identity: one.at for one in told if one.kind == RESOLVED}


def _joined(kept: Standing | None, newer: Standing) -> Standing:
    """Return what stands, from what the journal has and what is known since: that it was told."""
    if kept is None or newer.announced is not None or kept.announced is None:
        return newer
    return replace(newer, began=kept.began, announced=kept.announced, reminded=kept.reminded)
