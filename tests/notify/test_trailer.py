"""What was told, at the end of the flag, while the journal cannot keep it (P14)."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from door_sync.core.causes import Cause, Identity, Standing
from door_sync.notify.flag import flag_text
from door_sync.notify.trailer import read_endings, read_trailer, trailer

NOW = datetime(2026, 11, 22, 12, 30, 15, 123456, tzinfo=UTC)
MOMENTS = st.datetimes(timezones=st.just(UTC))
STANDING = st.builds(
    Standing,
    st.sampled_from(Identity).map(lambda one: Cause(one, "It.", "Doors.", "Settle it.")),
    MOMENTS,
    st.integers(min_value=1, max_value=10**6),
    st.none() | MOMENTS,
    st.none() | MOMENTS,
    st.booleans(),
)


@given(st.lists(STANDING, unique_by=lambda one: one.identity))
def test_it_is_read_as_it_was_written(standing: list[Standing]) -> None:
    text = flag_text([Cause(Identity.JOURNAL, "It.", "Doors.", "Settle it.")]) + trailer(standing)
    told = [
        (one.identity, one.began, one.failures, one.announced, one.reminded, one.is_over)
        for one in read_trailer(text)
    ]
    assert told == [
        (one.identity, one.began, one.failures, one.announced, one.reminded, one.is_over)
        for one in standing
    ]


@given(
    st.lists(STANDING, unique_by=lambda one: one.identity),
    st.dictionaries(st.sampled_from(Identity), MOMENTS),
)
def test_it_tells_which_ends_were_told(
    standing: list[Standing], ended: dict[Identity, datetime]
) -> None:
    text = trailer(standing, ended)
    assert read_endings(text) == ended
    assert len(read_trailer(text)) == len(standing)


def test_an_end_that_makes_no_sense_is_passed_over() -> None:
    text = trailer([], {Identity.HELD: NOW})
    assert text.endswith("- held; its end was told 2026-11-22T12:30:15.123456+00:00\n")
    for good, bad in (("held", "bewitched"), ("2026-11-22", "2026-13-22"), ("+00:00", "")):
        assert read_endings(text.replace(good, bad)) == {}
    assert read_endings(text.rpartition(":\n")[2]) == {}


def test_people_can_read_it_too() -> None:
    one = Standing(Cause(Identity.JOURNAL, "It.", "", ""), NOW, 3, NOW, NOW + timedelta(hours=1))
    assert trailer([one]) == (
        "\nTold so far, kept here until the journal can be used again:\n"
        "- journal unusable; began 2026-11-22T12:30:15.123456+00:00; cycles 3; "
        "told 2026-11-22T12:30:15.123456+00:00; last told 2026-11-22T13:30:15.123456+00:00\n"
    )
    [read] = read_trailer(trailer([one]))
    assert read.cause.happened == "No cycle runs, because its record cannot be kept."


def test_nothing_that_stands_makes_no_trailer_and_a_flag_without_one_tells_of_nothing() -> None:
    assert trailer([]) == ""
    assert read_trailer("") == ()
    assert read_trailer("- held; began 2026-11-22T12:30:15+00:00; cycles 1; told never") == ()


def test_a_line_that_makes_no_sense_is_passed_over() -> None:
    one = Standing(Cause(Identity.HELD, "It.", "", ""), NOW)
    text = trailer([one])
    spoiled = [
        text.replace("held", "bewitched"),
        text.replace("2026-11-22", "2026-13-22"),
        text.replace("+00:00", ""),
        text.replace("cycles 1", "cycles many"),
    ]
    for other in spoiled:
        assert read_trailer(other) == ()
    assert len(read_trailer(text + text.splitlines()[-1].replace("held", "bewitched"))) == 1
