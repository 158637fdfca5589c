"""P12: the marks of a club's people, looked for in everything that door-sync wrote or said."""

import re
from collections.abc import Iterable

from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN
from tests.club import FACILITY, Club
from tests.properties.happenings import FULL_WIDTH, MARKS, NUMBERS, STAYING

_NUMBERS = (*NUMBERS, STAYING)
_SPELLINGS = {f"{one}" for one in _NUMBERS}
_SPELLINGS |= {f"{one % 10_000}" for one in _NUMBERS}
_SPELLINGS |= {f"0*{one}" for one in _NUMBERS}
_SPELLINGS |= {f"{FACILITY << 16 | one:X}" for one in _NUMBERS}
# Not inside of a digest, an id or a moment, where it stands by chance.
_NUMBER = re.compile(
    rf"(?<![0-9a-f])(?<![0-9a-f]-)(?<![0-9]\.)(?:{'|'.join(sorted(_SPELLINGS))})(?!-?[0-9a-f])".encode(),
    re.IGNORECASE,
)
_MARK = re.compile("|".join((*MARKS, "sync-[0-9]", FULL_WIDTH)).encode(), re.IGNORECASE)


def check_for_leaks(club: Club, said: Iterable[tuple[str, bytes]]) -> None:
    """Look for names, addresses, card numbers, aliases, tokens and keys in these texts."""
    secrets = [card.token.encode() for card in club.unifi.world.cards]
    secrets += [DEFAULT_TOKEN.encode(), club.civicrm.world.secret_of("full").encode()]
    for where, text in said:
        content = text
        for server in (club.civicrm_server, club.unifi_server):  # whose port may be any number
            content = content.replace(server.url.encode(), b"")
        for pattern in (_NUMBER, _MARK):
            found = pattern.search(content)
            assert found is None, f"P12: {found[0]!r} in {where}: {_around(content, found)!r}"
        for secret in secrets:
            assert secret not in content, f"P12: a token or key in {where}"


def _around(content: bytes, found: re.Match[bytes]) -> bytes:
    return content[max(0, found.start() - 60) : found.end() + 60]
