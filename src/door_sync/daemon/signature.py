"""Whether a call of the trigger comes from somebody who knows TRIGGER_SECRET, and is new.

The signature is HMAC-SHA256 over the timestamp as it stands in its header, a full stop, and the
body, in hex. Pure, but for what was seen before.
"""

import hashlib
import hmac
import re
from enum import Enum
from typing import Final

TIMESTAMP_HEADER: Final = "X-Door-Sync-Timestamp"
SIGNATURE_HEADER: Final = "X-Door-Sync-Signature"

WINDOW_SECONDS: Final = 300
"""How far a call's timestamp may be from this machine's clock."""

_MOST_REMEMBERED: Final = 10_000
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class Refusal(Enum):
    """Why a call is refused. The log says it, the caller is never told."""

    UNSIGNED = "no timestamp or no signature"
    FORGED = "another signature: look whether both sides have the same TRIGGER_SECRET"
    STALE = "a timestamp more than 5 minutes off: look at both clocks"
    REPLAYED = "a call that came before: put something into the body that is new each time"
    TOO_LARGE = "a body that is too large"
    TOO_MANY = "more calls in 5 minutes than can be remembered"


class Gate:
    """Lets signed, new calls pass. For one thread at a time."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._seen: dict[str, int] = {}

    def refusal(self, timestamp: str, signature: str, body: bytes, now: float) -> Refusal | None:
        """Return why this call is refused; None if it may pass, once. `now` is Unix time."""
        if not timestamp or not signature:
            return Refusal.UNSIGNED
        expected = signed(self._secret, timestamp, body)
        # Bytes, for a header may hold letters that compare_digest takes in no text.
        if not hmac.compare_digest(expected.encode(), signature.strip().lower().encode()):
            return Refusal.FORGED
        if not _TIMESTAMP.fullmatch(timestamp) or abs(now - int(timestamp)) > WINDOW_SECONDS:
            return Refusal.STALE
        self._seen = {one: at for one, at in self._seen.items() if abs(now - at) <= WINDOW_SECONDS}
        if expected in self._seen:
            return Refusal.REPLAYED
        if len(self._seen) >= _MOST_REMEMBERED:
            return Refusal.TOO_MANY
        self._seen[expected] = int(timestamp)
        return None


def signed(secret: bytes, timestamp: str, body: bytes) -> str:
    """Return the signature of a call."""
    message = timestamp.encode("utf-8", "surrogateescape") + b"." + body
    return hmac.new(secret, message, hashlib.sha256).hexdigest()
