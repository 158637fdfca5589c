"""Where the fuzzers begin: what both simulators and a real CiviCRM answered, and files as written.

Everything is made anew each time, in a few seconds; nothing is kept.
"""

import contextlib
import json
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from door_sync.app.bootstrap import plan_site
from door_sync.app.plan_file import applicable
from door_sync.http import HttpClient, PinnedTls, PlainHttp, Reply
from door_sync.settings import load_settings
from door_sync.settings.reference import sample_config
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN
from door_sync.unifi.client import token_headers
from fuzz.readings import SOME_TOKEN, SOME_USER, civicrm_readings, unifi_readings
from fuzz.tape import Recorder
from tests.club import Club, open_club

ROOT: Final = Path(__file__).parents[1]
RECORDED: Final = ROOT / "tests" / "civicrm" / "recorded"

PRIVATE: Final = ("Zaphod Ä.", "Trillian Ä.", "zäphod@example.org")
"""Names and an address that stand in the answers, and must not stand in any message. None could
pass for an id, so that a misplaced one is a leak and no confusion."""

_LOG: Final = {
    "code": "SUCCESS",
    "msg": "success",
    "data": {
        "hits": [
            {
                "@timestamp": "2026-11-20T10:00:00Z",
                "_id": "1",
                "_source": {
                    "actor": {"id": SOME_USER, "display_name": PRIVATE[0]},
                    "authentication": {"credential_provider": "NFC", "issuer": "2AC35B"},
                    "event": {"type": "access.door.unlock", "result": "ACCESS"},
                    "target": [
                        {"type": "door", "id": "d1", "display_name": "Front"},
                        {"type": "nfc_id", "id": "2AC35B", "display_name": ""},
                    ],
                },
            }
        ]
    },
}
"""An entry of the system log (UniFi sheet §13), which the simulated door does not write."""


@cache
def civicrm_tape() -> dict[str, Reply]:
    """Return every answer that readings of a small CiviCRM take."""
    return _tapes()[0]


@cache
def unifi_tape() -> dict[str, Reply]:
    """Return every answer that readings of a small controller take."""
    return _tapes()[1]


@cache
def recorded_answers() -> tuple[bytes, ...]:
    """Return the bodies that a real CiviCRM answered with (tests/civicrm/recorded)."""
    return tuple(
        json.dumps(body).encode()
        for path in sorted(RECORDED.glob("*.json"))
        for body in _bodies(json.loads(path.read_text("utf-8")))
    )


@cache
def plan_document() -> bytes:
    """Return a plan as `plan --out` writes it."""
    return _tapes()[2]


def config_text() -> bytes:
    """Return config.toml as it is delivered, every key spelt out."""
    lines = sample_config().splitlines()
    spelt = [
        line.removeprefix("# ") if line.startswith("# ") and " = " in line else line
        for line in lines
    ]
    return "\n".join(spelt).encode()


@cache
def _tapes() -> tuple[dict[str, Reply], dict[str, Reply], bytes]:
    with open_club() as club:
        _populate(club)
        with contextlib.ExitStack() as stack:
            civicrm = Recorder(
                stack.enter_context(
                    HttpClient(
                        club.civicrm_server.url,
                        headers={"X-Civi-Auth": f"Bearer {club.civicrm.world.secret_of('full')}"},
                        tls=PlainHttp(),
                        timeout_seconds=20,
                        clock=club.clock,
                        trust_environment_proxies=False,
                    )
                )
            )
            unifi = Recorder(
                stack.enter_context(
                    HttpClient(
                        club.unifi_server.url,
                        headers=token_headers(DEFAULT_TOKEN),
                        tls=PinnedTls((club.unifi_server.fingerprint or "",)),
                        timeout_seconds=20,
                        clock=club.clock,
                        trust_environment_proxies=False,
                    )
                )
            )
            for civicrm_reading in civicrm_readings().values():
                civicrm_reading(civicrm.client())
            for unifi_reading in unifi_readings().values():
                unifi_reading(unifi.client())
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            config = club.write_files(directory)
            report = plan_site(load_settings(config, directory / ".env", {}).settings)
            document = json.dumps({"apply": applicable(report)}).encode()
    kind = {"content-type": "application/json"}
    log = {
        "POST /system/logs 1": Reply(200, kind, json.dumps(_LOG).encode()),
        "POST /system/logs 2": Reply(200, kind, b'{"code":"SUCCESS","data":{"hits":[]}}'),
    }
    return civicrm.answers, {**unifi.answers, **log}, document


def _populate(club: Club) -> None:
    names = [PRIVATE[0], PRIVATE[1], "Ford", "Arthur"]
    for number, name in enumerate(names, start=1):
        email = PRIVATE[2] if number == 1 else None
        contact = club.join(str(50000 + number), first=name, email=email)
        if number < 4:
            club.add_user(str(contact), cards=[50000 + number], policies=[club.gold])
    club.add_card(50009)
    now = int(club.clock.now().timestamp())
    world = club.unifi.world
    world.add_user(PRIVATE[0], "By-hand", user_id=SOME_USER, policy_ids=[club.silver])
    world.add_card(42, 50011, token=SOME_TOKEN.reveal(), holder_id=SOME_USER)
    visit = world.add_card(42, 50010)
    world.add_visitor(PRIVATE[1], "Guest", now - 60, now + 3600, card_token=visit.token)


def _bodies(entries: Any) -> Iterator[Any]:
    for entry in entries.values() if isinstance(entries, dict) else entries:
        if isinstance(entry, dict) and isinstance(entry.get("body"), dict | list):
            yield entry["body"]
