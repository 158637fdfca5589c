"""What is proposed, from what was found: pure, and always only a proposal that a person confirms.

Where nothing speaks for an answer there is no proposal: a guess must not open a door.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from door_sync.app.setting_up.question import UNMAPPED
from door_sync.civicrm.survey import FieldFound, StatusFound, TypeFound
from door_sync.core.controller import Policy

_DAY_WORDS: Final = frozenset({"day", "daypass", "guest", "visitor", "trial", "dropin", "once"})
_NO_ACCESS_WORDS: Final = frozenset(
    {"supporter", "sponsor", "donor", "patron", "passive", "newsletter", "honorary", "alumni"}
)
_EMPTY_WORDS: Final = frozenset(
    {"access", "and", "door", "doors", "hours", "member", "members", "membership", "only", "policy"}
)
_CARD_WORDS: Final = re.compile(r"card|badge|nfc|rfid|fob|tag|key|token", re.IGNORECASE)
_ALIKE: Final = 0.6
_MOST: Final = 0.5

RANK_STEP: Final = 10


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a membership type may be worth. `resolution` is empty where nothing speaks for one."""

    type_name: str
    resolution: str
    policy: Policy | None
    rank: int

    @property
    def is_decided(self) -> bool:
        """Whether it needs no answer any more."""
        return self.resolution != ""


def proposed_rules(types: Sequence[TypeFound], policies: Sequence[Policy]) -> tuple[Proposal, ...]:
    """Return a proposal for each type, in the given order.

    A name that speaks of single days is a day pass, one that speaks of support gives no access;
    otherwise the policy whose name is most alike is proposed, if any is alike enough. A type
    that is switched off and that nobody has needs no rule. The dearest type ranks highest, then
    what CiviCRM lists first (its weight is the lowest). Day passes rank below all others, so
    that buying one takes nothing away from a member.
    """
    ranks = _ranks(types)
    return tuple(_proposal(one, policies, ranks[one.name]) for one in types)


def _ranks(types: Sequence[TypeFound]) -> dict[str, int]:
    last_first = [*types][::-1]
    upwards = sorted(last_first, key=lambda one: (not _is_for_days(one), one.fee, -one.weight))
    return {one.name: RANK_STEP * place for place, one in enumerate(upwards, start=1)}


def _proposal(one: TypeFound, policies: Sequence[Policy], rank: int) -> Proposal:
    if not one.is_active and one.members == 0:
        return Proposal(one.name, UNMAPPED, None, 0)
    policy = alike(one, policies)
    if _is_for_days(one):
        return Proposal(one.name, "day-pass", None, rank)
    if policy is not None:
        return Proposal(one.name, "tier", policy, rank)
    if _all_words(one) & _NO_ACCESS_WORDS:
        return Proposal(one.name, "none", None, 0)
    return Proposal(one.name, "", None, rank)


def _is_for_days(one: TypeFound) -> bool:
    return bool(_all_words(one) & _DAY_WORDS)


def _all_words(one: TypeFound) -> frozenset[str]:
    return _words(one.name) | _words(one.label)


def alike(one: TypeFound, policies: Sequence[Policy]) -> Policy | None:
    """Return the policy whose name is most like that of a type; None if none or several are."""
    scores = [(max(_score(one.name, p.name), _score(one.label, p.name)), p) for p in policies]
    best = max((score for score, _ in scores), default=0.0)
    found = [policy for score, policy in scores if score == best]
    return found[0] if best >= _ALIKE and len(found) == 1 else None


def _score(name: str, policy: str) -> float:
    mine, theirs = _words(name) - _EMPTY_WORDS, _words(policy) - _EMPTY_WORDS
    if not mine or not theirs:
        return 0.0
    shared = len(mine & theirs) / len(mine)
    spelt = difflib.SequenceMatcher(None, " ".join(sorted(mine)), " ".join(sorted(theirs))).ratio()
    return max(shared, spelt)


def _words(text: str) -> frozenset[str]:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return frozenset(re.findall(r"[a-z0-9]+", plain.replace("drop-in", "dropin")))


def reference(policy: Policy, policies: Sequence[Policy]) -> str:
    """Return how a rule names a policy: by its name, or by its id if the name would not do."""
    same = [one for one in policies if policy.name in (one.name, one.id)]
    name = policy.name
    usable = name != "" and name == name.strip() and name.isprintable()
    return policy.name if usable and len(same) == 1 else policy.id


def card_fields(fields: Iterable[FieldFound]) -> tuple[FieldFound, ...]:
    """Return the fields, the one that looks most like a card number first."""
    return tuple(sorted(fields, key=lambda one: (-_looks_like_a_card(one), one.name)))


def likely_card_field(ranked: Sequence[FieldFound]) -> FieldFound | None:
    """Return the first of ranked fields, if it looks like a card number and no other as much."""
    if not ranked or _looks_like_a_card(ranked[0]) < 1:
        return None
    others = map(_looks_like_a_card, ranked[1:])
    return None if _looks_like_a_card(ranked[0]) in others else ranked[0]


def _looks_like_a_card(one: FieldFound) -> float:
    named = 1.0 if _CARD_WORDS.search(one.name) or _CARD_WORDS.search(one.label) else 0.0
    share = one.numbers / one.seen if one.seen else 0.0
    if one.seen and share < _MOST:
        return 0.0  # whatever it is called: most of what stands there is no card number
    return named + share


def active_statuses(found: Sequence[StatusFound]) -> tuple[str, ...]:
    """Return the statuses with which CiviCRM itself counts somebody as a member."""
    return tuple(one.name for one in found if one.is_current)


def facility(found: Sequence[tuple[int, int]]) -> int | None:
    """Return the facility code that most cards carry; None if no card tells, or two as often."""
    if not found or (len(found) > 1 and found[0][1] == found[1][1]):
        return None
    return found[0][0]
