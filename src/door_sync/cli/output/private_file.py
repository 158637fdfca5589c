"""Writing a file in which names stand: for its owner's eyes alone."""

from pathlib import Path

from door_sync.files import ops_file_errors, replace_file

FILE_MODE = 0o600


def write_privately(path: Path, text: str) -> None:
    """Write a file that its owner alone can read, also where one is replaced.

    Raise OpsFileError.
    """
    with ops_file_errors(path, "write"):
        if path.is_file():
            path.chmod(FILE_MODE)  # a file that is replaced keeps the rights it has
    replace_file(path, text, mode=FILE_MODE)
