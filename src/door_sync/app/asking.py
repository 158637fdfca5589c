"""Who asks: the login name that the journal keeps beside a person's word (§6)."""

import os
import pwd
from collections.abc import Mapping
from typing import Final

LONGEST_NAME: Final = 64


def who_asks(environment: Mapping[str, str]) -> str:
    """Return the login name of whoever runs this command; with `sudo` the person behind it.

    It works without a terminal and for a user that has no name, whose number is told then.
    """
    own = _own_name()
    behind = _printable(environment.get("SUDO_USER", ""))
    return f"{behind} (by sudo as {own})" if behind and behind != own else own


def _own_name() -> str:
    # Not getpass.getuser(): that believes LOGNAME, which anybody may set to anything.
    number = os.getuid()
    try:
        return _printable(pwd.getpwuid(number).pw_name) or f"user {number}"
    except KeyError:
        return f"user {number}"


def _printable(name: str) -> str:
    return "".join(letter for letter in name if letter.isprintable())[:LONGEST_NAME]
