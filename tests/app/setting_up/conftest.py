"""Somebody who answers from a list, and an interview with them."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from door_sync.app.setting_up.answers import Answers
from door_sync.app.setting_up.interview import Interview


@dataclass
class Scripted:
    """A person with answers prepared; an empty one stands for Enter."""

    words: list[str]
    asked: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)

    def answer(self, prompt: str, *, default: str | None, hidden: bool) -> str:
        (self.hidden if hidden else self.asked).append(prompt)
        word = self.words.pop(0)
        return word or default or ""


@dataclass
class Talk:
    """An interview, and what was told in it."""

    interview: Interview
    told: list[str]
    person: Scripted | None

    @property
    def text(self) -> str:
        """All that was told, as one line."""
        return " ".join(" ".join(self.told).split())


MakeTalk = Callable[..., Talk]


@pytest.fixture
def talk() -> MakeTalk:
    """Begin an interview: with the person's words, or without a person for none."""

    def begin(*words: str, answers: Answers | None = None) -> Talk:
        told: list[str] = []
        person = Scripted([*words]) if words else None
        return Talk(Interview(answers or Answers(), told.append, person), told, person)

    return begin
