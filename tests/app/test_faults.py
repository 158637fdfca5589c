"""Where a fault happened, without what it knows of people (P12)."""

import pytest

from door_sync.app.faults import where


def cause() -> None:
    raise KeyError("Zaphodine")


def of_its_own() -> None:
    try:
        cause()
    except KeyError as error:
        raise ValueError("54321") from error


def on_the_way() -> None:
    try:
        cause()
    except KeyError:
        raise ValueError("54321")  # noqa: B904 - the chain that nobody asked for is what is tested


def instead() -> None:
    try:
        cause()
    except KeyError:
        raise ValueError("54321") from None


def caught(function: object) -> str:
    assert callable(function)
    with pytest.raises(ValueError, match="54321") as raised:
        function()
    return where(raised.value)


@pytest.mark.parametrize("function", [of_its_own, on_the_way])
def test_the_cause_comes_first_and_each_says_its_place_and_class(function: object) -> None:
    text = caught(function)
    first, second = text.split("\nwhich led to:\n")
    assert first.endswith("KeyError")
    assert "in cause\n" in first
    assert second.endswith("ValueError")
    assert "test_faults.py" in second


def test_a_cause_that_was_put_aside_stays_aside() -> None:
    assert "KeyError" not in caught(instead)


@pytest.mark.parametrize("function", [of_its_own, on_the_way, instead])
def test_no_message_is_repeated(function: object) -> None:
    """The lines of code are: what stands in them is public."""
    lines = caught(function).splitlines()
    code = {'raise KeyError("Zaphodine")', 'raise ValueError("54321")'}
    said = [line for line in lines if not any(one in line for one in code)]
    assert not [line for line in said if "Zaphodine" in line or "54321" in line]


def test_faults_that_stand_behind_each_other_are_told_once_each() -> None:
    """As where one came out of another thread, and was raised again while it was handled."""
    first, second = LookupError("Ada"), ValueError("Ada")
    first.__cause__, second.__cause__ = second, first
    assert where(first) == "ValueError\nwhich led to:\nLookupError"
