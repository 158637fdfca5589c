"""The whole demo: the stage is set up, the chapters are told, and the end says how it went."""

import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from door_sync.cli.demo.chapter import Chapter
from door_sync.cli.demo.narrator import Narrator
from door_sync.cli.demo.show import Show
from door_sync.cli.demo.site import open_site
from door_sync.cli.demo.story import CHAPTERS
from door_sync.files import ops_file_errors
from door_sync.simulators.demo_club import PEOPLE

EXIT_NOT_AS_TOLD = 2


def tell_all(keep: Path | None, *, pauses: bool, chapters: Sequence[Chapter] = CHAPTERS) -> int:
    """Tell every chapter; return 0, or EXIT_NOT_AS_TOLD if one did not come out as told."""
    narrator = Narrator(pauses=pauses)
    with _nothing_left_behind(), _directory(keep) as directory, open_site(directory) as site:
        show = Show(site, narrator)
        _opening(narrator)
        broken = []
        for number, chapter in enumerate(chapters, start=1):
            narrator.pause()
            narrator.heading(f"{number}. {chapter.title}")
            failed_before = len(show.failures)
            chapter.tell(show)
            if len(show.failures) > failed_before:
                broken.append(number)
        _ending(show, chapters, broken, keep)
    return EXIT_NOT_AS_TOLD if broken else 0


@contextmanager
def _nothing_left_behind() -> Iterator[None]:
    """Let SIGTERM and a terminal that is closed end the demo as Ctrl-C does: in good order."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    former = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="door-sync-demo-") as directory:
            yield Path(directory)
        return
    if keep.exists() and not (keep.is_dir() and not any(keep.iterdir())):
        raise click.UsageError(f"--keep wants a directory that is new or empty; {keep} is neither.")
    with ops_file_errors(keep, "make"):
        keep.mkdir(mode=0o700, parents=True, exist_ok=True)
    yield keep


def _opening(narrator: Narrator) -> None:
    narrator.heading("door-sync, shown on a made-up club")
    narrator.say(
        f"The club keeps its {len(PEOPLE)} people in CiviCRM; its front door and its workshop hang "
        "on a UniFi Access controller. Makers open both doors, Friends the front door, Supporters "
        "neither. Both systems are simulated inside this program: nothing leaves this machine, "
        "and nothing stays on it."
    )
    narrator.say(
        "Everybody here is invented, and so is every card. That is why you see card numbers: "
        "anywhere else door-sync shows none, only a tag like #a1b2c3 that tells cards apart."
    )
    narrator.say(
        "Lines behind a bar are what door-sync itself prints. What the doors answer is asked of "
        "the doors, not of door-sync."
    )


def _ending(show: Show, chapters: Sequence[Chapter], broken: list[int], keep: Path | None) -> None:
    narrator = show.narrator
    narrator.heading("What you have seen")
    for number, chapter in enumerate(chapters, start=1):
        mark = "NOT as told" if number in broken else "as told"
        narrator.item(f"{number}. {chapter.title}: {mark}")
    if broken:
        narrator.say(
            f"{len(show.failures)} of {show.checks} things checked on the way were not as told:"
        )
        for failure in show.failures:
            narrator.item(f"- {failure}")
        narrator.say("That is a fault of this version. Please report it with the output above.")
    else:
        narrator.say(f"The demo checked {show.checks} things on the way; all came out as told.")
    if keep is not None:
        narrator.say(
            f"The files of this site are in {keep}; the two systems that they name are gone."
        )
    narrator.say(
        'The real thing begins in README.md under "Going live". To try it with your own hands '
        "first, see docs/rehearsing.md: `door-sync simulate civicrm` and `door-sync simulate "
        "unifi` play the two systems for as long as you like."
    )
