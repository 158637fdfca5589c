"""The collector is off while much is built, and as it was afterwards."""

import gc
from collections.abc import Iterator
from threading import Event, Thread

import pytest

from door_sync.app.collector import collector_paused


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.enable()
    yield
    (gc.enable if was_on else gc.disable)()


def test_it_is_off_inside_and_on_afterwards() -> None:
    with collector_paused():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_is_on_again_after_an_error() -> None:
    with pytest.raises(RuntimeError), collector_paused():
        raise RuntimeError
    assert gc.isenabled()


def test_who_had_it_off_keeps_it_off() -> None:
    gc.disable()
    with collector_paused():
        pass
    assert not gc.isenabled()


def test_it_goes_on_with_the_last_of_several_sites() -> None:
    inside, leave = Event(), Event()

    def other_site() -> None:
        with collector_paused():
            inside.set()
            assert leave.wait(20)

    other = Thread(target=other_site)
    with collector_paused():
        other.start()
        assert inside.wait(20)
    assert not gc.isenabled()
    leave.set()
    other.join(20)
    assert gc.isenabled()
