"""The faults of rule 54 that speak the controller's envelope; the others are in ``faults``."""

from typing import Any

from door_sync.simulators.faults import Answer, Rewrite, json_answer, null_key
from door_sync.simulators.unifi.envelope import SYSTEM_ERROR


def business_error(code: str = SYSTEM_ERROR, *, after: bool = False) -> Answer:
    """A refusal inside HTTP 200; with `after`, of something that was done all the same."""
    return json_answer({"code": code, "msg": "failed", "data": None}, after=after)


def success_without_effect(data: Any = None) -> Answer:
    """SUCCESS for a request that was never carried out."""
    return json_answer({"code": "SUCCESS", "msg": "success", "data": data})


def null_data() -> Rewrite:
    """The real answer, with null where its data should be."""
    return null_key("data")
