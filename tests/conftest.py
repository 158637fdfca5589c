"""How the suite is run: a file stays together, and so do those that compare; nobody hurries."""

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler.loadfile import LoadFileScheduling

TOGETHER = "tests/cli/privacy"
"""Its files tell at the end which lines were reached by all of them, so one process runs them."""

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
"""A busy machine is no fault of the code."""


class ByFile(LoadFileScheduling):  # type: ignore[misc]  # without types of its own
    """A file goes to one process as a whole, so that what its tests share is made once."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return TOGETHER if file.startswith(TOGETHER) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """Return the scheduler for a run with `-n`."""
    return ByFile(config, log)
