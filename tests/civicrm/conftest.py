"""Recorded answers, and ways to make one by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from door_sync.http import Reply

RECORDED = Path(__file__).parent / "recorded"

Recorded = Callable[[str, str], dict[str, Any]]
MakeReply = Callable[..., Reply]
Envelope = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def recorded() -> Recorded:
    """Return what looks up an exchange recorded from a real CiviCRM, by file and name."""

    def look_up(file: str, name: str) -> dict[str, Any]:
        entries = json.loads((RECORDED / f"{file}.json").read_text("utf-8"))
        if isinstance(entries, dict):
            found: dict[str, Any] = entries[name]
            return found
        [found] = [entry for entry in entries if name in (entry.get("name"), entry.get("endpoint"))]
        return found

    return look_up


@pytest.fixture(scope="session")
def make_reply() -> MakeReply:
    """Return what makes a reply of a text, or of anything as JSON."""

    def make(
        body: object, *, status: int = 200, content_type: str | None = "application/json"
    ) -> Reply:
        text = body if isinstance(body, str) else json.dumps(body)
        headers = {} if content_type is None else {"content-type": content_type}
        return Reply(status, headers, text.encode())

    return make


@pytest.fixture(scope="session")
def envelope() -> Envelope:
    """Return what makes the answer to one call, as CiviCRM wraps it (CiviCRM sheet §3)."""

    def wrap(
        values: list[Any], entity: str = "Contact", action: str = "get", **more: object
    ) -> dict[str, Any]:
        return {
            "values": values,
            "entity": entity,
            "action": action,
            "debug": None,
            "version": 4,
            "count": len(values),
            "countFetched": len(values),
            **more,
        }

    return wrap
