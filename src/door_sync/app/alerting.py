"""After a live cycle: what it found → the alerts that stand → channel, journal, flag (P14).

Nothing here breaks a cycle or changes its exit code but a flag that cannot be written, which is one
of the files of §7. A channel that fails is told of by the flag, the log and the cycle's report.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import structlog

from door_sync.app.causes import broken_channel, undone, unwritable_file
from door_sync.app.channels import deliver
from door_sync.app.remembering import AlertDesk, AlertFiles, AlertMemory
from door_sync.app.sentences import sentence
from door_sync.core.causes import Cause, Identity, Standing
from door_sync.core.people import ContactId
from door_sync.files import OpsFileError
from door_sync.journal.alerts import Told
from door_sync.notify.alerts import Message, Policy, Sight, after_cycle, when_told
from door_sync.notify.flag import flag_text, lower_flag, raise_flag
from door_sync.notify.notifier import Notifier, NotifyError
from door_sync.notify.wording import subject_of, text_of
from door_sync.ports import Clock

log: structlog.stdlib.BoundLogger = structlog.get_logger("door_sync.alerts")

FLAG_ONLY: Final = "flag-file"

_ENDED: Final = (
    "A person was needed and is not any more; a message about that is still to be sent.\n"
)
_ALL_TOLD: Final = (
    "Nobody was needed in the last cycle, and that was told, but the journal could not keep it.\n"
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a cycle found and could see; `failed` are people whose changes failed in it.

    `is_early_retry`: it came sooner than the cadence, because a side was down.
    """

    causes: tuple[Cause, ...]
    seen: frozenset[Sight] = frozenset()
    failed: frozenset[ContactId] = frozenset()
    is_early_retry: bool = False


@dataclass(frozen=True, slots=True)
class Ways:
    """How a site calls for a person: besides the flag by `notifier`, if there is one.

    `memory` outlives the cycle where the process does.
    """

    policy: Policy = field(default_factory=lambda: Policy(reminder=None))
    transport: str = FLAG_ONLY
    notifier: Notifier | None = None
    memory: AlertMemory = field(default_factory=AlertMemory)


@dataclass(frozen=True, slots=True)
class Called:
    """What went wrong while calling: `unsent` by the channel, `trouble` with the flag; or ""."""

    unsent: str = ""
    trouble: str = ""


def call_for_a_person(found: Found, files: AlertFiles, ways: Ways, clock: Clock) -> Called:
    """Tell whom it concerns what a cycle found, as far as it was not told already."""
    with AlertDesk(files, ways.memory) as desk:
        return _Call(found, files, ways, clock, desk).make()


class _Call:
    """One call: `standing` is what stands, and is kept after each thing that was told."""

    def __init__(
        self, found: Found, files: AlertFiles, ways: Ways, clock: Clock, desk: AlertDesk
    ) -> None:
        self._found, self._files, self._ways, self._desk = found, files, ways, desk
        self._now = clock.now()
        self._before = desk.standing()
        self._shown: str | None = None
        self.standing: tuple[Standing, ...] = ()

    def make(self) -> Called:
        """Decide, raise the flag before anything slow, then send."""
        causes = [*self._found.causes, *self._undone()]
        due = self._decide(causes)
        trouble = self._show()
        if trouble:
            due = self._decide([*causes, unwritable_file(trouble)])
        if self._ways.notifier is None:
            self._take([] if trouble else due)
            unsent = ""
        else:
            unsent = self._send(due, self._ways.notifier)
        return Called(unsent, trouble or self._show())

    def _decide(self, causes: Iterable[Cause]) -> tuple[Message, ...]:
        self.standing, due = after_cycle(
            self._before,
            causes,
            self._found.seen,
            self._now,
            self._ways.policy,
            is_early_retry=self._found.is_early_retry,
        )
        self._desk.keep(self.standing)
        return due

    def _undone(self) -> list[Cause]:
        """Return the cause for changes that something undoes, but those that failed just now."""
        if Sight.WRITES not in self._found.seen:
            return []
        changes = [one for one in self._desk.repeated() if one[0] not in self._found.failed]
        return [undone(changes)] if changes else []

    def _send(self, due: Iterable[Message], notifier: Notifier) -> str:
        """Send what is due until the channel fails; return what to say about that."""
        for message in due:
            text = text_of(message, self._ways.policy, self._now)
            try:
                deliver(notifier, subject_of(message), text)
            except NotifyError as error:
                log.warning("an alert was not sent", by=self._ways.transport, code=error.code)
                self._blame(error)
                return f"{sentence(error.message)} {sentence(error.remedy)}".strip()
            self._take([message])
        return ""

    def _blame(self, error: NotifyError) -> None:
        """Let the channel's own cause stand. The flag tells of it, so that its end is told, too."""
        before = [one for one in self.standing if one.identity is Identity.CHANNEL]
        others = [one for one in self.standing if one.identity is not Identity.CHANNEL]
        began = before[0].began if before else self._now
        failures = before[0].failures + 1 if before else 1
        broken = Standing(broken_channel(error), began, failures, self._now, self._now)
        self.standing = (*others, broken)
        self._desk.keep(self.standing)

    def _take(self, messages: Iterable[Message]) -> None:
        """Note messages as told."""
        for message in messages:
            self.standing = when_told(self.standing, message, self._now)
            told = Told(message.about.identity, message.kind.value, self._now)
            self._desk.keep(self.standing, told)

    def _show(self) -> str:
        """Make the flag say what stands; return what is wrong with it, or ""."""
        text = self._flag()
        if text == self._shown:
            return ""
        try:
            if text:
                raise_flag(self._files.flag, text)
            else:
                lower_flag(self._files.flag)
        except OpsFileError as error:
            return f"{error.message}. {error.remedy}".strip()
        self._shown = text
        return ""

    def _flag(self) -> str:
        # That the channel works again is not proven before the message that says so was taken.
        causes = [
            one.cause
            for one in self.standing
            if not one.is_over or one.identity is Identity.CHANNEL
        ]
        end = self._desk.trailer()
        if causes:
            return flag_text(causes) + end
        return (_ENDED if self.standing else _ALL_TOLD) + end if end else ""
