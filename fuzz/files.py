"""The parsers of files and of calls: settings, answers, plans, audit lines, the trigger."""

import json
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Final

from door_sync.app.plan_file import NotAPlan, PlanFile, read_plan
from door_sync.app.setting_up.answers import AnswersError, read_answers
from door_sync.core.steps import ChangeClass
from door_sync.daemon.signature import Gate, signed
from door_sync.journal.chain import hash_of
from door_sync.journal.state import read_state
from door_sync.journal.store import Store
from door_sync.journal.verify import verify
from door_sync.settings import BadSettings, Settings, load_settings
from door_sync.settings.faults import Fault
from fuzz import oracles, seeds
from fuzz.oracles import require
from tests.journal.chained import AuditedSite

SECRET_VALUE: Final = "Zäphod-is-a-key-0123456789abcdef"
"""What is put into files where keys stand; no message may tell it."""

_LARGEST_ID: Final = 10**18
_open: Final = ExitStack()


@cache
def _directory() -> Path:
    """Return a directory in memory where there is one, for files that a target must name."""
    memory = Path("/dev/shm")
    where = memory if memory.is_dir() else None
    return Path(_open.enter_context(tempfile.TemporaryDirectory(dir=where)))


def config(data: bytes) -> None:
    """Load settings from a config.toml of these bytes: faults in words, or settings that hold."""
    path, env = _directory() / "config.toml", _directory() / "good.env"
    path.write_bytes(data)
    env.write_text(
        "CIVICRM_API_KEY=abc\nUNIFI_API_KEY=def\nMAILGUN_API_KEY=g\nAPPRISE_URLS=a://b\n"
    )
    _check_loading(path, env, ())


def env_file(data: bytes) -> None:
    """Load settings with an env file of these bytes; nothing of it stands in a fault."""
    path, env = _directory() / "good.toml", _directory() / ".env"
    if not path.exists():
        path.write_bytes(seeds.config_text())
    env.write_bytes(data)
    _check_loading(path, env, (SECRET_VALUE,))


def _check_loading(path: Path, env: Path, private: tuple[str, ...]) -> None:
    first = _loaded(path, env)
    require(repr(first) == repr(_loaded(path, env)), "the same file is read in two ways")
    if isinstance(first, Settings):
        require(SECRET_VALUE not in repr(first), "the settings show a key")
        oracles.check_number(first.safety.mass_deactivate_pct)
        require(first.cadence_seconds >= 60, "the cadence is too short")
        return
    for fault in first:
        for text in (fault.key_path, fault.problem, fault.remedy):
            oracles.check_text(text, private, "a fault", is_own_file=True)


def _loaded(path: Path, env: Path) -> Settings | tuple[Fault, ...]:
    try:
        return load_settings(path, env, {}).settings
    except BadSettings as error:
        return error.faults


def answers(data: bytes) -> None:
    """Read an answers file of `init`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return  # `init` says so before
    try:
        first = read_answers(text, {})
    except AnswersError as error:
        oracles.check_error(error, (), is_own_file=True)
        return
    again = read_answers(text, {})
    require((first.values, first.rules) == (again.values, again.rules), "read in two ways")
    require(all(type(one) is str for one in first.values.values()), "an answer is no text")


def plan(data: bytes) -> None:
    """Read a stored plan: NotAPlan, or contact ids, classes and digests of the right types."""
    path = _directory() / "plan.json"
    path.write_bytes(data)
    try:
        first = read_plan(path)
    except NotAPlan as error:
        oracles.check_error(error, ())
        return
    require(first == read_plan(path), "the same file is read in two ways")
    _check_plan(first)


def _check_plan(found: PlanFile) -> None:
    require(type(found.site) is str, "the site is no text")
    for (contact_id, change), digests in found.changes.items():
        require(type(contact_id) is int and 0 < contact_id < _LARGEST_ID, "an id is out of range")
        require(isinstance(change, ChangeClass), "a class is none")
        require(all(type(one) is str and len(one) <= 64 for one in digests), "a digest is none")


@cache
def _audited() -> tuple[Store, bytes]:
    site = AuditedSite(Path(_open.enter_context(tempfile.TemporaryDirectory())))
    _open.callback(site.store.close)
    for _ in range(2):
        site.cycle()
    record = site.begin()  # one that died before its line was on record
    for contact in (311, 312):
        site.write(record, contact)
    site.ended(failed=True)
    return site.store, site.audit.read_bytes()


def audit_seeds() -> list[bytes]:
    """Return an audit file, each of its lines, and lines whose hash fits whatever is in them."""
    whole = _audited()[1]
    forged = {"ts": "x", "event": "applied", "dry_run": False, "summary": {}, "cycle": "c"}
    changes = [{"contact": 311, "class": "revoke", "outcome": "done"}]
    return [
        whole,
        *whole.splitlines(keepends=True),
        SEAL + json.dumps({**forged, "digest": "", "changes": changes}).encode(),
    ]


SEAL: Final = b"seal\n"
"""An input that begins so is one line's content, which gets a hash that fits it."""


