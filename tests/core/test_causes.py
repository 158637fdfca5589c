"""Causes of one identity are one cause."""

from door_sync.core.causes import Cause, Identity, merged


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
