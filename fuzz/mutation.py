"""Changes to an answer that keep most of its shape: what a faulty or hostile server would send.

Bytes turned over at random are hardly ever JSON. These changes are made to the parsed document, so
that they get past the parser and to the checks behind it; the last kinds spoil the text itself.
"""

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any, Final

Place = tuple[Any, Any]
"""A list or an object of a document, and the index or key in it."""

STRANGE_VALUES: Final[tuple[object, ...]] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    42,
    2**31,
    2**32,
    2**53 + 1,
    2**64,
    10**18,
    10**400,
    1.5,
    -0.0,
    1e308,
    "",
    " ",
    "0",
    "1",
    "-1",
    "1e5",
    "NaN",
    "true",
    "null",
    "SUCCESS",
    "CODE_NOT_FOUND",
    "CODE_SYSTEM_ERROR",
    "0000-00-00",
    "2026-13-45",
    "9999-12-31T23:59:59.999999-23:59",
    "0001-01-01T00:00:00+23:59",
    "\ud800",
    "\udfff\ud800",
    "\x00",
    "a\x00b",
    "\x1b[31m",
    "\u202e\u2066",
    "\ufeff",
    "\u0660\u0661\u0662",
    "٣",
    "\r\nX: y",
    "../../etc",
    "%00",
    "A" * 300,
    "9" * 5000,
    "f" * 5000,
    [],
    {},
    [[]],
    [None],
    [{}],
    {"": None},
    {"id": {}},
    {"code": []},
)
"""Values of every type, and those of each type that programs stumble over."""

_NUMBERS: Final = ("1e400", "-1e400", "1" + "0" * 5000, "NaN", "Infinity", "-Infinity", "0.1e-999")
_DEEP: Final = 100_000


