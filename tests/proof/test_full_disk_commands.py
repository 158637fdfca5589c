"""What a person may still do while there is no room, and disks that take nothing at all."""

from collections.abc import Iterator

import pytest

from tests.proof.disk import can_mount
from tests.proof.disk_story import CUT_OFF_BY_HAND, NOT_HAPPENING, Story, story_on


@pytest.fixture(scope="module", params=[True, False], ids=["the site's disk", "a limit"])
def story(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    if request.param and not can_mount():
        pytest.skip("this kernel lets no ordinary user mount a file system of their own")
    with story_on(tmp_path_factory.mktemp("disk"), is_own=request.param) as opened:
        yield opened


def _leaver(story: Story) -> str:
    """Return the contact id of somebody with access."""
    return next(
        one.employee_number
        for one in story.club.unifi.world.users
        if one.status == "ACTIVE" and one.employee_number.isdigit()
    )


def test_a_plan_that_has_no_room_leaves_the_old_one_as_it_is(story: Story) -> None:
    story.rewind()
    out = story.site / "plan.json"
    ran = story.disk.run("plan", "--out", str(out))
    assert ran.code == 0, ran.said
    old = story.disk.there("plan.json").read_text()
    if story.disk.is_own:
        story.disk.ask("fill")
    ran = story.disk.run("plan", "--out", str(out), from_the_start=not story.disk.is_own)
    assert ran.code == 2
    assert f"annot write {out}" in ran.said
    assert "Traceback" not in ran.said
    assert story.disk.there("plan.json").read_text() == old
    assert not [one for one in story.disk.names() if one.startswith(".plan")]
    story.disk.ask("make room")


def test_somebody_can_be_cut_off_without_a_record(story: Story) -> None:
    """With a record there is no room for it: nothing is sent, and the way out is named (P13)."""
    story.rewind()
    contact = _leaver(story)
    if story.disk.is_own:
        story.disk.ask("fill")
    is_limited = not story.disk.is_own
    ran = story.disk.run("revoke", contact, from_the_start=is_limited)
    assert "Traceback" not in ran.said
    if ran.code:
        assert "history.db" in ran.said
        assert "--without-record" in ran.said
    ran = story.disk.run("revoke", contact, "--without-record", from_the_start=is_limited)
    assert ran.code == 0, ran.said
    assert story.club.status_of(int(contact)) == "DEACTIVATED"
    story.disk.ask("make room")


def test_a_disk_that_turned_read_only(story: Story) -> None:
    """As a worn-out SD card does: everything can be read, and not one byte written."""
    if not story.disk.is_own:
        pytest.skip("only a disk of one's own can be mounted anew")
    _, end = story.uninterrupted()
    story.rewind()
    story.disk.ask("remount", how="ro")
    try:
        ran = story.disk.run("run", "--once")
        assert ran.code == 2
        assert "Traceback" not in ran.said
        assert story.club.writes() == 0, "P13"
        told = story.flag.read_text()
        assert NOT_HAPPENING in told
        assert CUT_OFF_BY_HAND in told
        assert "history.db" in told
        status = story.disk.run("status")
        assert status.code in (0, 2)
        assert "Traceback" not in status.said
    finally:
        story.disk.ask("remount", how="rw")
    story.heals(end)
