"""Any change to the audit lines is found, and what only looks like one is not (§7, P13)."""

import bz2
import gzip
import json
import lzma
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from door_sync.app.auditing import audit_command
from door_sync.core.people import ContactId
from door_sync.journal import chain
from door_sync.journal.audit import AuditedChange, AuditedCycle, Crashed
from door_sync.journal.auditfiles import in_order, read_lines, with_siblings
from door_sync.journal.chain import hash_of, seal, seal_of
from door_sync.journal.retention import Keep, prune
from door_sync.journal.verify import check_database, verify
from door_sync.ports import ControllerError
from tests.journal.chained import AuditedSite


@pytest.fixture
def site(tmp_path: Path) -> Iterator[AuditedSite]:
    made = AuditedSite(tmp_path)
    with closing(made.store):
        yield made


def test_the_lines_of_all_cycles_are_a_chain_that_the_journal_confirms(site: AuditedSite) -> None:
    names = [site.cycle(), site.cycle(failed=True), site.cycle()]
    first, second, third = map(json.loads, site.lines())
    assert [one["cycle"] for one in (first, second, third)] == names
    assert (first["prev"], first["opens"]) == ("", True)
    assert (second["prev"], third["prev"]) == (first["hash"], second["hash"])
    assert "opens" not in second
    result = site.verify()
    assert (result.findings, result.notes) == ([], [])
    assert (result.lines, result.cycles) == (3, 3)


def test_a_hash_is_the_sha256_of_the_line_without_it(site: AuditedSite) -> None:
    site.cycle()
    [line] = site.lines()
    carried = json.loads(line)["hash"]
    bare = line.removesuffix(f', "hash": "{carried}"}}') + "}"
    assert hash_of(bare.encode()) == carried
    assert "hash" not in json.loads(bare)


@given(st.dictionaries(st.text(), st.text() | st.integers(), min_size=1), st.text())
def test_what_is_sealed_fits_and_any_other_byte_does_not(
    content: dict[str, object], prev: str
) -> None:
    sealed = seal(content, prev)
    found = seal_of(sealed.text.encode())
    assert found is not None
    assert (found.fits, found.hash) == (True, sealed.hash)
    other = seal_of(sealed.text.replace("{", "{ ", 1).encode())
    assert other is not None
    assert not other.fits


def test_the_lines_of_dry_runs_are_in_the_chain_too(site: AuditedSite) -> None:
    site.dry_run()
    site.cycle()
    site.dry_run(failed=True)
    site.cycle()
    assert [json.loads(line)["dry_run"] for line in site.lines()] == [True, False, True, False]
    assert site.findings() == []


def test_lines_of_earlier_versions_may_stand_before_the_chain(site: AuditedSite) -> None:
    site.audit.parent.mkdir()
    site.audit.write_text('{"ts": "2024-01-01", "event": "applied"}\n{"ts": "20\n{"ts": "24"}\n')
    site.cycle()
    site.cycle()
    assert site.findings() == []
    assert site.notes() == [
        "audit.jsonl:0: 3 lines of earlier versions stand before the chain and cannot be checked"
    ]


def test_a_line_without_a_hash_after_the_chain_began_is_found(site: AuditedSite) -> None:
    site.cycle()
    with site.audit.open("a") as file:
        file.write('{"ts": "2024-01-01", "event": "applied"}\n')
    site.cycle()
    [found] = site.findings()
    assert found.startswith("audit.jsonl:2: has no hash")


def test_after_a_rotation_the_chain_goes_on_from_what_the_journal_holds(site: AuditedSite) -> None:
    site.cycle()
    site.rotate()
    site.cycle()
    site.dry_run()
    site.truncate()
    site.dry_run()
    site.cycle()
    site.rotate()
    assert site.findings() == []
    first = json.loads(site.audit.with_name("audit.jsonl.2").read_text().splitlines()[0])
    last = json.loads(site.audit.with_name("audit.jsonl.3").read_text().splitlines()[-1])
    assert (first["prev"], first["opens"]) == (last["hash"], True)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["cycle", "failed", "dry", "rotate", "truncate"]), max_size=25))
