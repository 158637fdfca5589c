"""The commands that show names to whoever asks: what goes beside the screen has none (P12)."""

import io
import json
import sys
from typing import Any

import pytest

from door_sync.cli import adopt
from door_sync.simulators.faults import Answer, Reset, html_error, json_answer
from tests.cli.marked import FIRST, HAND, LAST, SHOUT, Marked, much_to_do, refusal

LOG = "/system/logs"


def log_of(entry: Any) -> Answer:
    return json_answer({"code": "SUCCESS", "msg": "success", "data": {"hits": entry}})


SPOILT = (
    Answer(200, SHOUT.encode()),
    json_answer({"code": SHOUT, "msg": SHOUT, "data": None}),
    refusal("CODE_PARAMS_INVALID"),
    refusal("CODE_UNAUTHORIZED", 403),
    html_error(502),
    Reset(),
)


def test_one_persons_reasons(marked: Marked) -> None:
    much_to_do(marked)
    everybody = (marked.member, marked.leaver, marked.member + 2, marked.member + 3, 999_999)
    for _ in range(2):
        for contact in everybody:
            marked.run("explain", str(contact), shows_names=True)
            marked.run("explain", str(contact), "--json", shows_names=True)
        marked.run("run", "--once")


def test_one_persons_taps_in_a_log_that_says_more_than_it_should(marked: Marked) -> None:
    marked.site.settle()
    source = {
        "actor": {"id": SHOUT, "display_name": SHOUT},
        "event": {"result": SHOUT, "type": SHOUT},
        "authentication": {"issuer": SHOUT},
        "target": [{"type": "nfc_id", "id": SHOUT, "display_name": SHOUT}],
    }
    own = source | {"actor": {"id": marked.site.club.user_of(marked.member)}}
    bad = (
        *SPOILT,
        log_of(SHOUT),
        log_of([SHOUT]),
        log_of([{SHOUT: SHOUT}]),
        log_of([{"@timestamp": SHOUT, "_source": source}]),
        log_of([{"@timestamp": SHOUT, "_source": own}]),
        log_of([{"@timestamp": "2026-01-01T00:00:00Z", "_source": source}]),
    )
    for fault in bad:
        marked.site.club.unifi.faults.add(fault, path=LOG, times=None)
        ran = marked.run("explain", str(marked.member), shows_names=True)
        assert ran.code in (0, 2)
        marked.site.club.unifi.faults.clear()


def test_the_cards_and_who_can_open_what(marked: Marked) -> None:
    much_to_do(marked)
    for words in (["cards"], ["cards", "--json"], ["report", "access"]):
        marked.run(*words, shows_names=True)
    marked.run("run", "--once")
    for words in (["cards"], ["report", "access", "--format", "json"]):
        marked.run(*words, shows_names=True)


@pytest.mark.parametrize("words", [["cards"], ["explain", "MEMBER"], ["adopt", "--list"]])
def test_either_side_in_trouble_while_a_person_asks(marked: Marked, words: list[str]) -> None:
    marked.site.settle()
    words = [str(marked.member) if one == "MEMBER" else one for one in words]
    for side in (marked.site.club.civicrm, marked.site.club.unifi):
        for fault in SPOILT:
            side.faults.add(fault, times=None)
            marked.run(*words, shows_names=True)
            side.faults.clear()


def test_taking_people_over(
    marked: Marked, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    club = marked.site.club
    marked.site.settle()
    several = {}
    for number in range(4):
        contact = club.join(54340 + number, first=FIRST)
        club.civicrm.world.set_name(contact, last_name=f"{LAST}{number}")
        several[club.unifi.world.add_user(FIRST, f"{LAST}{number}").id] = contact
    listed = json.loads(marked.run("adopt", "--list", "--json", shows_names=True).out)
    assert {one["user"]: one["contact"] for one in listed["pairs"]} == several
    monkeypatch.setattr(adopt, "has_terminal", lambda: True)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n" * 9))
    club.unifi.faults.add(refusal("CODE_PARAMS_INVALID"), method="PUT", path="/users/:id")
    assert marked.run("adopt", shows_names=True).code != 0
    club.unifi.faults.clear()
    answers = tmp_path_factory.mktemp("typed") / "answers"
    for spoilt in (SHOUT, f"{HAND}={LAST}\n", "\n".join(f"{u}={c}" for u, c in several.items())):
        answers.write_text(spoilt)
        marked.run("adopt", "--answers", str(answers), shows_names=True)
    marked.run("run", "--once")
    marked.run("history")
