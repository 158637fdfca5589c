"""One process for each mutant, forked off where everything is loaded already."""

import gc
import os
import resource
import signal
from collections.abc import Callable
from enum import Enum


class Fate(Enum):
    """What became of a mutant."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"


MEMORY = 4 << 30
"""Bytes of address space that a mutant may have; who wants more fails, and is killed."""


def fate_of(noticed: Callable[[], bool]) -> Fate:
    """Ask in a process of its own whether the mutant is noticed; an error is a notice too.

    Whoever wants a time limit calls `limit_time`; time is the processor's, so that a busy machine
    kills nothing.
    """
    gc.collect()
    gc.freeze()
    child = os.fork()
    if child == 0:
        _ask(noticed)
    _, status = os.waitpid(child, 0)
    gc.unfreeze()
    if os.WIFSIGNALED(status):
        is_late = os.WTERMSIG(status) in (signal.SIGPROF, signal.SIGXCPU, signal.SIGKILL)
        return Fate.TIMED_OUT if is_late else Fate.KILLED
    return Fate.KILLED if os.WEXITSTATUS(status) else Fate.SURVIVED


def _ask(noticed: Callable[[], bool]) -> None:
    code = 1
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        code = int(noticed())
    finally:
        os._exit(code)


def limit_time(seconds: float) -> None:
    """End this process after so many seconds of processor time from now; 0 lifts the limit."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