def test_however_often_files_are_rotated_the_chain_holds(deeds: list[str]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        site = AuditedSite(Path(directory))
        with closing(site.store):
            site.cycle()
            for deed in deeds:
                match deed:
                    case "cycle":
                        site.cycle()
                    case "failed":
                        site.cycle(failed=True)
                    case "dry":
                        site.dry_run()
                    case "rotate":
                        site.rotate()
                    case "truncate" if site.audit.exists():
                        site.truncate()
            assert site.findings() == []


def edited(lines: list[str], draw: Callable[[st.SearchStrategy[Any]], Any]) -> list[str]:
    """Return the lines with one of them dropped, swapped, altered, or one put in."""
    at = draw(st.integers(0, len(lines) - 1))
    match draw(st.sampled_from(["drop", "swap", "alter", "repeat", "forge", "junk", "unseal"])):
        case "drop":
            return lines[:at] + lines[at + 1 :]
        case "swap":
            other = draw(st.integers(0, len(lines) - 1).filter(lambda n: n != at))
            low, high = sorted((at, other))
            return [
                *lines[:low],
                lines[high],
                *lines[low + 1 : high],
                lines[low],
                *lines[high + 1 :],
            ]
        case "alter":
            line = lines[at]
            where = draw(st.integers(0, len(line) - 1))
            letter = draw(st.characters(min_codepoint=32, max_codepoint=126))
            new = line[:where] + letter + line[where + 1 :]
            return lines if new == line else [*lines[:at], new, *lines[at + 1 :]]
        case "repeat":
            return [*lines[: at + 1], lines[draw(st.integers(0, len(lines) - 1))], *lines[at + 1 :]]
        case "forge":  # one that takes its place in the chain as well as it can
            content = {**json.loads(lines[at]), "cycle": "20250310T000000Z-00000000"}
            prev = content.pop("prev")
            content.pop("hash")
            return [*lines[:at], seal(content, prev).text, *lines[at:]]
        case "junk":
            text = draw(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
            return [*lines[:at], text, *lines[at:]]
        case _:
            content = json.loads(lines[at])
            content.pop("hash")
            return [*lines[:at], json.dumps(content), *lines[at + 1 :]]


@pytest.fixture(scope="module")
def long_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuditedSite]:
    """Two files with a few lines of every kind; the last is of a live cycle."""
    site = AuditedSite(tmp_path_factory.mktemp("site"))
    with closing(site.store):
        site.cycle()
        site.dry_run()
        site.cycle(failed=True)
        site.rotate()
        site.dry_run()
        site.cycle()
        site.cycle()
        yield site


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(["audit.jsonl", "audit.jsonl.1"]))
def test_any_single_edit_is_found(long_site: AuditedSite, data: st.DataObject, name: str) -> None:
    file = long_site.audit.with_name(name)
    lines = file.read_text().splitlines()
    new = edited(lines, data.draw)
    if new == lines:
        return
    file.write_text("".join(f"{line}\n" for line in new))
    try:
        assert long_site.findings() != []
    finally:
        file.write_text("".join(f"{line}\n" for line in lines))


def test_untouched_it_is_clean(long_site: AuditedSite) -> None:
    """Without this the test above could not fail."""
    assert long_site.findings() == []


def test_a_file_that_is_gone_from_the_middle_is_missed(site: AuditedSite) -> None:
    for _ in range(3):
        site.cycle()
        site.rotate()
    site.audit.with_name("audit.jsonl.2").unlink()
    follows, missing = site.findings()
    assert follows.startswith("audit.jsonl.1:1: does not follow the end of the file before it")
    assert "is missing, although it was written" in missing


def test_files_thrown_away_at_the_old_end_are_a_note(site: AuditedSite) -> None:
    for _ in range(4):
        site.cycle()
        site.rotate()
    site.audit.with_name("audit.jsonl.4").unlink()
    site.audit.with_name("audit.jsonl.3").unlink()
    assert site.findings() == []
    assert any("2 cycles have their lines in files that are gone" in one for one in site.notes())


def test_all_files_gone_is_found(site: AuditedSite) -> None:
    site.cycle()
    site.audit.unlink()
    [found] = site.findings()
    assert found.startswith("history.db:0: the line of cycle ")


def test_lines_cut_off_at_the_end_are_found_by_the_journal(site: AuditedSite) -> None:
    site.cycle()
    name = site.cycle()
    site.audit.write_text(site.lines()[0] + "\n")
    assert [name in found for found in site.findings()] == [True]


def test_a_chain_forged_from_end_to_end_is_found_by_the_journal(site: AuditedSite) -> None:
    """Anybody can compute hashes; nobody but door-sync wrote those in the journal."""
    site.cycle()
    site.cycle()
    prev, forged = "", []
    for line in site.lines():
        content = json.loads(line)
        del content["prev"], content["hash"]
        made = seal({**content, "summary": {"deactivated": 9}}, prev)
        prev = made.hash
        forged.append(made.text)
    site.audit.write_text("".join(f"{line}\n" for line in forged))
    assert [found.split(": ", 1)[1][:36] for found in site.findings()] == [
        "is not the line that was written for"
    ] * 2


