"""Every parser of what comes from outside, against answers and files that were changed.

The same targets as `make fuzz` has (fuzz/catalogue.py), without coverage to guide them: documented
errors alone come out, with a message that can be shown and tells nothing private; what is read
holds its invariants, and reads the same again.
"""

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.catalogue import CATALOGUE
from fuzz.mutation import mutated
from tests.thorough import THOROUGH

EXAMPLES = 2_000 if THOROUGH else 120
SLOW = {"config": 10, "audit": 4, "answers": 4}
"""Targets of which an example costs more, and by how much fewer there are."""

ran: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def _told() -> Iterator[None]:
    yield
    if THOROUGH:
        for name, examples in ran.items():
            print(f"hostile parsers: {name:10} {examples:7,} changed inputs, none with a finding")


@pytest.mark.parametrize("name", CATALOGUE)
def test_what_is_good_is_taken_as_such(name: str) -> None:
    """Where the changes begin: else every change would be refused for the same reason."""
    for seed in CATALOGUE[name].seeds():
        CATALOGUE[name].run(seed)


@pytest.mark.parametrize("name", CATALOGUE)
def test_whatever_comes_is_read_or_refused_in_words(name: str) -> None:
    target = CATALOGUE[name]
    seeds = target.seeds()

    @settings(
        max_examples=max(10, EXAMPLES // SLOW.get(name, 1)),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(seeds), st.integers(0, 2**32), st.integers(0, 3))
    def check(seed: bytes, number: int, bytewise: int) -> None:
        chance = random.Random(number)
        ran[name] += 1
        target.run(mutated(seed, chance) if bytewise == 3 else target.change(seed, chance))

    check()


@pytest.mark.parametrize("name", CATALOGUE)
@given(st.binary(max_size=300))
@settings(max_examples=300 if THOROUGH else 25, deadline=None, database=None)
def test_so_is_what_is_nothing_but_noise(name: str, data: bytes) -> None:
    CATALOGUE[name].run(data)
