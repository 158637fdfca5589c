"""Who is who, and what taking them over means, as plain text and as JSON, with names (§8)."""

from collections.abc import Iterable, Iterator

from door_sync.app.adopting import Forecast, Survey, seen_digest
from door_sync.app.linking import Adopted, Fate, Result
from door_sync.app.sentences import sentence
from door_sync.cli.output.wording import MEANS, Wording, counted, harmless
from door_sync.core.controller import User, UserId
from door_sync.core.hand_cards import SETTLED_BY, HandCard
from door_sync.core.matching import Caution, Doubt, Pair
from door_sync.core.names import name_of, tidy
from door_sync.core.people import ContactId, Member
from door_sync.core.steps import ChangeClass

WARNS = {
    Caution.NAMES_DIFFER: "the names differ; is it the same person?",
    Caution.ADDRESSES_DIFFER: "the e-mail addresses differ; is it the same person?",
    Caution.ADMINISTRATOR: (
        "this user administers the console (or is invited to): once linked, a lapsed membership "
        "deactivates them"
    ),
    Caution.OTHER_NUMBER: "the link replaces what stands in the employee number",
    Caution.UNLIKE: "neither the e-mail address nor the name agrees",
    Caution.LOSES_ACCESS: "the next cycle would cut this person off",
}
"""What each caution means."""


class AdoptingText:
    """Puts one survey into words."""

    def __init__(self, found: Survey) -> None:
        self._found = found
        self._words = Wording(found.forecast.report, shows_names=True)

    def whole(self) -> str:
        """Return everybody: the sure ones, those to look at, the doubtful, the rest, the cards."""
        matching = self._found.matching
        sure = [pair for pair in matching.pairs if not pair.cautions]
        others = [pair for pair in matching.pairs if pair.cautions]
        lines = [*self._headline(len(sure), len(others))]
        if sure:
            lines += ["", "Sure:"]
            lines += [line for pair in sure for line in self.pair(pair)]
        if others:
            lines += ["", "To be looked at one by one:"]
            lines += [line for pair in others for line in self.pair(pair)]
        if matching.doubts:
            lines += ["", "Doubtful:"]
            lines += [line for doubt in matching.doubts for line in self.doubt(doubt)]
        if matching.alone:
            lines += ["", "Like nobody who has or had a membership; they stay as they are:"]
            lines += [f"  {user_id}  {self._user(user_id)}" for user_id in matching.alone]
        if self._found.strangers:
            lines += ["", "Linked already, but unlike the contact whose id they carry:"]
            lines += [f"  {line}" for line in self._strangers()]
        if self._found.cards:
            lines += ["", "Cards enrolled by hand on those users:", *self._cards()]
        return printed(lines)

    def _headline(self, sure: int, others: int) -> Iterator[str]:
        matching = self._found.matching
        managed = sum(user.contact_id is not None for user in self._found.snapshot.users)
        unmanaged = len(self._found.snapshot.users) - managed
        yield (
            f"door-sync manages {managed} of the controller's "
            f"{counted(managed + unmanaged, 'user', 'users')}. The other {unmanaged}: {sure} "
            f"surely a contact's, {others} to be looked at, {len(matching.doubts)} doubtful, "
            f"{len(matching.alone)} like nobody."
        )
        losers = self._found.forecast.losers
        if losers:
            yield (
                f"Mind: if all were linked, {counted(len(losers), 'person', 'people')} would lose "
                "access in the next cycle."
            )
        if not self._found.knows_administrators:
            yield (
                "This controller does not tell who administers it, so that nobody is warned of "
                "linking an administrator. Look for them yourself."
            )

    def pair(self, pair: Pair) -> Iterator[str]:
        """Return a pair with what the next cycle does to it, and what to mind."""
        common = " and ".join(one.value for one in pair.agreements) or "nothing"
        yield (
            f"  {pair.user_id}={pair.contact_id}  {self._user(pair.user_id)} is contact "
            f"{pair.contact_id} ({self._contact(pair.contact_id)}); same: {common}"
        )
        for caution in pair.cautions:
            more = ""
            if caution is Caution.OTHER_NUMBER:
                more = f": {harmless(self._found.user(pair.user_id).other_number)}"
            yield f"      ! {caution.value}: {WARNS[caution]}{more}"
        yield f"      next cycle: {follows(self._found.forecast, pair.contact_id)}"

    def doubt(self, doubt: Doubt) -> Iterator[str]:
        """Return a doubtful user with its reasons."""
        may_be = ", ".join(f"{one} ({self._contact(one)})" for one in doubt.candidates)
        yield f"  {doubt.user_id}  {self._user(doubt.user_id)} may be contact {may_be}"
        for reason in doubt.reasons:
            yield f"      - {reason}"

    def _user(self, user_id: UserId) -> str:
        user = self._found.user(user_id)
        return f"{user_name(user)}, {user.status.value}"

    def _contact(self, contact_id: ContactId) -> str:
        return contact_name(self._found.members[contact_id])

    def _strangers(self) -> Iterator[str]:
        for user_id, contact_id in self._found.strangers:
            member = self._found.members.get(contact_id)
            is_whom = f" ({contact_name(member)})" if member is not None else ", who never joined"
            yield f"{user_id}  {self._user(user_id)} is linked to contact {contact_id}{is_whom}"
        yield (
            "If that number is no contact id, clear the employee number in the console before the "
            "next cycle, or these users are treated as that contact."
        )

    def _cards(self) -> Iterator[str]:
        """Return the cards by what can be done about them."""
        for relation, settles in SETTLED_BY.items():
            mine = [card for card in self._found.cards if card.relation is relation]
            yield from (f"  - {self._card(card)}" for card in mine)
            if mine:
                yield f"    {sentence(settles)}"

    def _card(self, card: HandCard) -> str:
        who = user_name(self._found.user(card.user_id))
        number = card.number
        what = "a card whose number is not shown" if number is None else self._words.card(number)
        others = f" (it is contact {', '.join(map(str, card.wanted_by))}'s in CiviCRM)"
        return f"{who}, contact {card.contact_id}: {what}{others if card.wanted_by else ''}"