def test_what_the_chain_cannot_show_is_a_dry_run_at_the_very_end(site: AuditedSite) -> None:
    """P7: a dry run leaves the journal alone. The handbook says so; the next line ends it."""
    site.cycle()
    site.dry_run()
    kept = site.lines()[:1]
    site.audit.write_text(kept[0] + "\n")
    assert site.findings() == []


MORE_STEPS = (
    "INSERT INTO steps (cycle, number, contact_id, kind, change, reason, digest, intended_at, "
    "outcome) SELECT id, 1, 7, 'bind-card', 'card', '', 'ab', started, 'done' "
    "FROM cycles WHERE number = 2"
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE cycles SET event = 'halted'", "the line says applied, the journal halted"),
        ("UPDATE cycles SET digest = 'ab'", "the digest of its plan is another"),
        ("UPDATE cycles SET audit = 'ab'", "the journal holds another hash"),
        ("DELETE FROM cycles WHERE number = 2", "which the journal does not know"),
        (MORE_STEPS, "the journal has a card of contact 7, the line has not"),
    ],
)
def test_a_journal_that_was_changed_disagrees_with_the_lines(
    site: AuditedSite, change: str, said: str
) -> None:
    for _ in range(3):
        site.cycle()
    assert site.findings() == []
    with site.store.writing() as connection:
        connection.execute(change)
    assert any(said in one for one in site.findings())


@pytest.mark.parametrize(("outcome", "is_missed"), [("failed", False), ("done", True)])
def test_a_cycle_whose_record_broke_off_before_its_first_write_goes_with_the_quiet_ones(
    site: AuditedSite, outcome: str, is_missed: bool
) -> None:
    """Its line tells of changes that failed, the journal of no step. One that wrote is missed: it
    would be kept for longer."""
    for contact, said in ((3, "done"), (7, outcome)):
        record = site.begin()
        if contact == 3:  # this one wrote, so the journal keeps it, and tells how far back it goes
            site.write(record, contact)
        record.end("failed", "", {}, "the disk is full")
        change = AuditedChange(ContactId(contact), "revoke", said)
        ending = Crashed(ControllerError("the disk is full"))
        line = AuditedCycle(site.clock.now(), record.cycle_id, ending, changes=[change])
        audit_command(line, site.files)
    days = Keep(changes=timedelta(days=400), quiet=timedelta(days=1))
    for _ in range(12):
        site.clock.moment += timedelta(hours=4)
        site.cycle()
    assert prune(site.store, site.clock.now(), days, most=100).quiet > 1
    missed = [one for one in site.findings() if "which the journal does not know" in one]
    assert bool(missed) is is_missed


def test_a_half_line_is_closed_and_vouched_for_by_the_next(site: AuditedSite) -> None:
    site.cycle()
    with site.audit.open("a") as file:
        file.write('{"ts": "2025-03-10T08')
    assert [one.startswith("audit.jsonl:2: is half a line") for one in site.notes()] == [True]
    site.cycle()
    site.cycle()
    assert site.findings() == []
    assert [one.startswith("audit.jsonl:2: is half a line") for one in site.notes()] == [True]
    text = site.audit.read_text()
    site.audit.write_text(text.replace('{"ts": "2025-03-10T08\n', '{"ts": "2025-03-11T08\n'))
    assert any("has no hash" in one for one in site.findings())
    site.audit.write_text(text.replace('{"ts": "2025-03-10T08\n', ""))
    assert any("half a line before it, which was removed" in one for one in site.findings())


def test_a_half_line_in_an_empty_file_too(site: AuditedSite) -> None:
    site.cycle()
    site.rotate()
    site.audit.write_text('{"ts": "2025')
    site.cycle()
    assert site.findings() == []


def test_a_last_line_that_only_lacks_its_end_is_whole(site: AuditedSite) -> None:
    site.cycle()
    site.audit.write_text(site.audit.read_text().rstrip("\n"))
    assert site.findings() == []
    site.cycle()
    assert site.findings() == []
    assert len(site.lines()) == 2


