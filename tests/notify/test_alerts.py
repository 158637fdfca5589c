"""The state machine of alerts: once when it begins, reminders, once when it is over (P14)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from door_sync.core.causes import Cause, Identity, Standing
from door_sync.notify.alerts import NEEDED, Kind, Message, Policy, Sight, after_cycle, when_told

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVERYTHING = frozenset(Sight)
POLICY = Policy(after_failures=2, reminder=24 * HOUR)


def cause(identity: Identity = Identity.HELD, happened: str = "It.", **more: bool) -> Cause:
    return Cause(identity, happened, "Doors.", "Settle it.", **more)


class Site:
    """Alerts over many cycles, by a channel that takes messages unless it is broken."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.policy = policy
        self.now = NOW
        self.standing: tuple[Standing, ...] = ()
        self.is_broken = False
        self.told: list[tuple[datetime, Message]] = []

    def cycle(
        self,
        *causes: Cause,
        seen: frozenset[Sight] = EVERYTHING,
        later: timedelta = timedelta(minutes=10),
        is_early_retry: bool = False,
    ) -> list[str]:
        """Run one cycle; return the kinds of message that were due."""
        self.now += later
        self.standing, due = after_cycle(
            self.standing, causes, seen, self.now, self.policy, is_early_retry=is_early_retry
        )
        if not self.is_broken:
            for message in due:
                self.standing = when_told(self.standing, message, self.now)
                self.told.append((self.now, message))
        return [f"{one.kind.value} {one.about.identity.value}" for one in due]


def test_a_cause_is_told_when_it_begins_and_when_it_is_over_and_not_between() -> None:
    site = Site()
    assert site.cycle(cause()) == ["begin held"]
    assert [site.cycle(cause()) for _ in range(5)] == [[]] * 5
    assert site.cycle() == ["resolved held"]
    assert site.cycle() == []
    assert site.standing == ()


def test_other_details_make_no_other_cause() -> None:
    site = Site()
    site.cycle(cause(happened="Contact 7."))
    assert site.cycle(cause(happened="Contacts 7, 12.")) == []
    [one] = site.standing
    assert one.cause.happened == "Contacts 7, 12."


def test_a_reminder_comes_after_the_interval_with_the_present_details() -> None:
    site = Site()
    site.cycle(cause(happened="Contact 7."))
    assert site.cycle(cause(), later=24 * HOUR - timedelta(seconds=1)) == []
    assert site.cycle(cause(happened="Contact 9."), later=timedelta(seconds=1)) == ["reminder held"]
    assert site.told[-1][1].about.cause.happened == "Contact 9."
    assert site.cycle(cause(), later=23 * HOUR) == []
    assert site.cycle(cause(), later=HOUR) == ["reminder held"]


def test_without_an_interval_nothing_reminds() -> None:
    site = Site(replace(POLICY, reminder=None))
    site.cycle(cause())
    assert site.cycle(cause(), later=timedelta(days=400)) == []


def test_what_may_pass_is_told_in_the_second_cycle_and_never_if_it_passed() -> None:
    site = Site()
    unreachable = cause(Identity.SOURCE, may_pass=True)
    assert site.cycle(unreachable) == []
    assert site.cycle() == []
    assert site.cycle(unreachable) == []
    assert site.cycle(unreachable) == ["begin source distrusted"]
    assert site.cycle() == ["resolved source distrusted"]


def test_distrust_after_silence_is_the_same_cause_and_told_at_once() -> None:
    site = Site(replace(POLICY, after_failures=5))
    site.cycle(cause(Identity.SOURCE, may_pass=True))
    assert site.cycle(cause(Identity.SOURCE)) == ["begin source distrusted"]
    assert site.cycle(cause(Identity.SOURCE, may_pass=True)) == []


def test_silence_that_another_silence_interrupts_counts_on() -> None:
    """While CiviCRM is down nobody knows of the controller, which was silent before."""
    site = Site()
    site.cycle(cause(Identity.TARGET, may_pass=True), seen=frozenset())
    site.cycle(cause(Identity.SOURCE, may_pass=True), seen=frozenset())
    due = site.cycle(cause(Identity.TARGET, may_pass=True), seen=frozenset())
    assert due == ["begin target distrusted"]


@pytest.mark.parametrize("identity", Identity)
def test_only_a_cycle_that_could_see_it_resolves_a_cause(identity: Identity) -> None:
    for missing in NEEDED[identity]:
        site = Site()
        site.cycle(cause(identity))
        assert site.cycle(seen=EVERYTHING - {missing}, later=48 * HOUR) == []
        assert [one.identity for one in site.standing] == [identity]
        assert site.cycle(seen=NEEDED[identity]) == [f"resolved {identity.value}"]


