"""What a site that is set up once more had before: proposed to a person, and never more than that.

What cannot be read is not proposed. A fingerprint is none of it: it is compared anew each time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from door_sync.app.setting_up.answers import RuleAnswer, flat, rule_answers
from door_sync.app.setting_up.question import FINGERPRINT, Question
from door_sync.settings.loading import read_env_file
from door_sync.settings.toml import parsed_toml


@dataclass(frozen=True)
class Former:
    """The former settings by dotted key, rules by membership type, and keys, which are mute."""

    values: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, RuleAnswer] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def answer(self, question: Question) -> str | None:
        """Return what would be answered as before; None if there was nothing, or if it must be
        looked at anew."""
        if question is FINGERPRINT:
            return None
        if question.secret:
            return self.secrets.get(question.secret) or None
        value = self.values.get(question.key)
        return None if question.choices and value not in question.choices else value

    @property
    def fingerprints(self) -> str:
        """The certificates that were trusted, as written; empty if none was."""
        return self.values.get(FINGERPRINT.key, "")


def read_former(config: Path, env: Path) -> Former:
    """Return what the two files hold, without a word about what is wrong with them."""
    try:
        written = parsed_toml(config.read_text("utf-8"))
    except (OSError, ValueError):  # NotToml is one
        written = {}
    mapping = written.pop("tier_mapping", {})
    rules = mapping.get("rules", {}) if isinstance(mapping, dict) else {}
    return Former(
        dict(flat(written, "", [])), dict(rule_answers(rules, [])), read_env_file(env).values
    )
