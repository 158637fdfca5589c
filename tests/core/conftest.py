"""How hypothesis works where thousands of mutants are asked the same (`make mutants`)."""

import os

from hypothesis import HealthCheck, Phase, settings

if os.environ.get("DOOR_SYNC_PROOF") == "mutants":
    settings.register_profile(
        "mutants",
        deadline=None,
        database=None,
        derandomize=True,
        max_examples=20,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=[*HealthCheck],
    )
    settings.load_profile("mutants")
