"""Keyed names for what must not be written down: card tags and digests (P12).

A card number has only 65,536 values, so a plain hash of it hides nothing: whoever holds a log
could try them all. Everything here is an HMAC-SHA256 under the site's key (§7), equal for equal
things of one site, and without that key as good as noise.
"""

import hashlib
import hmac
from typing import Final

from door_sync.core.cards import CardNumber, CardToken

KEY_BYTES: Final = 32
"""How long a site's key is."""

DIGEST_DIGITS: Final = 32
"""Hex digits of a digest: 128 bits, so that no two things of a site share one by chance."""

TAG_DIGITS: Final = 6
"""Hex digits of a card's tag: short enough to be read out, 1 in 16 million to be confused."""

Part = str | int | CardNumber | CardToken
"""What a digest can be made of; numbers and tokens are handed in whole, without `reveal()`."""


def card_tag(key: bytes, number: CardNumber) -> str:
    """Return the 6 hex digits that stand for this card wherever a card is written (P12)."""
    return digest(key, "card tag", number)[:TAG_DIGITS]


def digest(key: bytes, domain: str, *parts: Part) -> str:
    """Given what kind of thing it is and its parts, return 32 hex digits that stand for it.

    Things of different domains never meet: a number remembered as an `import` tells nothing about
    the same number as an `alias`. Each part carries its length, so that ("1", "23") and
    ("12", "3") differ; an integer or card number counts as its decimal text. Texts are taken as
    they are: trim and fold the case before. Raise ValueError if the key has not 32 bytes.
    """
    if len(key) != KEY_BYTES:
        raise ValueError(f"a site's key has {KEY_BYTES} bytes")
    message = hmac.new(key, digestmod=hashlib.sha256)
    for text in (domain, *map(_text, parts)):
        # Lone surrogates can stand in a JSON string; they must not stop a cycle.
        encoded = text.encode("utf-8", "surrogatepass")
        message.update(len(encoded).to_bytes(8, "big") + encoded)
    return message.hexdigest()[:DIGEST_DIGITS]


def _text(part: Part) -> str:
    if isinstance(part, CardNumber | CardToken):
        return str(part.reveal())
    return str(part)
