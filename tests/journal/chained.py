"""A site's journal and audit file as many cycles leave them, made without a club."""

import os
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

from door_sync.app.auditing import AuditFiles, audit_report
from door_sync.app.report import CycleReport
from door_sync.core.people import ContactId
from door_sync.core.tags import digest
from door_sync.journal.auditfiles import with_siblings
from door_sync.journal.record import SqliteCycleRecord, begin_command, begin_cycle
from door_sync.journal.store import Store
from door_sync.journal.verify import Verification, verify
from door_sync.ports import ControllerError, SourceDistrusted, StepRecord
from tests.journal.conftest import HandClock


class AuditedSite:
    """One journal and one audit file in a directory; `store` is open for writing."""

    def __init__(self, directory: Path) -> None:
        self.files = AuditFiles(directory / "log" / "audit.jsonl", directory / "history.db")
        self.clock = HandClock()
        assert self.files.journal is not None
        self.store = Store.open(self.files.journal)
        self._numbers: Iterator[int] = count()

    @property
    def audit(self) -> Path:
        """The audit file."""
        return self.files.lines

    def lines(self) -> list[str]:
        """Return the lines of the audit file."""
        return self.audit.read_text("ascii").splitlines()

    def begin(self) -> SqliteCycleRecord:
        """Begin a cycle, ten minutes after the last."""
        self.clock.moment += timedelta(minutes=10)
        return begin_cycle(self.store, self.clock, self.clock.now(), self._random)

    def command(self) -> SqliteCycleRecord:
        """Begin a person's command."""
        now = self.clock.now()
        return begin_command(self.store, self.clock, now, self._random, "revoke", "uid 1000")

    def write(self, record: SqliteCycleRecord, contact: int, outcome: str | None = "done") -> None:
        """Record one write of a revocation; without an outcome the process died in it."""
        kept = digest(bytes(32), "step", contact)
        number = record.intend(
            StepRecord(ContactId(contact), "deactivate-user", "revoke", "no membership", kept)
        )
        if outcome is not None:
            record.outcome(number, outcome)

    def ended(self, *, failed: bool = False) -> CycleReport:
        """Run a cycle that writes nothing, as far as its record; return its report."""
        record = self.begin()
        error = SourceDistrusted("the counts do not add up") if failed else None
        report = CycleReport(
            self.clock.now(), dry_run=False, key=b"", cycle_id=record.cycle_id, error=error
        )
        event = "failed" if failed else "applied"
        record.end(event, report.digest(), report.summary(), report.reason())
        return report

    def cycle(self, *, failed: bool = False) -> str:
        """Run such a cycle, with its audit line; return its name."""
        report = self.ended(failed=failed)
        audit_report(report, self.files, self.clock.now())
        return report.cycle_id

    def dry_run(self, *, failed: bool = False) -> None:
        """Run a dry run, with its audit line."""
        error = ControllerError("no answer") if failed else None
        report = CycleReport(self.clock.now(), dry_run=True, key=b"", error=error)
        audit_report(report, self.files, self.clock.now())

    def rotate(self) -> None:
        """Move the files as logrotate does."""
        kept = sorted(self.audit.parent.glob("audit.jsonl.*"), key=lambda p: -int(p.suffix[1:]))
        for one in kept:
            one.rename(one.with_suffix(f".{int(one.suffix[1:]) + 1}"))
        if self.audit.exists():
            self.audit.rename(self.audit.with_name("audit.jsonl.1"))

    def truncate(self) -> None:
        """Rotate with `copytruncate`."""
        content = self.audit.read_bytes()
        self.rotate()
        self.audit.with_name("audit.jsonl.1").write_bytes(content)
        self.audit.touch()
        os.truncate(self.audit, 0)

    def verify(self) -> Verification:
        """Check everything."""
        return verify(with_siblings(self.audit), self.store, are_all=True)

    def findings(self) -> list[str]:
        """Return what is wrong, each with its file and line."""
        return [f"{r.file.name}:{r.line}: {r.text}" for r in self.verify().findings]

    def notes(self) -> list[str]:
        """Return what is no reason to worry."""
        return [f"{r.file.name}:{r.line}: {r.text}" for r in self.verify().notes]

    def _random(self, size: int) -> bytes:
        return next(self._numbers).to_bytes(size)
