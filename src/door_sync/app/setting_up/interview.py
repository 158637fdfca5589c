"""Asks: takes an answer that was given beforehand, else asks a person, and checks each at once."""

import textwrap
from collections.abc import Callable, Iterable
from typing import Final, Protocol, TypeVar

from door_sync.app.sentences import sentence
from door_sync.app.setting_up.answers import Answers, AnswersError
from door_sync.app.setting_up.former import Former
from door_sync.app.setting_up.question import Question, Wrong

_WIDTH: Final = 88
_SEE: Final = (
    "Add it to the answers file (the keys stand in the handbook, under the command init), or run "
    "`door-sync init` on a terminal."
)

Answer = TypeVar("Answer")


class Person(Protocol):
    """Somebody at a terminal."""

    def answer(self, prompt: str, *, default: str | None, hidden: bool) -> str:
        """Ask, and return what was typed, or `default` for nothing. What is `hidden` is not
        echoed, nor is its default shown."""
        ...


class Interview:
    """One setting up. `tell` prints a line; `person` is None where nobody can be asked; `former` is
    what a site had that is set up once more, and is proposed to a person alone."""

    def __init__(
        self,
        answers: Answers,
        tell: Callable[[str], None],
        person: Person | None,
        former: Former | None = None,
    ) -> None:
        self._answers = answers
        self._former = former if former is not None and person is not None else Former()
        self._tell = tell
        self._person = person
        self._explained: set[str] = set()

    @property
    def is_attended(self) -> bool:
        """Whether somebody can be asked."""
        return self._person is not None

    @property
    def answers(self) -> Answers:
        """What was answered beforehand."""
        return self._answers

    @property
    def former(self) -> Former:
        """What was answered when the site was set up before; nothing where nobody is asked."""
        return self._former

    def title(self, text: str) -> None:
        """Begin a part."""
        self._tell("")
        self._tell(text)
        self._tell("-" * len(text))

    def say(self, text: str) -> None:
        """Print a paragraph."""
        for line in textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False):
            self._tell(line)

    def lines(self, lines: Iterable[str]) -> None:
        """Print lines as they are."""
        for line in lines:
            self._tell(line)

    def require(self, questions: Iterable[Question]) -> None:
        """Raise AnswersError naming every one of these that nobody has answered or will."""
        if self._person is None:
            missing = [q.key for q in questions if q.default is None and not self._answers.has(q)]
            if missing:
                raise AnswersError(f"not answered: {', '.join(missing)}", remedy=_SEE)

    def ask(
        self,
        question: Question,
        check: Callable[[str], Answer],
        *,
        proposal: str | None = None,
    ) -> Answer:
        """Return the answer to a question as `check` returns it, which raises Wrong for one that
        cannot be taken: it is asked again then. What a person gets for Enter is the former
        answer, if this question was not asked yet, else `proposal`; without a person neither
        counts. Raise AnswersError where nobody can be asked again."""
        given = self._answers.take(question)
        if given is not None:
            if question.secret and self._person is not None:
                self.say(f"{question.prompt.partition(' (')[0]}: taken as given beforehand.")
            try:
                return check(given)
            except Wrong as wrong:
                self.refuse(question, wrong)
        if question.key not in self._explained:
            proposal = self._former.answer(question) or proposal
        while self._person is not None:
            self._explain(question)
            try:
                return check(self._typed(self._person, question, proposal))
            except Wrong as wrong:
                self.refuse(question, wrong)
        if question.default is None:
            raise AnswersError(f"not answered: {question.key}", remedy=_SEE)
        try:
            return check(question.default)
        except Wrong as wrong:
            raise _refused(question, wrong) from None

    def yes(self, prompt: str, *, proposal: bool) -> bool:
        """Ask a person for a yes or a no; without one, return True."""
        while self._person is not None:
            default = "yes" if proposal else "no"
            word = self._person.answer(prompt, default=default, hidden=False).strip().lower()
            if word in {"y", "yes"}:
                return True
            if word in {"n", "no"}:
                return False
            self.say('Please answer "yes" or "no".')
        return True

    def line(self, prompt: str, *, proposal: str | None = None) -> str:
        """Return what a person answers to a question that has no key; raise AnswersError without
        one."""
        if self._person is None:
            raise AnswersError("nobody is there to be asked", remedy=_SEE)
        return self._person.answer(prompt, default=proposal, hidden=False).strip()

    def refuse(self, question: Question, wrong: Wrong) -> None:
        """Tell a person what is wrong with an answer; raise AnswersError without one."""
        if self._person is None:
            raise _refused(question, wrong) from None
        self.say(sentence(f"That does not work: {wrong.problem}"))
        if wrong.remedy:
            self.say(f"What to do: {sentence(_before_there_are_files(wrong.remedy))}")

    def _explain(self, question: Question) -> None:
        if question.key not in self._explained:
            self._explained.add(question.key)
            self._tell("")
            self.say(question.help)
            if question.secret and self._former.answer(question):
                self.say("Enter keeps the one that there is.")

    def _typed(self, person: Person, question: Question, proposal: str | None) -> str:
        default = question.default if proposal is None else proposal
        prompt = question.prompt
        if question.choices:
            prompt += f" ({', '.join(question.choices)})"
        # A login is no password: who types it wants to see it.
        hidden = bool(question.secret) and "not shown" in question.prompt
        return person.answer(prompt, default=default, hidden=hidden).strip()


def _before_there_are_files(remedy: str) -> str:
    """Return a remedy that speaks of a file which is not written yet without the file."""
    return remedy.replace(" in config.toml", "")


def _refused(question: Question, wrong: Wrong) -> AnswersError:
    return AnswersError(f"{question.key}: {wrong.problem}", remedy=wrong.remedy)
