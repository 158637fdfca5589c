"""Who and what most plans here are about."""

from door_sync.core.cards import BadCard
from door_sync.core.controller import UserId
from door_sync.core.people import ContactId
from door_sync.core.steps import NewUser, NoticeKind, Plan
from tests.core.builders import GOLD, card, held, user

U1, U2 = UserId("u1"), UserId("u2")
NEW = NewUser(ContactId(1))
BAD = BadCard.NOT_DIGITS
SETTLED_USER = user("u1", 1, policies=[GOLD])
OWN_CARD = card(1001, held("u1"))


def texts(made: Plan, kind: NoticeKind) -> list[tuple[int | None, str]]:
    """Whom the notices of one kind speak of, and what they say."""
    return [(one.contact_id, one.text) for one in made.notices if one.kind is kind]
