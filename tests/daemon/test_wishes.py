"""Wishes reach the loop whatever thread or signal handler has them."""

import signal
import threading

from door_sync.daemon.wishes import Doorbell, Wishes


def test_without_a_wish_waiting_ends_in_time() -> None:
    wishes = Wishes()
    wishes.wait(0)
    wishes.wait(-1)
    assert wishes.end == ""
    assert not wishes.wants_reload


def test_the_first_wish_to_end_is_the_one_that_is_told() -> None:
    wishes = Wishes()
    wishes.ask_to_end("SIGTERM")
    wishes.ask_to_end("SIGINT")
    assert wishes.end == "SIGTERM"


def test_a_reload_is_taken_once_and_one_that_comes_later_again() -> None:
    wishes = Wishes()
    wishes.ask_to_reload()
    wishes.ask_to_reload()
    assert wishes.wants_reload
    assert [wishes.take_reload(), wishes.take_reload()] == [True, False]
    wishes.ask_to_reload()
    assert wishes.take_reload()


def test_a_signal_handler_may_ask_while_the_same_thread_waits() -> None:
    """A threading.Event could deadlock here, if the signal came at the wrong moment."""
    wishes = Wishes()
    before = signal.signal(signal.SIGALRM, lambda *_: wishes.ask_to_end("SIGALRM"))
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    try:
        wishes.wait(10)
        assert wishes.end == "SIGALRM"
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_bell_that_many_ring_at_once_wakes_once() -> None:
    woken: list[int] = []
    bell = Doorbell(lambda: woken.append(1))
    merged: list[bool] = []
    threads = [threading.Thread(target=lambda: merged.append(bell.ring())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(merged) == [False] + [True] * 19
    assert len(woken) == 1
    states = [bell.is_rung]
    bell.answer()
    states.append(bell.is_rung)
    assert states == [True, False]
    assert bell.ring() is False
    assert len(woken) == 2
