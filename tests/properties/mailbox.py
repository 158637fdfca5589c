"""P14: what a person hears, mail by mail: each cause begins once, is reminded of, and ends."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.properties.office import Mail

REMINDER, RESOLVED = "Reminder: ", "Resolved: "
CHANNEL = "alerts could not be sent"
"""The one cause whose beginning no mail can tell."""

BLOCKED = "cards are blocked"
"""The one cause that may outlast a good cycle: somebody else holds the card."""

# The site's clock moves a little between the moment of a message and the end of its cycle.
A_DAY = timedelta(hours=24) - timedelta(minutes=1)


@dataclass
class Mailbox:
    """What was told so far. `begun`: causes by when something of them was heard last; `doubtful`:
    those of which the process died before it could note that it told them."""

    begun: dict[str, datetime] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)

    def take(self, mails: Iterable[Mail], *, died: bool) -> None:
        """Hear what one cycle sent."""
        heard: set[str] = set()
        for mail in mails:
            word = next((one for one in (REMINDER, RESOLVED) if mail.subject.startswith(one)), "")
            cause = mail.subject.removeprefix(word)
            cause = cause[0].lower() + cause[1:] if not cause.startswith("CiviCRM") else cause
            assert cause not in heard, f"P14: two messages about {cause!r} in one cycle"
            heard.add(cause)
            self._hear(word, cause, mail.at)
        if died:
            self.doubtful |= heard

    def _hear(self, word: str, cause: str, at: datetime) -> None:
        is_known = cause not in self.doubtful
        self.doubtful.discard(cause)
        last = self.begun.get(cause)
        if word == RESOLVED:
            assert last is not None or cause == CHANNEL or not is_known, f"P14: {cause!r} ends"
            self.begun.pop(cause, None)
            return
        assert cause != CHANNEL
        if word == REMINDER:
            assert last is not None, f"P14: a reminder of {cause!r}, which never began"
            assert at - last >= A_DAY or not is_known, f"P14: {cause!r} again after {at - last}"
        else:
            assert last is None or not is_known, f"P14: {cause!r} begins twice"
        self.begun[cause] = at

    def rests(self, *, is_blocked: bool) -> bool:
        """Hold a club that is good again to having nothing to tell; say whether a flag stands."""
        left = self.begun.keys() - self.doubtful
        assert left <= {BLOCKED}, f"P14: not resolved: {left}"
        assert is_blocked or not left
        return is_blocked
