"""Answers that were given beforehand: a TOML file with the keys of `question`, and secrets."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

from door_sync.app.setting_up.question import (
    QUESTIONS,
    RESOLUTIONS,
    RULE_KEYS,
    RULES,
    Question,
)
from door_sync.ports import DoorSyncError
from door_sync.settings.toml import NotToml, parsed_toml

_SEE: Final = "The keys of an answers file stand in the handbook, under the command init."


class AnswersError(DoorSyncError):
    """The answers do not set a site up: one is missing, or cannot be taken."""

    exit_code: ClassVar[int] = 78


@dataclass(frozen=True, slots=True)
class RuleAnswer:
    """What an answers file says of one membership type."""

    resolution: str
    target_policy: str | None = None
    rank: int | None = None


@dataclass
class Answers:
    """Answers by key. Each is taken once: who asks again wants another one. Its repr is mute."""

    values: dict[str, str] = field(default_factory=dict, repr=False)
    rules: dict[str, RuleAnswer] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    def has(self, question: Question) -> bool:
        """Say whether there is an answer to this question."""
        found = question.key in self.values or question.file_key in self.values
        return found or bool(question.secret and self.environ.get(question.secret))

    def take(self, question: Question) -> str | None:
        """Return the answer to this question, once; None if there is none.

        A secret comes from the file, else from the file that it names, else from the environment.
        Raise AnswersError if a file cannot be read.
        """
        given = self.values.pop(question.key, None)
        if given is None and question.file_key in self.values:
            given = _secret_in(Path(self.values.pop(question.file_key)), question.file_key)
        if given is None and question.secret and self.environ.get(question.secret):
            given = self.environ[question.secret]
            self.environ = {k: v for k, v in self.environ.items() if k != question.secret}
        return given


def read_answers(text: str, environ: Mapping[str, str]) -> Answers:
    """Given the text of an answers file, return the answers; raise AnswersError with everything
    that is wrong with its form."""
    try:
        written = parsed_toml(text)
    except NotToml:
        raise AnswersError(
            "the answers are not valid TOML", remedy=f"Text stands in quotes. {_SEE}"
        ) from None
    rules = written.pop(RULES, {})
    faults: list[str] = []
    values = dict(flat(written, "", faults))
    taken = dict(rule_answers(rules, faults))
    faults += [_unknown(key) for key in values if key not in _known()]
    if faults:
        raise AnswersError("; ".join(faults), remedy=_SEE)
    return Answers(values, taken, environ)


def _known() -> list[str]:
    files = [question.file_key for question in QUESTIONS.values() if question.secret]
    return [*QUESTIONS, *files]


def _unknown(key: str) -> str:
    near = difflib.get_close_matches(key, _known(), 1)
    return f'there is no question "{key}"' + (f' (is "{near[0]}" meant?)' if near else "")


def flat(table: Mapping[str, Any], path: str, faults: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the values of a table and those inside it, by dotted key, as a person would type them.

    What nobody could type is added to `faults`.
    """
    for name, value in table.items():
        key = f"{path}{name}"
        match value:
            case dict():
                yield from flat(value, f"{key}.", faults)
            case bool():
                yield key, "yes" if value else "no"
            case str() | int():
                yield key, str(value)
            case list() if all(isinstance(one, str) for one in value):
                yield key, ", ".join(value)
            case _:
                faults.append(f"{key} must be a text, a whole number, true, false or texts")


def rule_answers(rules: object, faults: list[str]) -> Iterator[tuple[str, RuleAnswer]]:
    """Yield the rule of each membership type; what is wrong with one is added to `faults`."""
    if not isinstance(rules, dict):
        faults.append(f"{RULES} must be a table with a table for each membership type")
        return
    for name, rule in rules.items():
        where = f'{RULES}."{name}"'
        match rule:
            case {"resolution": str(resolution), **rest} if resolution in RESOLUTIONS:
                pass
            case _:
                allowed = ", ".join(f'"{one}"' for one in RESOLUTIONS)
                faults.append(f"{where}.resolution must be one of {allowed}")
                continue
        policy, rank = rest.pop("target_policy", None), rest.pop("rank", None)
        if rest:
            faults.append(f"{where} may hold {', '.join(RULE_KEYS)} and nothing else")
        elif (policy is None) is (resolution == "tier") or not isinstance(policy, str | None):
            faults.append(f'{where} needs target_policy with resolution "tier", and with no other')
        elif rank is not None and type(rank) is not int:
            faults.append(f"{where}.rank must be a whole number")
        else:
            yield name, RuleAnswer(resolution, policy, rank)


def _secret_in(path: Path, key: str) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, ValueError):
        problem = f"the file that {key} names cannot be read"
    raise AnswersError(problem, remedy="Correct its path, or make it readable for this user.")
