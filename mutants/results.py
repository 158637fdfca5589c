"""What became of every mutant: kept, counted and told."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mutants.children import Fate
from mutants.modules import Module

Fates = dict[str, dict[int, Fate]]
"""By module and the mutant's number in it."""

ENOUGH = 90.0
"""Per cent of all mutants that the tests must notice."""


def fingerprint(module: Module) -> str:
    """Return what tells whether the numbers of a module's mutants still mean the same."""
    parts = [module.path, *sorted(Path(__file__).parent.glob("*.py"))]
    return hashlib.sha256(b"".join(one.read_bytes() for one in parts)).hexdigest()


def keep(path: Path, fates: Fates, modules: Iterable[Module]) -> None:
    """Write what became of the mutants."""
    kept = {
        module.name: {
            "source": fingerprint(module),
            "fates": {number: fate.value for number, fate in fates[module.name].items()},
        }
        for module in modules
        if module.name in fates
    }
    path.write_text(json.dumps(kept, indent=1, sort_keys=True), encoding="utf-8")


def kept(path: Path, modules: Iterable[Module]) -> Fates:
    """Return what became of the mutants of those modules that are still the same."""
    if not path.exists():
        return {}
    read = json.loads(path.read_text(encoding="utf-8"))
    return {
        module.name: {
            int(number): Fate(fate) for number, fate in read[module.name]["fates"].items()
        }
        for module in modules
        if read.get(module.name, {}).get("source") == fingerprint(module)
    }


def score(fates: Iterable[Fate]) -> float:
    """Return the share of mutants that did not survive, in per cent; 100 of none."""
    count = Counter(fates)
    return 100 * (1 - count[Fate.SURVIVED] / count.total()) if count else 100.0


def table(fates: Mapping[str, Mapping[int, Fate]]) -> list[str]:
    """Return the counts of each module and of all, as a table in Markdown."""
    rows = ["| module | mutants | killed | timed out | survived | score |"]
    rows.append("| --- | --: | --: | --: | --: | --: |")
    together = [fate for each in fates.values() for fate in each.values()]
    for name, some in (*((n, [*e.values()]) for n, e in sorted(fates.items())), ("all", together)):
        count = Counter(some)
        counted = " | ".join(str(count[fate]) for fate in Fate)
        rows.append(f"| {name} | {count.total()} | {counted} | {score(some):.1f} % |")
    return rows


def survivors(fates: Mapping[str, Mapping[int, Fate]], modules: Sequence[Module]) -> list[str]:
    """Return every mutant that nobody noticed, with its place."""
    return [
        f"{module.name}.py:{edit.line}: {edit.replacement.operator}: {edit.told()}"
        for module in modules
        for number, edit in enumerate(module.edits)
        if fates.get(module.name, {}).get(number) is Fate.SURVIVED
    ]
