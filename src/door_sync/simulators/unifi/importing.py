"""The import of third-party cards: §10.4, rules 39 to 43."""

import csv
import io
import re
from collections.abc import Mapping, Sequence

from door_sync.simulators.unifi.calls import Call
from door_sync.simulators.unifi.envelope import PARAMS_INVALID, Refusal, Success
from door_sync.simulators.unifi.routing import Family
from door_sync.simulators.unifi.switches import Switches
from door_sync.simulators.unifi.world import World

IMPORT = Family()

_NUMBER = re.compile(r"[0-9A-Fa-f]{1,20}")  # reader numbers have 8 to 20 digits, Wiegand-26 fewer


@IMPORT.on("POST", "/credentials/nfc_cards/import", scope="edit:credential", since="3.3.10")
def import_cards(call: Call) -> Success:
    """One object per row; an empty token says that the row failed, the envelope still SUCCESS."""
    rows = _rows(call.files)
    if call.switches.bad_row == "file fails" and not _all_good(call, rows):
        raise Refusal(PARAMS_INVALID)
    answer = [_import_row(call.world, call.switches, row) for row in rows]
    if call.switches.import_answer_order == "reversed":
        answer.reverse()
    return Success(answer)


def _rows(files: Mapping[str, bytes]) -> list[list[str]]:
    """Return the rows of the part ``file``; its first row is data like the others (rule 39)."""
    try:
        text = files["file"].decode()
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except (KeyError, UnicodeDecodeError, csv.Error):
        raise Refusal(PARAMS_INVALID) from None
    if not rows:
        raise Refusal(PARAMS_INVALID)
    return rows


def _import_row(world: World, switches: Switches, row: Sequence[str]) -> dict[str, str]:
    nfc_id, alias = row[0], row[1] if len(row) == 2 else ""
    answer = {"alias": alias, "nfc_id": nfc_id, "token": ""}
    if not _is_well_formed(switches, row):
        return answer
    known = world.card_with_number(int(nfc_id, 16))
    if known is not None:
        if switches.known_card == "same token":
            answer["token"] = known.token
        return answer
    if not alias or world.card_with_alias(alias) is None:
        answer["token"] = world.add_card(nfc_id=nfc_id, alias=alias).token
    return answer


def _is_well_formed(switches: Switches, row: Sequence[str]) -> bool:
    """Whether a row is a number, perhaps with an alias; no header, no nine columns (rule 42)."""
    nfc_id = row[0]
    return (
        len(row) <= 2
        and _NUMBER.fullmatch(nfc_id) is not None
        and (nfc_id == nfc_id.upper() or switches.lower_case_nfc_id == "accepted")
        and (len(nfc_id) % 2 == 0 or switches.odd_length_nfc_id == "accepted")
    )


def _all_good(call: Call, rows: Sequence[Sequence[str]]) -> bool:
    """Whether every row would succeed, seen without importing any."""
    numbers: set[int] = set()
    aliases: set[str] = set()
    for row in rows:
        if not _is_well_formed(call.switches, row):
            return False
        number, alias = int(row[0], 16), row[1] if len(row) == 2 else ""
        known = number in numbers or call.world.card_with_number(number) is not None
        if known and call.switches.known_card == "same token":
            continue
        taken = alias in aliases or call.world.card_with_alias(alias) is not None
        if known or (alias and taken):
            return False
        numbers.add(number)
        aliases.add(alias)
    return True
