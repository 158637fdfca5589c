"""Every target by its name, with where it begins and how its inputs are changed."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fuzz import files, seeds, targets
from fuzz.mutation import mutated, torn_lines

Mutator = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True)
class Target:
    """What is run, inputs to begin with, and a mutator that keeps most of their shape."""

    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    change: Mutator


def _behind_the_head(data: bytes, chance: random.Random) -> bytes:
    """Change the body; at times let it be the answer to something else, or of another status."""
    head, _, body = data.partition(b"\n")
    if chance.random() < 0.2:
        status = chance.choice([200, 201, 302, 400, 401, 403, 404, 429, 500, 503])
        kind = chance.choice(["application/json", "application/json", "text/html", ""])
        head = f"{chance.randrange(32)} {status} {kind}".encode()
    return head + b"\n" + mutated(body, chance)


def _lines_or_content(data: bytes, chance: random.Random) -> bytes:
    """Change the content of a line that gets a hash that fits, or the lines themselves."""
    if data.startswith(files.SEAL):
        return files.SEAL + mutated(data.removeprefix(files.SEAL), chance)
    return (torn_lines if chance.random() < 0.5 else mutated)(data, chance)


_STATE: Final = (
    b'{"last_success_iso": "2026-11-22T10:00:00+00:00", "last_halt_iso": null, '
    b'"last_halt_reason": "people vanished", "run_count": 5}'
)

CATALOGUE: Final = {
    "civicrm": Target(
        targets.REPLIES["civicrm"], targets.REPLIES["civicrm"].seeds, _behind_the_head
    ),
    "unifi": Target(targets.REPLIES["unifi"], targets.REPLIES["unifi"].seeds, _behind_the_head),
    "import": Target(targets.import_answer, targets.import_seeds, mutated),
    "trigger": Target(files.trigger, files.trigger_seeds, torn_lines),
    "plan": Target(files.plan, lambda: [seeds.plan_document()], mutated),
    "config": Target(files.config, lambda: [seeds.config_text()], torn_lines),
    "env": Target(files.env_file, files.env_seeds, torn_lines),
    "answers": Target(files.answers, files.answer_seeds, torn_lines),
    "audit": Target(files.audit, files.audit_seeds, _lines_or_content),
    "state": Target(files.state, lambda: [_STATE], mutated),
}