def audit(data: bytes) -> None:
    """Verify audit lines of these bytes: remarks that can be shown, and never an error."""
    store, whole = _audited()
    path = _directory() / "audit.jsonl"
    path.write_bytes(whole + _sealed(data) if data.startswith(SEAL) else data)
    found = verify([path], store, are_all=True)
    for remark in (*found.findings, *found.notes):
        oracles.check_text(remark.text, (), "a remark")
    again = verify([path], store, are_all=True)
    require(found.findings == again.findings, "the same lines are judged in two ways")


def _sealed(data: bytes) -> bytes:
    bare = data.removeprefix(SEAL).strip()
    return bare[:-1] + b', "hash": "' + hash_of(bare).encode() + b'"}\n'


def state(data: bytes) -> None:
    """Read the state file: whatever is in it, it is read or starts anew."""
    path = _directory() / "state.json"
    path.write_bytes(data)
    found = read_state(path)
    require(found == read_state(path), "the same file is read in two ways")
    oracles.check_text(found.note, (), "the note")
    require(found.state.run_count >= 0, "a count is negative")


_SECRET: Final = "0123456789abcdef" * 2
_NOW: Final = 1_795_000_000.0


def trigger(data: bytes) -> None:
    """Judge a call of the trigger, `TIMESTAMP LF SIGNATURE LF BODY`: signed and new, or refused."""
    stamp, signature, body = [*data.split(b"\n", 2), b"", b""][:3]
    texts = stamp.decode("latin-1"), signature.decode("latin-1")
    gate = Gate(_SECRET)
    refusal = gate.refusal(*texts, body, _NOW)
    if refusal is None:
        expected = signed(_SECRET.encode(), texts[0], body)
        require(texts[1].strip().lower() == expected, "a forged call passed")
        require(abs(int(texts[0]) - _NOW) <= 300, "a stale call passed")
        require(gate.refusal(*texts, body, _NOW) is not None, "a call passed twice")


def trigger_seeds() -> list[bytes]:
    """Return signed calls: good ones, stale ones, and one of an odd timestamp."""
    calls = []
    for stamp in ("1795000000", "1795000299", "1794999000", "0", "+1795000000", "٣", "1e9"):
        raw = stamp.encode("utf-8")
        body = b'{"nonce": 1}'
        signature = signed(_SECRET.encode(), raw.decode("latin-1"), body)
        calls.append(raw + b"\n" + signature.encode() + b"\n" + body)
    return calls


def env_seeds() -> list[bytes]:
    """Return env files in every way of quoting."""
    return [
        f"CIVICRM_API_KEY={SECRET_VALUE}\nUNIFI_API_KEY='{SECRET_VALUE}'\n".encode(),
        f'# keys\nexport UNIFI_API_KEY="{SECRET_VALUE}\\"" # old\nCIVICRM_API_KEY=abc\n'
        f'TRIGGER_SECRET={SECRET_VALUE}\nAPPRISE_URLS="json://a, mailto://b"\n'
        "DEAD_MAN_URL=https://example.org/ping/1\n".encode(),
        b"CIVICRM_API_KEY=abc\nUNIFI_API_KEY=def\n",
    ]


def answer_seeds() -> list[bytes]:
    """Return answers files of `init`."""
    return [
        b"""
civicrm.host = "https://crm.example.org"
[unifi]
host = "https://192.0.2.10:12445"
facility_code = 42
email = false
[rules.Gold]
resolution = "tier"
target_policy = "Gold hours"
rank = 100
[rules."Day pass"]
resolution = "day-pass"
"""
    ]
