"""Checks of single answers: each returns the answer in its one form, or raises Wrong."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from door_sync.app.setting_up.question import Question, Wrong
from door_sync.ports import DoorSyncError

Answer = TypeVar("Answer")


def as_setting(kind: Any) -> Callable[[str], str]:
    """Return the check for a key of config.toml that is a text of this kind (`settings.fields`)."""
    adapter: TypeAdapter[str] = TypeAdapter(kind)

    def check(text: str) -> str:
        failure: Wrong
        try:
            return adapter.validate_python(text)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            said = first.get("ctx", {})
            failure = Wrong(said.get("problem", first["msg"]), said.get("remedy", ""))
        raise failure

    return check


def as_address(check: Callable[[str], str]) -> Callable[[str], str]:
    """Return a check for an address, which begins with https:// unless it says otherwise."""

    def checked(text: str) -> str:
        whole = text if "://" in text or not text else f"https://{text}"
        failure: Wrong
        try:
            return check(whole.rstrip("/"))
        except PydanticCustomError as error:
            said = error.context or {}
            failure = Wrong(str(said.get("problem", "")), str(said.get("remedy", "")))
        raise failure

    return checked


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return the check for a whole number in a range."""

    def check(text: str) -> int:
        if text.isascii() and text.isdigit() and low <= int(text[:9]) <= high:
            return int(text)
        raise Wrong(f"must be a whole number from {low} to {high}")

    return check


def one_of(question: Question) -> Callable[[str], str]:
    """Return the check for a question with choices."""
    return lambda text: picked(text.lower(), question.choices)


def picked(text: str, options: Sequence[str]) -> str:
    """Given one of these options, its place in the list counted from 1, or its name in other upper
    and lower case, return it; raise Wrong."""
    if text in options:
        return text
    alike = [option for option in options if option.casefold() == text.casefold()]
    if len(alike) == 1:
        return alike[0]
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= len(options):
        return options[int(text) - 1]
    raise Wrong("is none of the choices", f"Choose from: {', '.join(options)}.")


def key_text(text: str) -> str:
    """Return a key or token as it may stand in a header; raise Wrong."""
    if not text:
        raise Wrong("is empty", "Paste it again: nothing shows while you do.")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise Wrong("has characters that no key has", "Copy it again, whole and without blanks.")
    return text


def line_text(text: str) -> str:
    """Return a secret that must only be one line; raise Wrong."""
    if not text.isprintable():
        raise Wrong("has characters that do not show", "Copy it again, as one line.")
    return text


def answered_by(ask: Callable[[], Answer]) -> Answer:
    """Return what a question to the other side gives; raise Wrong for any trouble with it."""
    failure: Wrong
    try:
        return ask()
    except DoorSyncError as error:
        failure = Wrong(error.message, error.remedy)
    raise failure
