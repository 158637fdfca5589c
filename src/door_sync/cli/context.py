"""What every command shares: the options before the command, the settings, the log."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from door_sync.cli.showing import remark

if TYPE_CHECKING:
    from door_sync.settings import Settings


@dataclass(frozen=True, slots=True)
class Options:
    """The options that stand before the command."""

    config: str | None
    env_file: str | None
    verbose: bool
    log_format: str

    def files(self) -> tuple[Path, Path]:
        """Return where settings and secrets are looked for (§8)."""
        from door_sync.settings import find_files

        return find_files(self.config, self.env_file, os.environ)

    def load(self) -> "Settings":
        """Load the settings, start the log and print warnings; raise BadSettings."""
        from door_sync.cli.logs import configure_logs
        from door_sync.settings import load_settings

        configure_logs(verbose=self.verbose, log_format=self.log_format)
        config, env_file = self.files()
        loaded = load_settings(config, env_file, os.environ)
        for warning in loaded.warnings:
            remark(f"Warning: {warning}")
        return loaded.settings