def test_what_a_cycle_that_could_not_look_leaves_standing() -> None:
    """A table of its own, so that a row of the other does not vanish unseen."""
    unseen = {identity for identity in Identity if NEEDED[identity]}
    assert unseen == set(Identity) - {Identity.FILES, Identity.CHANNEL}
    for identity in (Identity.HELD, Identity.STALE, Identity.SOURCE, Identity.TARGET):
        assert Sight.DECISION in NEEDED[identity]
    for identity in (Identity.PEOPLE_FAILED, Identity.BLOCKED, Identity.NOT_CONVERGING):
        assert Sight.WRITES in NEEDED[identity]
    for identity in (Identity.JOURNAL, Identity.NOT_CONVERGING):
        assert Sight.JOURNAL in NEEDED[identity]


def test_a_message_that_was_not_taken_is_due_again() -> None:
    site = Site()
    site.is_broken = True
    assert site.cycle(cause()) == ["begin held"]
    assert site.cycle(cause()) == ["begin held"]
    assert site.cycle(seen=frozenset()) == ["begin held"]
    site.is_broken = False
    assert site.cycle(cause()) == ["begin held"]
    site.is_broken = True
    assert site.cycle() == ["resolved held"]
    assert site.cycle(seen=frozenset()) == ["resolved held"]
    site.is_broken = False
    assert site.cycle() == ["resolved held"]
    assert site.standing == ()


def test_what_was_never_told_has_no_end_to_tell_of() -> None:
    site = Site()
    site.is_broken = True
    site.cycle(cause())
    assert site.cycle() == []
    assert site.standing == ()


def test_a_cause_that_comes_back_before_its_end_was_told_just_goes_on() -> None:
    site = Site()
    site.cycle(cause())
    site.is_broken = True
    site.cycle()
    site.is_broken = False
    assert site.cycle(cause()) == []
    assert site.cycle() == ["resolved held"]


def test_a_clock_that_is_put_back_neither_silences_nor_floods() -> None:
    site = Site()
    site.cycle(cause())
    assert site.cycle(cause(), later=-timedelta(days=300)) == []
    assert site.cycle(cause(), later=23 * HOUR) == []
    assert site.cycle(cause(), later=HOUR) == ["reminder held"]
    assert [site.cycle(cause()) for _ in range(9)] == [[]] * 9


def test_a_clock_that_is_put_forward_reminds_once() -> None:
    site = Site()
    site.cycle(cause())
    assert site.cycle(cause(), later=timedelta(days=9000)) == ["reminder held"]
    assert site.cycle(cause()) == []


CYCLES = st.lists(
    st.tuples(
        st.sets(st.sampled_from(Identity), max_size=4),
        st.sets(st.sampled_from(Sight)),
        st.booleans(),
        st.booleans(),
        st.integers(min_value=0, max_value=30),
    ),
    max_size=40,
)


@given(CYCLES, st.integers(min_value=1, max_value=4), st.integers(min_value=1, max_value=48))
def test_whatever_happens_each_cause_begins_and_ends_in_turn(
    cycles: list[tuple[set[Identity], set[Sight], bool, bool, int]], failures: int, hours: int
) -> None:
    site = Site(Policy(failures, hours * HOUR))
    for found, seen, may_pass, is_broken, later in cycles:
        site.is_broken = is_broken
        causes = [cause(one, may_pass=may_pass) for one in sorted(found, key=str)]
        due = site.cycle(*causes, seen=frozenset(seen), later=later * HOUR)
        identities = [text.partition(" ")[2] for text in due]
        assert len(identities) == len(set(identities))
    for identity in Identity:
        told = [(at, one.kind) for at, one in site.told if one.about.identity is identity]
        is_open, last = False, NOW
        for at, kind in told:
            assert is_open is (kind is not Kind.BEGIN)
            is_open = kind is not Kind.RESOLVED
            if kind is Kind.REMINDER:
                assert at - last >= hours * HOUR
            last = at
        stands = [one for one in site.standing if one.identity is identity and one.announced]
        assert bool(stands) is is_open


@given(st.lists(st.integers(min_value=-500, max_value=500), max_size=30))
def test_however_the_clock_jumps_a_lasting_cause_reminds_within_the_interval(
    jumps: list[int],
) -> None:
    site = Site()
    site.cycle(cause())
    for jump in jumps:
        site.cycle(cause(), later=jump * HOUR)
    due = [site.cycle(cause(), later=HOUR) for _ in range(24)]
    assert sum(map(len, due)) == 1


def test_retries_that_come_sooner_than_the_cadence_do_not_use_up_the_patience() -> None:
    """Else a restart of CiviCRM that lasts a minute would be told, as two failures in a row."""
    site, down = Site(), cause(Identity.SOURCE, may_pass=True)
    assert site.cycle(down) == []
    assert [site.cycle(down, is_early_retry=True) for _ in range(5)] == [[]] * 5
    assert site.cycle(down) == ["begin source distrusted"]


def test_what_a_retry_finds_for_the_first_time_is_told_at_once_all_the_same() -> None:
    site = Site()
    site.cycle(cause(Identity.SOURCE, may_pass=True))
    assert site.cycle(cause(), is_early_retry=True) == ["begin held"]
