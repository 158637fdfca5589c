"""A disk that becomes full before each commit and each file that is opened, and stays full.

Once by a real file system without room (ENOSPC), where the kernel lets an ordinary user mount one,
and once by a limit that refuses every further byte (EFBIG, and an I/O error in SQLite). No write
reaches the controller without its record, the exit code is right, the file and the remedy are
named, and with room again one cycle comes to the same end.
"""

from collections.abc import Iterator

import pytest

from tests.proof.disk import FULL, LIMIT, can_mount
from tests.proof.disk_story import Story, print_told, story_on
from tests.thorough import THOROUGH, sample

KILLED_AFTER = (1, 2, 3, 5)
"""So many points after the disk became full the process is killed besides."""

DISKS = {
    "the site's disk": (True, False),
    "the disk of the site and the flag": (True, True),
    "a limit": (False, False),
}


@pytest.fixture(scope="module", params=DISKS)
def story(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> Iterator[Story]:
    is_own, flag_too = DISKS[request.param]
    if is_own and not can_mount():
        pytest.skip("this kernel lets no ordinary user mount a file system of their own")
    directory = tmp_path_factory.mktemp("disk")
    with story_on(directory, is_own=is_own, flag_too=flag_too) as opened:
        opened.name = request.param
        yield opened
    print_told(pytestconfig, f"Without room: {request.param}", opened)


def _how(story: Story) -> str:
    return FULL if story.disk.is_own else LIMIT


def _every(story: Story, points: list[str], every: int) -> list[int]:
    """Return the points to strike: all of them; in a sample some commits and each kind of file."""
    numbers = range(1, len(points) + 1)
    if THOROUGH:
        return [*numbers]
    commits = [number for number in numbers if points[number - 1] == "commits"]
    files = {points[number - 1]: number for number in numbers}
    offset = [*DISKS].index(story.name)
    return sorted({*sample(commits[offset:], every), *[*files.values()][offset :: len(DISKS)]})


def test_no_room_from_any_point_on(story: Story) -> None:
    ran, end = story.uninterrupted()
    assert {"commits", "opens history.db.lock", "opens audit.jsonl"} < {*ran.points}
    assert {"opens a new state.json", "opens a new metrics.prom"} < {*ran.points}
    for number in _every(story, ran.points, 23):
        story.strike({number: _how(story)}, end, kind=f"no room before it {ran.points[number - 1]}")


def test_no_room_on_a_new_machine(story: Story) -> None:
    """The journal is being made: half a journal would stop every later start."""
    ran, end = story.uninterrupted(is_new=True)
    points = ran.points[: ran.points.index("commits") + 4]
    for number in _every(story, points, 3):
        kind = f"a first cycle, no room before it {points[number - 1]}"
        story.strike({number: _how(story)}, end, is_new=True, kind=kind)


def test_no_room_and_killed_a_little_later(story: Story) -> None:
    ran, end = story.uninterrupted()
    cases = [(number, more) for number in range(1, len(ran.points) + 1, 9) for more in KILLED_AFTER]
    for number, more in sample(cases[[*DISKS].index(story.name) :], 11):
        acts = {number: _how(story), number + more: "kill"}
        story.strike(acts, end, kind=f"no room, then killed {more} later")


def test_no_room_from_the_start(story: Story) -> None:
    _, end = story.uninterrupted()
    if not story.disk.is_own:
        ran = story.strike({}, end, from_the_start=True, kind="not one byte from the start")
        assert ran.code == 2
