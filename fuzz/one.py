"""Fuzz one target: `python -m fuzz.one TARGET SECONDS DIRECTORY`, or run one input again:
`python -m fuzz.one TARGET FILE`.

Coverage guides it: an input that reaches a new branch of door-sync is kept and changed further.
"""

import importlib
import random
import sys
from pathlib import Path
from typing import Any, Final

GUIDES: Final = (
    "door_sync.app.plan_file",
    "door_sync.app.setting_up",
    "door_sync.civicrm",
    "door_sync.core",
    "door_sync.daemon.signature",
    "door_sync.http",
    "door_sync.journal",
    "door_sync.settings",
    "door_sync.unifi",
)
"""Packages whose branches guide the fuzzer; those of the simulators would only distract it."""

LARGEST_INPUT: Final = 200_000
MOST_MEMORY_MB: Final = 1024
LONGEST_SECONDS: Final = 20
"""One input that takes longer, or more memory, is a finding."""

_MOSTLY: Final = 0.8
"""How often an input is changed in a way that keeps its shape, and not byte by byte."""


def main(words: list[str]) -> None:
    """Run one target until its time is up; libFuzzer ends the process, with 77 on a finding."""
    if len(words) == 2:
        from fuzz.catalogue import CATALOGUE

        CATALOGUE[words[0]].run(Path(words[1]).read_bytes())
        print(f"{words[0]}: nothing is wrong with this input")
        return
    _fuzz(words[0], float(words[1]), Path(words[2]))


def _fuzz(name: str, seconds: float, directory: Path) -> None:
    # atheris has no types, and is there in its own environment alone (requirements/fuzz.lock).
    atheris: Any = importlib.import_module("atheris")
    # Branches are counted in modules that are imported here, so this import cannot stand above.
    with atheris.instrument_imports(include=[*GUIDES]):
        from fuzz.catalogue import CATALOGUE
    target = CATALOGUE[name]
    corpus, findings = directory / "corpus" / name, directory / "findings"
    corpus.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        target.run(seed)
        (corpus / f"seed-{number:03d}").write_bytes(seed)

    def change(data: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < _MOSTLY:
            return target.change(data, chance)[:most]
        return bytes(atheris.Mutate(data, most))

    options = [
        "fuzz",
        str(corpus),
        f"-max_total_time={seconds:.0f}",
        f"-max_len={LARGEST_INPUT}",
        f"-rss_limit_mb={MOST_MEMORY_MB}",
        f"-timeout={LONGEST_SECONDS}",
        f"-artifact_prefix={findings}/{name}-",
        "-print_final_stats=1",
    ]
    atheris.Setup(options, target.run, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