@pytest.mark.parametrize(
    "junk", [b"\xff\xfe\x00", b"[1, 2]", b"null", b"", b'{"hash": "ab"}', b"[" * 100_000]
)
def test_junk_in_the_middle_is_found_and_stops_nothing(site: AuditedSite, junk: bytes) -> None:
    site.cycle()
    with site.audit.open("ab") as file:
        file.write(junk + b"\n")
    site.cycle()
    site.cycle()
    found = site.findings()
    assert [one.split(" ", 1)[0] for one in found] == ["audit.jsonl:2:"]


def test_something_sealed_that_is_no_object_is_found(site: AuditedSite) -> None:
    site.cycle()
    bare = b'{"a": }'
    line = bare[:-1] + b', "hash": "' + hash_of(bare).encode() + b'"}'
    with site.audit.open("ab") as file:
        file.write(line + b"\n")
    assert any("is not a line of door-sync" in one for one in site.findings())


def test_a_line_without_end_takes_no_memory(
    site: AuditedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.cycle()
    monkeypatch.setattr("door_sync.journal.auditfiles.LONGEST_LINE", 2000)
    with site.audit.open("ab") as file:
        file.write(b"x" * 9000 + b"\n")
        file.write(b"y" * 9000)
    lines = list(read_lines(site.audit))
    assert [(one.number, one.is_long, one.content[:1]) for one in lines] == [
        (1, False, b"{"),
        (2, True, b""),
        (3, True, b""),
    ]
    assert [one.split(" ", 1)[1] for one in site.findings()] == [
        "is longer than any line of door-sync"
    ] * 2


@pytest.mark.parametrize(
    ("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_packed_files_are_read_and_a_damaged_one_is_told(
    site: AuditedSite, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    site.cycle()
    site.rotate()
    site.cycle()
    old = site.audit.with_name("audit.jsonl.1")
    packed = pack(old.read_bytes())
    beside = old.with_name(old.name + suffix)
    beside.write_bytes(packed[:40])
    assert site.findings() == [], "both are there while logrotate is at work"
    old.unlink()
    assert any("cannot be unpacked to its end" in one for one in site.findings())
    beside.write_bytes(packed)
    assert site.findings() == []


def test_a_file_that_cannot_be_read_is_told_with_its_remedy(site: AuditedSite) -> None:
    site.cycle()
    (site.audit.parent / "audit.jsonl.1").mkdir()
    unreadable = site.findings()[0]
    assert "it is a directory. Move the directory away" in unreadable


def test_names_tell_which_file_is_older() -> None:
    names = [
        "audit.jsonl",
        "audit.jsonl.1",
        "audit.jsonl.2.gz",
        "audit.jsonl.10.gz",
        "audit.jsonl-20250302.gz",
        "audit.jsonl-20250301",
    ]
    assert [one.name for one in in_order([Path(name) for name in names])] == [
        "audit.jsonl-20250301",
        "audit.jsonl-20250302.gz",
        "audit.jsonl.10.gz",
        "audit.jsonl.2.gz",
        "audit.jsonl.1",
        "audit.jsonl",
    ]


def test_only_siblings_of_the_audit_file_are_looked_at(tmp_path: Path) -> None:
    for name in ("audit.jsonl", "audit.jsonl.1", "audit.jsonl.bak", "audit.jsonl2", "state.json"):
        (tmp_path / name).touch()
    found = with_siblings(tmp_path / "audit.jsonl")
    assert [one.name for one in found] == ["audit.jsonl.1", "audit.jsonl"]


def test_of_some_files_only_what_lies_between_is_missed(site: AuditedSite) -> None:
    for _ in range(3):
        site.cycle()
        site.rotate()
    one, two, three = (site.audit.with_name(f"audit.jsonl.{n}") for n in (3, 2, 1))
    assert verify([one, two], site.store, are_all=False).findings == []
    assert len(verify([one, three], site.store, are_all=False).findings) == 2


def test_a_sound_journal_is_found_sound_and_loose_rows_are_told(site: AuditedSite) -> None:
    record = site.begin()
    site.write(record, 7)
    assert check_database(site.store) == []
    site.store._connection.execute("PRAGMA foreign_keys = OFF")
    with site.store.writing() as connection:
        connection.execute("DELETE FROM cycles")
    assert check_database(site.store) == ["1 rows refer to others that are gone"]


def test_a_very_long_last_line_is_not_read_for_ever(
    site: AuditedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.audit.parent.mkdir()
    site.audit.write_bytes(b"x" * (1 << 17))
    monkeypatch.setattr(chain, "LONGEST_LINE", 1 << 15)
    site.cycle()
    assert json.loads(site.lines()[-1])["prev"] == ""
