"""Past cycles and a person's story in words: what each way to end, and each proof, is called."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from door_sync.app.cycle import EVENT
from door_sync.app.past import Story
from door_sync.cli.output.past import ENDED, cycle_text, cycles_text, story_text
from door_sync.cli.output.past_json import cycles_json
from door_sync.core.people import ContactId
from door_sync.journal.history import INTERRUPTED, PastStep
from door_sync.journal.lookback import Changed, CutOff, Held, Run, Said, Told

AT = datetime(2026, 11, 22, 20, 50, tzinfo=UTC)


def step(outcome: str | None, detail: str = "", *, kind: str = "bind-card") -> PastStep:
    return PastStep(
        number=1,
        contact_id=ContactId(42),
        kind=kind,
        change="card",
        reason="another card",
        digest="ab" * 8,
        intended_at=AT,
        outcome=outcome,
        outcome_at=AT,
        detail=detail,
    )


def told(event: str | None, *steps: PastStep) -> Told:
    return Told(
        cycle_id="20261122T205000Z-00c0ffee",
        command="",
        asked_by="",
        started=AT,
        ended=AT + timedelta(seconds=3),
        event=event,
        digest="",
        reason="",
        steps=steps,
    )


def test_every_way_to_end_is_told_in_words() -> None:
    assert {*EVENT.values(), "crashed", INTERRUPTED, None} == set(ENDED)


@pytest.mark.parametrize(
    ("event", "outcome", "detail", "proof"),
    [
        ("applied", "done", "", "done and read back"),
        ("partial", "done", "read back", "no answer came, but it was read back as done"),
        ("failed", "done", "", "done, but not read back"),
        (INTERRUPTED, "done", "", "done, but not read back"),
        ("partial", "unproven", "", "accepted, but the read-back did not show it"),
        ("partial", "uncertain", "", "no answer came; it may have been carried out or not"),
        ("partial", "refused", "CODE_X", "refused by the controller (CODE_X)"),
        ("failed", "failed", "ControllerForbids", "failed (ControllerForbids)"),
        ("failed", "failed", "", "failed"),
        (None, None, "", "is being written"),
        (
            INTERRUPTED,
            None,
            "",
            "was being written when the process died; it may have been carried",
        ),
    ],
)
def test_every_write_is_told_with_its_proof(
    event: str | None, outcome: str | None, detail: str, proof: str
) -> None:
    text = cycle_text(told(event, step(outcome, detail)))
    assert f"contact 42: bind the card (bind-card): {proof}" in text


def test_a_kind_of_write_without_words_is_told_by_its_name() -> None:
    assert "polish-door (polish-door): done" in cycle_text(
        told("applied", step("done", kind="polish-door"))
    )


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (None, "is running, or whose process died just now"),
        ("applied", "ended well"),
        ("partial", "was not done for everybody"),
        ("halted", "was held by a guard in part"),
        ("failed", "stopped on the way"),
        ("crashed", "broke off with a fault of the program"),
        (INTERRUPTED, "was interrupted: its process died"),
    ],
)
def test_a_persons_change_names_its_cycle_and_how_that_ended(event: str | None, words: str) -> None:
    change = Changed(AT, "card", "another card", told(event), (step("done"),))
    text = story_text(Story(ContactId(42), (change,), None))
    assert "Changed card (card): another card." in text
    assert f"In cycle 20261122T205000Z-00c0ffee, which {words}:" in text


def test_a_command_is_told_with_who_gave_it() -> None:
    command = replace(told("applied", step("done")), command="revoke", asked_by="maria")
    assert "revoke by maria 20261122T205000Z-00c0ffee: ended well" in cycle_text(command)
    change = Changed(AT, "revoke", "cut off by hand", command, command.steps)
    text = story_text(Story(ContactId(42), (change,), AT))
    assert "In revoke by maria 20261122T205000Z-00c0ffee" in text


def test_what_stands_still_is_told_so() -> None:
    story = Story(
        ContactId(42),
        (
            Held(AT, "ab" * 6, "first", None, 1, ("mass card",), ("card",)),
            Said(AT, "ab" * 6, "rejected", "maria", None, ""),
            CutOff(AT, "paul", ""),
        ),
        AT,
    )
    text = story_text(story)
    assert "First in cycle first, in 1 cycle, and is held still." in text
    assert "was rejected by maria." in text
    assert "Was cut off at once by paul, without a reason." in text


def test_a_tally_names_who_did_not_go_well() -> None:
    cycle = told("partial", step("done"), replace(step("refused"), contact_id=ContactId(43)))
    text = cycles_text([Run(AT, cycle, 1)], quiet_too=False)
    assert "2 people changed card (not every step went well: contact 43)." in text


def test_what_could_steer_a_terminal_does_not() -> None:
    cycle = replace(told("halted"), reason="guard \x1b[2J: too many")
    assert "\x1b" not in cycles_text([Run(AT, cycle, 1)], quiet_too=False)


def test_json_takes_times_and_nothing_else_of_its_own() -> None:
    run = Run(AT, told("applied"), 1)
    assert '"started": "2026-11-22T20:50:00.000000+00:00"' in cycles_json([run])
    with pytest.raises(TypeError):
        cycles_json([Run(AT, replace(told("applied"), reason=object()), 1)])  # type: ignore[arg-type]  # what must not get through
