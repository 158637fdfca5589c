"""What was told, kept at the end of the flag while the journal cannot keep it (P14).

A cycle started by a timer remembers nothing of the one before. Without these lines it would send
the same mail every ten minutes while the disk is full.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Final

from door_sync.core.causes import Cause, Identity, Standing
from door_sync.notify.wording import TITLES

_HEADING: Final = "Told so far, kept here until the journal can be used again:"
_LINE: Final = re.compile(
    r"^- (?P<identity>[a-z ]+); began (?P<began>\S+); cycles (?P<failures>\d{1,9}); "
    r"told (?P<announced>\S+); last told (?P<reminded>\S+)(?P<over>; over)?$",
    re.MULTILINE,
)
_END: Final = re.compile(
    r"^- (?P<identity>[a-z ]+); its end was told (?P<at>\S+)$",
    re.MULTILINE,
)
_NEVER: Final = "never"


def trailer(standing: Iterable[Standing], ended: Mapping[Identity, datetime] | None = None) -> str:
    """Return the last lines of a flag for what stands, and for when the end of other causes was
    told; "" if there is neither."""
    lines = [
        f"- {one.identity.value}; began {one.began.isoformat()}; cycles {one.failures}; "
        f"told {_text(one.announced)}; last told {_text(one.reminded)}"
        + ("; over" if one.is_over else "")
        for one in standing
    ]
    lines += [
        f"- {identity.value}; its end was told {at.isoformat()}"
        for identity, at in (ended or {}).items()
    ]
    return "\n".join(["", _HEADING, *lines, ""]) if lines else ""


def read_trailer(flag: str) -> tuple[Standing, ...]:
    """Return what stands according to the last lines of a flag; none where it has no such lines.

    A line that cannot be understood is passed over. Of the cause itself the title is left.
    """
    found = []
    for line in _LINE.finditer(_last_lines(flag)):
        with suppress(ValueError):
            found.append(_standing(line))
    return tuple(found)


def read_endings(flag: str) -> dict[Identity, datetime]:
    """Return the causes whose end was told, and when, likewise."""
    found = {}
    for line in _END.finditer(_last_lines(flag)):
        with suppress(ValueError):
            found[Identity(line["identity"])] = _moment(line["at"])
    return found


def _last_lines(flag: str) -> str:
    _, heading, end = flag.rpartition(_HEADING)
    return end if heading else ""


def _standing(line: re.Match[str]) -> Standing:
    identity = Identity(line["identity"])
    title = TITLES[identity]
    return Standing(
        Cause(identity, f"{title[0].upper()}{title[1:]}.", "See the report of the cycle.", ""),
        began=_moment(line["began"]),
        failures=int(line["failures"]),
        announced=_moment_or_none(line["announced"]),
        reminded=_moment_or_none(line["reminded"]),
        is_over=line["over"] is not None,
    )


def _text(moment: datetime | None) -> str:
    return _NEVER if moment is None else moment.isoformat()


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment


def _moment_or_none(text: str) -> datetime | None:
    return None if text == _NEVER else _moment(text)
