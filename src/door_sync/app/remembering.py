"""Where the standing alerts are kept: in the journal; while that cannot be used, in the process
and at the end of the flag (P14)."""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from door_sync.core.causes import Standing
from door_sync.core.people import ContactId
from door_sync.files import OpsFileError
from door_sync.journal.alerts import AlertBook, Told
from door_sync.notify.flag import read_flag
from door_sync.notify.trailer import read_trailer
from door_sync.ports import JournalError


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

    @property
    def needs_trailer(self) -> bool:
        """Say whether a journal that should keep the alerts does not."""
        return self._files.journal is not None and not self._memory.is_saved

    def standing(self) -> tuple[Standing, ...]:
        """Return what stands, from wherever it is known."""
        memory = self._memory
        told: tuple[Told, ...] = ()
        if self._book is not None:
            try:
                self._kept, told = self._book.standing(), self._book.told()
            except JournalError:
                self._let_go()
        if self._kept is None:
            return self._trailer(()) if memory.standing is None else memory.standing
        if memory.standing is None:
            newer = self._trailer(told)
        else:
            newer = () if memory.is_saved else memory.standing
        known = {one.identity: one for one in (() if _replaces(memory) else self._kept)}
        known |= {one.identity: one for one in newer}
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

    def _trailer(self, told: tuple[Told, ...]) -> tuple[Standing, ...]:
        """Return what the end of the flag says stands.

        Lines that the journal knows something later of are old: the flag could not be replaced.
        """
        if self._files.journal is None:
            return ()
        try:
            found = read_trailer(read_flag(self._files.flag))
        except OpsFileError:
            return ()
        latest = {one.identity: one.at for one in told}
        return tuple(
            one
            for one in found
            if one.identity not in latest or latest[one.identity] < (one.reminded or one.began)
        )

    def _let_go(self) -> None:
        book, self._book = self._book, None
        if book is not None:
            with suppress(JournalError):
                book.close()


def _replaces(memory: AlertMemory) -> bool:
    """Say whether the process knows all that stands, and better than the journal."""
    return memory.is_whole and not memory.is_saved
