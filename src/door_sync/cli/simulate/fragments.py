"""What has to stand in config.toml and the env file to talk to the simulators."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Final

from door_sync.simulators.civicrm.world import World as Site
from door_sync.simulators.demo_club import FACILITY, RULES
from door_sync.simulators.unifi.world import World as Controller

OPS: Final[Mapping[str, str]] = {
    "audit_jsonl": "audit.jsonl",
    "state_json": "state.json",
    "alert_flag": "alert.flag",
}
"""All files of a rehearsal, beside its config.toml."""


def civicrm_fragment(url: str, site: Site) -> str:
    """Return the tables of config.toml that a simulated CiviCRM decides.

    Types of the made-up club have their rule, others a rule to be filled in, as a comment.
    """
    tables = [_table("civicrm", {"host": url, "card_id_field": site.card_field})]
    for kind in site.membership_types.values():
        name = f"tier_mapping.rules.{json.dumps(kind.name, ensure_ascii=False)}"
        if kind.name in RULES:
            rule = RULES[kind.name]
            values: dict[str, object] = {"resolution": rule.resolution, "rank": rule.rank}
            if rule.policy is not None:
                values["target_policy"] = rule.policy
            tables.append(_table(name, values))
        else:
            blank = _table(name, {"resolution": "tier", "target_policy": "…", "rank": 0})
            tables.append("".join(f"#{line}\n" for line in blank.splitlines()))
    return "\n".join(tables)


def unifi_fragment(
    url: str, fingerprint: str, controller: Controller, *, write_interval_ms: int | None = None
) -> str:
    """Return the tables of config.toml that a simulated controller decides, and `[ops]`."""
    values: dict[str, object] = {
        "host": url,
        "tls_fingerprint": fingerprint,
        "facility_code": _facility(controller),
        "email": "off",
    }
    if write_interval_ms is not None:
        values["write_interval_ms"] = write_interval_ms
    return "\n".join([_table("unifi", values), _table("ops", OPS)])


def _facility(controller: Controller) -> int:
    """Return the facility code that most of the cards have."""
    found = Counter(card.number >> 16 for card in controller.cards)
    return found.most_common(1)[0][0] if found else FACILITY


def _table(name: str, values: Mapping[str, object]) -> str:
    # Texts, numbers and truth values are written alike in JSON and in TOML.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join([f"[{name}]", *lines]) + "\n"
