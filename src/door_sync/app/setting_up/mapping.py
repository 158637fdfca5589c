"""What each membership type is worth: a proposal as a table, which a person goes through."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from door_sync.app.setting_up import checks
from door_sync.app.setting_up.answers import AnswersError, RuleAnswer
from door_sync.app.setting_up.interview import Interview
from door_sync.app.setting_up.proposals import Proposal, proposed_rules, reference
from door_sync.app.setting_up.question import RESOLUTIONS, RULES, UNMAPPED, Wrong
from door_sync.civicrm.survey import TypeFound
from door_sync.core.controller import Policy, PolicyId
from door_sync.settings.writing import RuleWritten

HIGHEST_RANK: Final = 1_000_000

_MEANS: Final = {
    "none": "no access",
    "day-pass": "day pass, handled by hand",
    UNMAPPED: "no rule: its members are set aside",
    "": "?",
}
_INTRODUCTION: Final = (
    "Each membership type gets a rule: an access policy of the controller, no access, or day pass "
    "(door-sync leaves such people's access alone). Of several memberships of one person the one "
    "with the highest rank counts."
)
_SET_ASIDE: Final = (
    "What that means: somebody with an active membership of such a type is left exactly as they "
    "are, neither let in nor shut out, and every cycle reports them. A type that opens nothing is "
    'better given "no access".'
)
_TAKE: Final = "Take it so? (yes, or the number of a line to change it)"


def ask_rules(
    interview: Interview, types: Sequence[TypeFound], policies: tuple[Policy, ...] | None
) -> dict[str, RuleWritten]:
    """Return the rule for each type that has one; raise AnswersError where nobody answers.

    `policies` is None if the token may not read them: they are named by id then.
    """
    interview.title("Who may open what")
    interview.say(_INTRODUCTION)
    listed = policies or ()
    desk = _Desk(interview, types, listed, list(proposed_rules(types, listed)))
    if interview.is_attended:
        desk.propose_former()
    desk.take_given()
    if interview.is_attended:
        desk.go_through()
    else:
        desk.require_all()
        interview.lines(["", *rule_table(desk.rules, types)])
    left_out = [rule.type_name for rule in desk.rules if rule.resolution == UNMAPPED]
    if left_out:
        interview.lines(["", f"Without a rule: {', '.join(left_out)}"])
        interview.say(_SET_ASIDE)
    return {
        rule.type_name: RuleWritten(
            rule.resolution,
            None if rule.policy is None else reference(rule.policy, listed),
            rule.rank,
        )
        for rule in desk.rules
        if rule.resolution != UNMAPPED
    }


def rule_table(rules: Sequence[Proposal], types: Sequence[TypeFound]) -> list[str]:
    """Return the rules as lines, with how many people have each type."""
    names = [one.name if one.name == one.label else f"{one.name} ({one.label})" for one in types]
    width = max(map(len, [*names, "membership type"]))
    lines = [f"      {'membership type':{width}}  members  gives"]
    for number, (rule, one, name) in enumerate(zip(rules, types, names, strict=True), start=1):
        lines.append(f"{number:4}  {name:{width}}  {one.members:7}  {_worth(rule)}")
    return lines


def _worth(rule: Proposal) -> str:
    if rule.policy is None:
        return _MEANS[rule.resolution]
    return f'policy "{rule.policy.name or rule.policy.id}", rank {rule.rank}'


@dataclass
class _Desk:
    """The rules while they are gone through; `rules` has one for each of `types`, in order."""

    interview: Interview
    types: Sequence[TypeFound]
    policies: Sequence[Policy]
    rules: list[Proposal]

    def propose_former(self) -> None:
        """Propose the rules that the site had, but for those that cannot be had any more."""
        for place, proposed in enumerate(self.rules):
            former = self.interview.former.rules.get(proposed.type_name)
            if former is not None:
                with suppress(Wrong):
                    self.rules[place] = self._of(former, proposed)

    def take_given(self) -> None:
        """Take what was answered beforehand; raise AnswersError for what cannot be taken."""
        given, faults = self.interview.answers.rules, []
        places = {one.name: place for place, one in enumerate(self.types)}
        for name, answer in given.items():
            try:
                if name not in places:
                    raise Wrong("CiviCRM has no membership type of that name")
                place = places[name]
                self.rules[place] = self._of(answer, self.rules[place])
            except Wrong as wrong:
                faults.append(f'{RULES}."{name}": {wrong.problem}. {wrong.remedy}'.strip())
        if faults:
            raise AnswersError(
                "; ".join(faults),
                remedy=f"CiviCRM has these types: {', '.join(places)}. Case matters.",
            )

    def require_all(self) -> None:
        """Raise AnswersError for types that nobody answered for; what is proposed to be left
        without a rule needs no answer."""
        given = self.interview.answers.rules
        names = [rule.type_name for rule in self.rules if rule.resolution != UNMAPPED]
        missing = [f'{RULES}."{name}"' for name in names if name not in given]
        if missing:
            raise AnswersError(
                f"not answered: {', '.join(missing)}",
                remedy="Add a table for each, with resolution (tier, none, day-pass or unmapped) "
                "and, for a tier, target_policy.",
            )

    def go_through(self) -> None:
        """Ask for what is undecided, then show all until the person takes it so."""
        for place, rule in enumerate(self.rules):
            if not rule.is_decided:
                self._change(place)
        while True:
            self.interview.lines(["", *rule_table(self.rules, self.types), ""])
            word = self.interview.line(_TAKE, proposal="yes").lower()
            if word in {"y", "yes"} and self._lets_somebody_in():
                return
            if word.isascii() and word.isdigit() and 1 <= int(word[:6]) <= len(self.rules):
                self._change(int(word) - 1)

    def _lets_somebody_in(self) -> bool:
        if any(rule.resolution == "tier" for rule in self.rules):
            return True
        self.interview.say("So nobody could be let in: give at least one type a policy.")
        return False

    def _change(self, place: int) -> None:
        one, rule = self.types[place], self.rules[place]
        self.interview.lines(["", f"{one.label} (members: {one.members}): what does it give?"])
        options = [*self._options()]
        for number, (text, _, _) in enumerate(options, start=1):
            self.interview.lines([f"{number:4}  {text}"])
        while True:
            word = self.interview.line("Number")
            try:
                chosen = checks.whole_number(1, len(options))(word)
                _, resolution, policy = options[chosen - 1]
                if resolution == "tier" and policy is None:
                    policy = self._by_id()
                rank = self._rank(rule.rank) if resolution != UNMAPPED else rule.rank
            except Wrong as wrong:
                self.interview.say(f"That {wrong.problem}. {wrong.remedy}".strip())
            else:
                self.rules[place] = replace(rule, resolution=resolution, policy=policy, rank=rank)
                return

    def _options(self) -> Iterator[tuple[str, str, Policy | None]]:
        for policy in self.policies:
            yield f'policy "{policy.name or policy.id}"', "tier", policy
        if not self.policies:
            yield "a policy, named by its id", "tier", None
        for resolution in RESOLUTIONS[1:]:
            yield _MEANS[resolution], resolution, None

    def _by_id(self) -> Policy:
        word = self.interview.line("Id of the access policy")
        if not word.isprintable() or not word:
            raise Wrong("is no id")
        return Policy(PolicyId(word), "")

    def _rank(self, proposal: int) -> int:
        word = self.interview.line("Rank (the highest counts)", proposal=str(proposal))
        return checks.whole_number(0, HIGHEST_RANK)(word)

    def _of(self, answer: RuleAnswer, proposed: Proposal) -> Proposal:
        rank = proposed.rank if answer.rank is None else answer.rank
        policy = None
        if answer.target_policy is not None:
            policy = self._policy(answer.target_policy)
        return Proposal(proposed.type_name, answer.resolution, policy, rank)

    def _policy(self, text: str) -> Policy:
        found = [one for one in self.policies if text in (one.name, one.id)]
        if len(found) == 1:
            return found[0]
        if not self.policies:
            return Policy(PolicyId(text), "")
        raise Wrong(
            "names no access policy" if not found else "names several access policies",
            f"The controller has: {', '.join(one.name for one in self.policies)}.",
        )
