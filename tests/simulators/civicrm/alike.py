"""Whether an answer is alike to a recorded one.

Compared are the keys of the envelope in order and their types, whether there are rows at all, the
keys of rows in order and the types of their values, and the kind of error: the whole object but
for its random id. Not compared is what the rows say about people.
"""

import html
import json
import re
from typing import Any


def compare(recorded: Any, text: str, *, is_cut: bool = False) -> None:
    """Compare a recorded body, whole or cut, parsed or not, with the text that came."""
    if isinstance(recorded, str):
        if recorded.startswith("{"):
            try:
                recorded = json.loads(recorded)
            except ValueError:
                _compare_beginning(recorded, text)
                return
        else:
            _compare_text(recorded, text)
            return
    ours = json.loads(text)
    if isinstance(recorded, list):
        assert isinstance(ours, list)
        assert len(ours) == len(recorded)
        for theirs, mine in zip(recorded, ours, strict=True):
            _compare_part(theirs, mine, is_cut=is_cut)
    elif {"values", "error_code", "status_code", "code"} & recorded.keys():
        _compare_part(recorded, ours, is_cut=is_cut)
    else:
        assert list(ours) == list(recorded)
        for name, theirs in recorded.items():
            _compare_part(theirs, ours[name], is_cut=is_cut)


def _compare_part(theirs: dict[str, Any], ours: dict[str, Any], *, is_cut: bool) -> None:
    assert list(ours) == list(theirs)
    if "values" not in theirs:
        assert _without_id(ours) == _without_id(theirs)
        return
    for key in ("entity", "action", "debug", "version"):
        assert ours[key] == theirs[key]
    for key in ("count", "countFetched", "countMatched"):
        assert type(ours.get(key)) is type(theirs.get(key))
    assert type(ours["values"]) is type(theirs["values"])
    their_rows, our_rows = _rows(theirs["values"]), _rows(ours["values"])
    assert bool(our_rows) == bool(their_rows)
    assert _key_lists(their_rows) <= _key_lists(our_rows)
    if not is_cut:
        assert _key_lists(our_rows) <= _key_lists(their_rows)
    _compare_types(their_rows, our_rows)


def _rows(values: Any) -> list[dict[str, Any]]:
    if isinstance(values, list):
        return values
    rows = list(values.values())
    return rows if rows and isinstance(rows[0], dict) else [values]


def _key_lists(rows: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    return {tuple(row) for row in rows}


def _compare_types(theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> None:
    for key in {key for row in theirs for key in row}:
        expected = {type(row[key]) for row in theirs if row.get(key) is not None}
        found = {type(row[key]) for row in ours if row.get(key) is not None}
        if expected and found:
            assert found <= expected, f"{key}: {expected} recorded, {found} here"


def _compare_beginning(recorded: str, text: str) -> None:
    """Compare an answer that was cut when it was written down, key by key as far as it goes."""
    keys = re.findall(r'"([\w.:]+)":', recorded.rpartition(",")[0])
    assert re.findall(r'"([\w.:]+)":', text)[: len(keys)] == keys


def _compare_text(recorded: str, text: str) -> None:
    shown = recorded.removeprefix("[HTML page] ").removesuffix("[cut]").strip()
    words = re.sub(r"errorID:\S+", "errorID:", shown).split(" Return home")[0]
    ours = re.sub(r"errorID:\S+?(?=<|\s)", "errorID:", text)
    ours = re.sub(r"<style>.*</style>", "", ours, flags=re.DOTALL)
    assert _plain(words) in _plain(re.sub(r"<[^>]*>", " ", ours))


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", html.unescape(text).lower()).strip()


def _without_id(error: dict[str, Any]) -> dict[str, Any]:
    hidden = r"\b[A-Za-z0-9]{4}(-[A-Za-z0-9]{4}){2}\b"
    return {
        key: re.sub(hidden, "ID", value) if isinstance(value, str) else value
        for key, value in error.items()
    }