def user_name(user: User) -> str:
    """Return a user's name for a terminal."""
    return harmless(tidy(f"{user.first_name} {user.last_name}")) or "a user without a name"


def contact_name(member: Member) -> str:
    """Return a contact's name for a terminal."""
    name = name_of(member)
    return harmless(f"{name.first} {name.last}")


def follows(ahead: Forecast, contact_id: ContactId) -> str:
    """Say what the next cycle does to this contact, once it is linked."""
    outlook = ahead.outlooks.get(contact_id)
    if outlook is None:
        return "shown before anything is linked"
    said = []
    if outlook.loses_access is not None:
        is_held = " (held by a guard)" if ChangeClass.REVOKE in outlook.held else ""
        said.append(f"LOSES ACCESS: {outlook.loses_access}{is_held}")
    said += [
        MEANS[one].one + (" (held by a guard)" if one in outlook.held else "")
        for one in outlook.classes
        if one is not ChangeClass.REVOKE or outlook.loses_access is None
    ]
    if outlook.remark:
        said.append(outlook.remark)
    return "; ".join(said) or "nothing changes"


def forecast_text(ahead: Forecast, pairs: Iterable[Pair]) -> str:
    """Return what the next cycle does with these pairs, those who lose access first."""
    chosen = sorted(pairs, key=lambda one: (one.contact_id not in ahead.losers, one.contact_id))
    lines = [f"With {counted(len(chosen), 'link', 'links')} made, the next cycle would do this:"]
    words = Wording(ahead.report, shows_names=True)
    lines += [
        f"  {words.person(one.contact_id)}: {follows(ahead, one.contact_id)}" for one in chosen
    ]
    for objection in ahead.report.decision.objections if ahead.report.decision else ():
        lines.append(f"  A guard would hold a part of it: {sentence(objection.text)}")
    return printed(lines)


