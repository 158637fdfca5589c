"""How a cycle goes on, shown on a terminal and nowhere else (§8)."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from door_sync.app.cycle import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Yield a progress display on standard error if that is a terminal, else a silent one."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield Progress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Bar(bars)


class _Bar(Progress):
    def __init__(self, bars: "Bars") -> None:
        self._bars = bars
        self._task = bars.add_task("Starting", total=None)

    def stage(self, text: str) -> None:
        self._bars.reset(self._task, description=text, total=None)

    def steps(self, done: int, all_: int) -> None:
        self._bars.update(self._task, completed=done, total=all_)
