"""Which calls of the trigger may pass: signed, of this moment, and new."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from door_sync.daemon.signature import WINDOW_SECONDS, Gate, Refusal

SECRET = "0123456789abcdef" * 2
NOW = 1_795_000_000.0
BODY = b'{"nonce": 1}'


def sign(timestamp: str, body: bytes = BODY, secret: str = SECRET) -> str:
    """As openssl does it."""
    return hmac.digest(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hex()


def test_the_signature_is_that_of_the_handbooks_example() -> None:
    """printf '%s' '1795000000.{"nonce": 1}' | openssl dgst -sha256 -hmac SECRET, computed once."""
    assert Gate(SECRET).refusal("1795000000", sign("1795000000"), BODY, NOW) is None
    assert Gate(SECRET).refusal("1795000000", f" {sign('1795000000').upper()} ", BODY, NOW) is None


@pytest.mark.parametrize("off", [-WINDOW_SECONDS, -1, 0, 1, WINDOW_SECONDS])
def test_a_call_within_the_window_may_pass(off: int) -> None:
    stamp = str(int(NOW) + off)
    assert Gate(SECRET).refusal(stamp, sign(stamp), BODY, NOW) is None


@pytest.mark.parametrize(
    "stamp", [str(int(NOW) - 301), str(int(NOW) + 301), "0", "9" * 12, "9" * 400, "-5", "1e9", "١"]
)
def test_one_of_another_time_may_not_though_it_is_signed(stamp: str) -> None:
    assert Gate(SECRET).refusal(stamp, sign(stamp), BODY, NOW) is Refusal.STALE


def test_the_same_call_passes_once_and_with_another_body_again() -> None:
    gate, stamp = Gate(SECRET), str(int(NOW))
    assert gate.refusal(stamp, sign(stamp), BODY, NOW) is None
    assert gate.refusal(stamp, sign(stamp), BODY, NOW) is Refusal.REPLAYED
    assert gate.refusal(stamp, sign(stamp).upper(), BODY, NOW + 299) is Refusal.REPLAYED
    assert gate.refusal(stamp, sign(stamp), BODY, NOW + 301) is Refusal.STALE
    assert gate.refusal(stamp, sign(stamp, b"other"), b"other", NOW) is None


def test_one_from_the_near_future_cannot_be_played_again_when_its_time_comes() -> None:
    gate, stamp = Gate(SECRET), str(int(NOW) + 300)
    assert gate.refusal(stamp, sign(stamp), BODY, NOW) is None
    assert gate.refusal(stamp, sign(stamp), BODY, NOW + 590) is Refusal.REPLAYED


@given(st.text(max_size=80), st.text(max_size=80), st.binary(max_size=50))
def test_whatever_is_sent_without_the_secret_is_refused(
    stamp: str, signature: str, body: bytes
) -> None:
    assert Gate(SECRET).refusal(stamp, signature, body, NOW) in {Refusal.UNSIGNED, Refusal.FORGED}


@pytest.mark.parametrize(("stamp", "signature"), [("", "x"), ("1795000000", ""), ("", "")])
def test_without_headers_nothing_is_compared(stamp: str, signature: str) -> None:
    assert Gate(SECRET).refusal(stamp, signature, BODY, NOW) is Refusal.UNSIGNED


def test_another_secret_body_or_time_is_another_signature() -> None:
    gate, stamp = Gate(SECRET), str(int(NOW))
    wrong = [sign(stamp, secret="another secret"), sign(stamp, b"other"), sign("1795000001")]
    assert {gate.refusal(stamp, one, BODY, NOW) for one in wrong} == {Refusal.FORGED}


def test_what_it_remembers_is_bounded_and_gets_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("door_sync.daemon.signature._MOST_REMEMBERED", 3)
    gate, stamp, later = Gate(SECRET), str(int(NOW)), str(int(NOW) + 400)
    calls = [gate.refusal(stamp, sign(stamp, bytes([n])), bytes([n]), NOW) for n in range(4)]
    assert calls == [None, None, None, Refusal.TOO_MANY]
    assert gate.refusal(later, sign(later), BODY, NOW + 400) is None
