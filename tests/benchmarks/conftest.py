"""Figures of a small made-up measuring, and requests at chosen times."""

from typing import Any

import pytest

from benchmarks.sides import Asked

PHASES = ("starting", "reading", "deciding", "write_answers", "pacing")
LATER = ("between_writes", "proving", "ending")


def asked(arrived: float, answered: float, *, is_write: bool = False) -> Asked:
    """Some request that was under way from one moment to another."""
    return Asked("PUT" if is_write else "GET", "/somewhere", "", is_write, arrived, answered)


def still(members: int, wall: float, cpu: float, peak: float) -> dict[str, Any]:
    """A cell without changes."""
    return {
        "members": members,
        "changes": 0,
        "wall": wall,
        "cpu": cpu,
        "peak_mib": peak,
        "requests": {"civicrm": 3, "unifi": 18},
        "fewest_reads": {"civicrm": 3, "unifi": 18},
        "phases": dict.fromkeys((*PHASES, *LATER), 0.5),
        "own_answers": {"civicrm": 0.3, "unifi": 0.8},
        "slower_side": "unifi",
        "times_slower_side": 1.5,
        "times_apart": 1.2,
        "deciding": {"wall": 0.02, "cpu": 0.01, "changes": 0},
    }


def changed(members: int, changes: int, writes: int) -> dict[str, Any]:
    """A cell with changes that could be settled with 90 writes."""
    return {
        **still(members, 12, 1, 70),
        "changes": changes,
        "writes": writes,
        "fewest_writes": 90,
        "read_backs": changes,
        "people": changes,
    }


@pytest.fixture
def figures() -> dict[str, Any]:
    """Two sizes, a failed cell among them."""
    return {
        "format": 1,
        "date": "2026-11-23",
        "python": "3.11.7",
        "machine": "x86_64",
        "cpus": 2,
        "load": 0.1,
        "starting": [
            {"what": "door-sync --help", "wall": 0.1, "cpu": 0.05},
            {"what": "door-sync plan", "wall": 0.9, "cpu": 0.5},
        ],
        "cells": [
            changed(1_000, 50, 91),
            still(20_000, 5.5, 2.5, 100),
            still(1_000, 1, 0.6, 62),
            {"members": 50_000, "changes": 0, "error": "RuntimeError: no luck"},
        ],
        "revoking": [{"members": 1_000, "refused": 0.41, "proven": 0.62}],
    }
