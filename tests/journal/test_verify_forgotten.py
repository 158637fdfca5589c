"""Audit lines of cycles that the journal has forgotten: the chain alone vouches for them."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from door_sync.journal.chain import seal
from door_sync.journal.retention import Keep, prune
from tests.journal.chained import AuditedSite


@pytest.fixture
def site(tmp_path: Path) -> Iterator[AuditedSite]:
    made = AuditedSite(tmp_path)
    with closing(made.store):
        yield made


def _doubled_by_a_rotation(site: AuditedSite, *, nameless: int = 0) -> None:
    """A line is written but cannot be noted, the file is rotated, and it is written once more.

    So many lines that are of no cycle stand after it, and as many before its double.
    """
    site.cycle()
    doubled = site.cycle()
    with site.store.writing() as connection:
        forget = "UPDATE cycles SET audit = NULL, audit_number = NULL WHERE id = ?"
        connection.execute(forget, (doubled,))
    for _ in range(nameless):
        site.dry_run()
    site.rotate()
    for _ in range(nameless):
        site.dry_run()
    site.cycle()
    assert site.findings() == []


def _forget_quiet_cycles(site: AuditedSite) -> None:
    for _ in range(24):
        site.clock.moment += timedelta(hours=4)
        site.cycle()
    keep = Keep(changes=timedelta(days=400), quiet=timedelta(days=1))
    assert prune(site.store, site.clock.now(), keep, most=100).quiet > 3


@pytest.mark.parametrize("nameless", [0, 2])
def test_a_line_that_a_rotation_doubled_stays_sound_when_its_cycle_is_forgotten(
    site: AuditedSite, nameless: int
) -> None:
    _doubled_by_a_rotation(site, nameless=nameless)
    _forget_quiet_cycles(site)
    assert site.findings() == []


def test_the_end_of_a_file_is_missed_although_its_cycles_are_forgotten(site: AuditedSite) -> None:
    """A file goes on from the one before it, or tells once more of the line that it follows."""
    for _ in range(3):
        site.cycle()
    site.rotate()
    site.cycle()
    _forget_quiet_cycles(site)
    older = site.audit.with_name("audit.jsonl.1")
    older.write_text("".join(f"{line}\n" for line in older.read_text().splitlines()[:-1]))
    assert any("does not follow the end" in one for one in site.findings())


def test_only_lines_of_no_cycle_may_be_left_behind_by_a_file_that_follows(
    site: AuditedSite,
) -> None:
    """Nothing tells them once more: the journal never knew of them."""
    site.cycle()
    site.dry_run()
    site.rotate()
    site.cycle()
    _forget_quiet_cycles(site)
    assert site.findings() == []


def test_what_a_file_goes_back_behind_must_come_once_more(site: AuditedSite) -> None:
    """As if the doubled lines had been taken out of the file that was rotated in."""
    _doubled_by_a_rotation(site)
    later = site.audit.read_text().splitlines()[1:]
    first = json.loads(later[0])
    older = site.audit.with_name("audit.jsonl.1").read_text().splitlines()
    content = {key: value for key, value in first.items() if key not in ("prev", "hash", "opens")}
    forged = seal({**content, "opens": True}, json.loads(older[0])["hash"]).text
    _forget_quiet_cycles(site)
    site.audit.write_text(f"{forged}\n")
    assert any("does not follow the end" in one for one in site.findings())
