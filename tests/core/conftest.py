"""How hypothesis works here: without haste, for a busy machine is no fault of the code."""

import os

from hypothesis import HealthCheck, Phase, settings

settings.register_profile("unhurried", deadline=None)
settings.register_profile(
    "mutants",  # `make mutants` asks the same few examples of thousands of programs
    deadline=None,
    database=None,
    derandomize=True,
    max_examples=20,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[*HealthCheck],
)
settings.load_profile("mutants" if os.environ.get("DOOR_SYNC_PROOF") == "mutants" else "unhurried")