def adopted_text(done: Adopted) -> str:
    """Return what became of everything that was confirmed."""
    linked = done.of(Fate.LINKED)
    lines = []
    if linked:
        lines.append(
            f"Linked and read back: {counted(len(linked), 'user', 'users')}. door-sync manages "
            "them from now on; the next cycle brings them up to date, and `door-sync plan` shows "
            "what that is."
        )
    elif not done.results:
        lines.append("Nothing was confirmed, so nothing was linked.")
    else:
        lines.append("Nothing was linked.")
    for result in done.results:
        if result.fate is not Fate.LINKED:
            lines += _went_wrong(result)
    if done.error is not None:
        lines.append(f"What ended it: {sentence(done.error.message)}")
        if done.error.remedy:
            lines.append(f"What to do: {sentence(done.error.remedy)}")
    lines += [f"Trouble: {sentence(trouble)}" for trouble in done.troubles]
    return printed(lines)


def _went_wrong(result: Result) -> Iterator[str]:
    who = f"user {result.user_id}, contact {result.contact_id}"
    problem = sentence(result.problem) if result.problem else ""
    yield f"  - {who}: {result.fate.value}. {problem}".rstrip()
    for caution in result.cautions:
        yield f"    {sentence(WARNS[caution])} If it is meant: --even-if {caution.value}"


def survey_json(found: Survey) -> dict[str, object]:
    """Return everybody for scripts; `confirmed` is for whoever makes an answers file of it."""
    words = Wording(found.forecast.report, shows_names=True)
    matching = found.matching
    return {
        "managed": sum(user.contact_id is not None for user in found.snapshot.users),
        "knows_administrators": found.knows_administrators,
        "pairs": [_pair(found, pair) for pair in matching.pairs],
        "doubtful": [
            {
                "user": doubt.user_id,
                "user_name": user_name(found.user(doubt.user_id)),
                "contacts": [
                    {"contact": one, "contact_name": contact_name(found.members[one])}
                    | {"seen": seen_digest(found.user(doubt.user_id), found.members[one])}
                    for one in doubt.candidates
                ],
                "reasons": [*doubt.reasons],
            }
            for doubt in matching.doubts
        ],
        "alone": [{"user": one, "user_name": user_name(found.user(one))} for one in matching.alone],
        "strangers": [
            {"user": one, "user_name": user_name(found.user(one)), "contact": contact_id}
            for one, contact_id in found.strangers
        ],
        "cards": [
            {
                "user": card.user_id,
                "contact": card.contact_id,
                "card": None if card.number is None else words.card(card.number),
                "relation": card.relation.value,
                "wanted_by": [*card.wanted_by],
                "settles": SETTLED_BY[card.relation],
            }
            for card in found.cards
        ],
    }


def _pair(found: Survey, pair: Pair) -> dict[str, object]:
    user, member = found.user(pair.user_id), found.members[pair.contact_id]
    outlook = found.forecast.outlooks[pair.contact_id]
    return {
        "user": pair.user_id,
        "contact": pair.contact_id,
        "confirmed": False,
        "user_name": user_name(user),
        "contact_name": contact_name(member),
        "status": user.status.value,
        "same": [one.value for one in pair.agreements],
        "cautions": [one.value for one in pair.cautions],
        "employee_number": user.other_number,
        "loses_access": outlook.loses_access,
        "next_cycle": [one.value for one in outlook.classes],
        "seen": seen_digest(user, member),
    }


def adopted_json(done: Adopted) -> dict[str, object]:
    """Return what became of everything that was confirmed, for scripts."""
    return {
        "exit_code": done.exit_code,
        "record": done.cycle_id,
        "results": [
            {
                "user": result.user_id,
                "contact": result.contact_id,
                "outcome": result.fate.value,
                "problem": result.problem,
                "cautions": [one.value for one in result.cautions],
            }
            for result in done.results
        ],
        "error": None
        if done.error is None
        else {
            "class": type(done.error).__name__,
            "message": done.error.message,
            "remedy": done.error.remedy,
        },
        "troubles": [*done.troubles],
    }


def printed(lines: Iterable[str]) -> str:
    """Return lines that harm no terminal as one text."""
    return "".join(f"{harmless(line)}\n" for line in lines)
