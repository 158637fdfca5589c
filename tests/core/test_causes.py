"""Causes of one identity are one cause."""

from datetime import UTC, datetime

from door_sync.core.causes import Cause, Identity, Standing, merged


def test_each_identity_is_there_once_and_in_order_and_repeats_no_sentence() -> None:
    found = merged(
        [
            Cause(Identity.HELD, "One.", "All stay.", "Look.", may_pass=True),
            Cause(Identity.SOURCE, "Down.", "All stay.", "", may_pass=True),
            Cause(Identity.HELD, "Two.", "All stay.", ""),
        ]
    )
    assert list(found) == [Identity.SOURCE, Identity.HELD]
    assert found[Identity.HELD] == Cause(Identity.HELD, "One. Two.", "All stay.", "Look.")
    assert found[Identity.SOURCE].may_pass


def test_words_of_identities_are_all_different() -> None:
    assert len({one.value for one in Identity}) == len(Identity)


def test_what_it_means_and_what_settles_it_is_kept_of_each() -> None:
    found = merged(
        [
            Cause(Identity.HELD, "One.", "Doors one.", "Do one.", may_pass=True),
            Cause(Identity.HELD, "Two.", "Doors two.", "Do two.", may_pass=True),
        ]
    )
    whole = Cause(Identity.HELD, "One. Two.", "Doors one. Doors two.", "Do one. Do two.", True)
    assert found == {Identity.HELD: whole}


def test_what_stands_begins_with_one_failure_of_which_nothing_was_told() -> None:
    standing = Standing(Cause(Identity.HELD, "One.", "", ""), datetime(2026, 11, 23, tzinfo=UTC))
    assert standing.identity is Identity.HELD
    assert standing.failures == 1
    assert not standing.is_over
    assert (standing.announced, standing.reminded) == (None, None)
    assert not standing.cause.may_pass


def test_the_journal_knows_each_identity_by_these_words() -> None:
    """They outlive an update: another word for one would be another cause, begun anew."""
    assert [one.value for one in Identity] == [
        "journal unusable",
        "fault of the program",
        "source distrusted",
        "target distrusted",
        "cycle stopped",
        "held",
        "people failed",
        "not converging",
        "blocked cards",
        "stale memberships",
        "files beside the journal",
        "alert channel broken",
    ]
