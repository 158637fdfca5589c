"""What others want of the loop: that it ends, reads its settings again, or runs a cycle now.

A signal handler interrupts the main thread anywhere, also while that holds the lock inside a
threading.Event, and would then wait for it for ever. A SimpleQueue may be filled at any moment; it
only wakes the loop, and what is wanted stands in plain attributes, set in one step each.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType

END_SIGNALS = (signal.SIGTERM, signal.SIGINT)
RELOAD_SIGNAL = signal.SIGHUP


class Wishes:
    """Wishes of signals and of other threads, until the loop has time for them."""

    def __init__(self) -> None:
        self.end = ""
        """Why the loop should end; "" while nobody wants that."""
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._reloads_asked = 0
        self._reloads_done = 0

    def ask_to_end(self, why: str) -> None:
        """Let the loop end after the cycle in progress."""
        self.end = self.end or why
        self.wake()

    def ask_to_reload(self) -> None:
        """Let the loop read its settings again after the cycle in progress."""
        self._reloads_asked += 1
        self.wake()

    def wake(self) -> None:
        """Let the loop look around."""
        self._bell.put(None)

    @property
    def wants_reload(self) -> bool:
        """Whether somebody asked for the settings to be read since that was done last."""
        return self._reloads_asked != self._reloads_done

    def take_reload(self) -> bool:
        """Say whether the settings should be read, and count that as done from now on."""
        asked = self._reloads_asked  # a signal may come between these lines, and is not lost
        wanted = asked != self._reloads_done
        self._reloads_done = asked
        return wanted

    def wait(self, seconds: float) -> None:
        """Wait until somebody wants something, at most so long."""
        try:
            self._bell.get(timeout=max(0.0, seconds))
        except Empty:
            return


class Doorbell:
    """A wish for a cycle, from any thread but no signal handler. Several are one, until a cycle
    begins that is begun for all of them."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._is_rung = False

    @property
    def is_rung(self) -> bool:
        """Whether somebody waits for a cycle to begin."""
        return self._is_rung

    def ring(self) -> bool:
        """Ask for a cycle that begins after this moment; say whether somebody had asked already."""
        with self._lock:
            was_rung, self._is_rung = self._is_rung, True
        if not was_rung:
            self._wake()
        return was_rung

    def answer(self) -> None:
        """Take note that a cycle begins now; whoever rings from here on means the next one."""
        with self._lock:
            self._is_rung = False


@contextmanager
def heeding_signals(wishes: Wishes) -> Iterator[None]:
    """Let SIGTERM and SIGINT ask for the end and SIGHUP for the settings; put the former handlers
    back at the end.

    On a terminal SIGHUP says that the terminal is gone, and asks for the end, too. Only the main
    thread may take signals; whoever runs the loop in another has its `wishes`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    is_terminal = sys.stderr is not None and sys.stderr.isatty()

    def end(number: int, _frame: FrameType | None) -> None:
        wishes.ask_to_end(signal.Signals(number).name)
        if is_terminal:
            _say_it_ends()

    def reload(_number: int, _frame: FrameType | None) -> None:
        wishes.ask_to_reload()

    handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]] = {
        **dict.fromkeys(END_SIGNALS, end),
        RELOAD_SIGNAL: end if is_terminal else reload,
    }
    former = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _say_it_ends() -> None:
    # The log may be in the middle of a line, and takes no second one inside of it.
    try:
        os.write(sys.stderr.fileno(), b"Ending after the cycle in progress.\n")
    except OSError:
        return  # the terminal is gone; that is why it ends