def mutated(body: bytes, chance: random.Random) -> bytes:
    """Given an answer, return it with one to four changes; text that is no JSON is cut or torn."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return _torn(body, chance)
    for _ in range(chance.randint(1, 4)):
        places = list(_places(document))
        if not places:
            return _torn(body, chance)
        chance.choice(_CHANGES)(document, chance.choice(places), chance)
    try:
        text = json.dumps(document)
    except (ValueError, RecursionError):
        return _torn(body, chance)
    return chance.choice(_SPELLINGS)(text, chance)


def _places(document: Any) -> Iterator[Place]:
    waiting = [document]
    for _ in range(5000):
        if not waiting:
            return
        inner = waiting.pop()
        match inner:
            case dict():
                for key in inner:
                    yield inner, key
                waiting += inner.values()
            case list():
                for index in range(len(inner)):
                    yield inner, index
                waiting += inner


def _replace(_document: Any, place: Place, chance: random.Random) -> None:
    inside, key = place
    inside[key] = copy.deepcopy(chance.choice(STRANGE_VALUES))


def _retype(_document: Any, place: Place, chance: random.Random) -> None:
    """Let a value be of another type that looks alike: 7 and "7", a row and a list of it."""
    inside, key = place
    match inside[key]:
        case bool(value):
            inside[key] = chance.choice([str(value), int(value), None])
        case int(value):
            inside[key] = chance.choice([str(value), float(value % 2**60), -value, value + 1])
        case str(value):
            inside[key] = chance.choice([[value], {"value": value}, value * 2, ascii(value)])
        case value:
            inside[key] = chance.choice([[value], str(value)[:1000]])


def _drop(_document: Any, place: Place, _chance: random.Random) -> None:
    inside, key = place
    if isinstance(inside, dict):
        inside.pop(key, None)
    elif key < len(inside):
        del inside[key]


def _repeat(_document: Any, place: Place, chance: random.Random) -> None:
    inside, key = place
    if isinstance(inside, list) and key < len(inside):
        inside += [copy.deepcopy(inside[key])] * chance.choice([1, 2, 50])
    elif isinstance(inside, dict):
        inside[f"{key}2"] = copy.deepcopy(inside.get(key))


def _move(document: Any, place: Place, chance: random.Random) -> None:
    """Put a piece of the document to where another one is."""
    inside, key = place
    other, from_key = chance.choice(list(_places(document)) or [place])
    if isinstance(other, dict) or from_key < len(other):
        inside[key] = copy.deepcopy(other[from_key])


def _rename(_document: Any, place: Place, chance: random.Random) -> None:
    inside, key = place
    if isinstance(inside, dict) and key in inside:
        inside[chance.choice([key.upper(), f"{key} ", "", "__proto__", "id"])] = inside.pop(key)


def _shuffle(_document: Any, place: Place, chance: random.Random) -> None:
    inside, _ = place
    if isinstance(inside, list):
        chance.shuffle(inside)


_CHANGES: Final[tuple[Callable[[Any, Place, random.Random], None], ...]] = (
    _replace,
    _replace,
    _replace,
    _retype,
    _retype,
    _drop,
    _drop,
    _repeat,
    _move,
    _rename,
    _shuffle,
)


def _plain(text: str, _chance: random.Random) -> bytes:
    return text.encode()


def _huge_number(text: str, chance: random.Random) -> bytes:
    """Write a number for another one that JSON allows and nobody can hold, or does not allow."""
    spot = chance.randrange(len(text))
    digits = next((at for at in range(spot, len(text)) if text[at].isdigit()), None)
    if digits is None:
        return text.encode()
    return f"{text[:digits]}{chance.choice(_NUMBERS)}{text[digits + 1 :]}".encode()


def _nested(text: str, chance: random.Random) -> bytes:
    depth = chance.choice([10, 500, 990, 5000, _DEEP])
    opening, closing = chance.choice([("[", "]"), ('{"a":', "}")])
    spot = text.find(":") + 1
    inner = opening * depth + "1" + closing * depth
    return f"{text[:spot]}{inner},{text[spot:]}".encode() if spot else inner.encode()


def _twice(text: str, chance: random.Random) -> bytes:
    """Let an object have one of its keys twice, with another value first or last."""
    value = json.dumps(chance.choice(STRANGE_VALUES[:30]))
    if text.startswith('{"') and '":' in text:
        key = text[1 : text.index('":') + 1]
        before = f"{{{key}:{value},{text[1:]}"
        return before.encode() if chance.random() < 0.5 else f"{text[:-1]},{key}:{value}}}".encode()
    return text.encode()


def _encoded(text: str, chance: random.Random) -> bytes:
    coding = chance.choice(["utf-8-sig", "utf-16", "utf-16-be", "utf-32", "latin-1", "cp037"])
    return text.encode(coding, "replace")


def _spoilt(text: str, chance: random.Random) -> bytes:
    return _torn(text.encode(), chance)


_SPELLINGS: Final[tuple[Callable[[str, random.Random], bytes], ...]] = (
    *(_plain,) * 12,
    _huge_number,
    _nested,
    _twice,
    _encoded,
    _spoilt,
)


def _torn(body: bytes, chance: random.Random) -> bytes:
    """Cut the text, or put something into it."""
    spot = chance.randrange(len(body) + 1)
    scrap = chance.choice(
        [
            b"",
            b"\x00",
            b"\xff\xfe",
            b"\xed\xa0\x80",
            b"<br />\nWarning: ",
            b"[" * 2000,
            b"\xef\xbb\xbf",
        ]
    )
    return chance.choice([body[:spot], body[:spot] + scrap + body[spot:], scrap + body])


SCRAPS: Final[tuple[str, ...]] = (
    "[[",
    "]]",
    "{",
    '"""',
    "'''",
    '"\\u0000"',
    '"\\uD800"',
    "\u202e",
    "\x1b[2J",
    "= 1e400",
    "= nan",
    "= -inf",
    f"= 1{'0' * 5000}",
    f"= 0x{'f' * 5000}",
    "= 1979-05-27T07:32:00Z",
    "= 07:32:00",
    "= [[[[[[[[1]]]]]]]]",
    f"= {'[' * 3000}{']' * 3000}",
    f"{'a.' * 3000}a = 1",
    f"[{'a.' * 3000}a]",
    "= {a = {b = {c = 1}}}",
    "= []",
    '= ""',
    '= "https://user:password@[::1"',
    '= "http://a:99999999999999999999/"',
    f'= "{"A" * 5000}"',
    "= true",
    "= -1",
    "[civicrm]",
    "[tier_mapping.rules.Gold]",
    "[[ops]]",
    "__proto__ = 1",
    "export ",
    "\\",
    "#",
    "\r",
    "\x00",
    "\u2028",
)
"""What tears a file of lines, or gives a key a value that nobody meant."""


def torn_lines(text: bytes, chance: random.Random) -> bytes:
    """Given a file of lines, return it with one to four of them changed."""
    lines = text.decode("utf-8", "replace").split("\n")
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(lines))
        line, scrap = lines[at], chance.choice(SCRAPS)
        spot = chance.randrange(len(line) + 1)
        key, equals, _ = line.partition("=")
        lines[at] = chance.choice(
            [
                f"{key}{scrap}" if equals and scrap.startswith("=") else scrap,
                f"{key}{scrap}" if equals and scrap.startswith("=") else line,
                line[:spot] + scrap + line[spot:],
                line[:spot],
                f"{line}\n{line}",
                chance.choice(lines),
            ]
        )
    made = "\n".join(lines)
    return made.encode(chance.choice(["utf-8"] * 8 + ["utf-16", "utf-8-sig", "latin-1"]), "replace")
