"""What a person confirmed, as words on the command line or as a file."""

import json
from collections.abc import Iterator
from pathlib import Path

import click

from door_sync.app.adopting import Confirmed
from door_sync.core.controller import UserId
from door_sync.core.people import contact_of
from door_sync.files import ops_file_errors

LARGEST_FILE = 16 << 20


def confirmed_pair(text: str) -> Confirmed:
    """Return the pair that `USER=CONTACT` names; raise click.UsageError otherwise."""
    user_id, equals, number = (part.strip() for part in text.partition("="))
    contact_id = contact_of(number)
    if not equals or not user_id or contact_id is None:
        raise click.UsageError(
            "a link is named USER=CONTACT: the user's id as `door-sync adopt --list` shows it, and "
            "a contact id"
        )
    return Confirmed(UserId(user_id), contact_id)


def read_answers(path: Path) -> tuple[Confirmed, ...]:
    """Return the pairs that a file confirms; raise click.UsageError or OpsFileError.

    It holds lines `USER=CONTACT`, blank lines and comments (#), or the JSON that
    `door-sync adopt --list --json` prints, in which `confirmed` was set to true where it is so.
    """
    with ops_file_errors(path, "read"), path.open("rb") as file:
        raw = file.read(LARGEST_FILE)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise click.UsageError(f"{path} is no text in UTF-8") from None
    if text.lstrip().startswith(("{", "[")):
        return tuple(_from_json(text, path))
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(confirmed_pair(line) for line in lines if line)


def _from_json(text: str, path: Path) -> Iterator[Confirmed]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise click.UsageError(f"{path} begins like JSON and is none") from None
    rows = document.get("pairs") if isinstance(document, dict) else document
    if not isinstance(rows, list):
        raise click.UsageError(f"{path} holds no list of pairs")
    for row in rows:
        match row:
            case {"confirmed": True, "user": str(user_id), "contact": contact_id, **more}:
                number = contact_of(str(contact_id))
                seen = more.get("seen", "")
                if number is None or not isinstance(seen, str):
                    raise click.UsageError(f"{path} holds a pair without a contact id")
                yield Confirmed(UserId(user_id), number, seen)
            case {"confirmed": False}:
                continue
            case _:
                raise click.UsageError(
                    f"{path} holds something that is no pair: each has `user`, `contact`, and "
                    "`confirmed`, which is true or false"
                )
