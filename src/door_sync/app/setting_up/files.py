"""The two files: what would be lost, the backup, and both written in one go."""

import os
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from door_sync.files import make_directory, ops_file_errors, sync_directory
from door_sync.settings import kinds
from door_sync.settings.toml import NotToml, parsed_toml

CONFIG_MODE: Final = 0o640
ENV_MODE: Final = 0o600


@dataclass(frozen=True)
class NewFile:
    """A file to be written. Its repr is mute: one of the two holds keys."""

    path: Path
    text: str = field(repr=False)
    mode: int


def lost(old: str, new: str) -> list[str]:
    """Given a config.toml as it is and as it would be, return a line for each key that changes or
    goes; none for what is only new. A file that is no TOML is lost as a whole."""
    try:
        before = dict(_flat(parsed_toml(old), ()))
    except NotToml:
        return ["what is there now is not valid TOML; all of it would go"]
    after = dict(_flat(parsed_toml(new), ()))
    lines = []
    for path, value in before.items():
        # What is no setting may be a secret in the wrong place.
        name = ".".join(path)
        told = f"{name} = {value!r}" if _is_setting(path) else name
        if path not in after:
            lines.append(f"{told} would go")
        elif after[path] != value:
            lines.append(f"{told} would become {after[path]!r}")
    return lines


def _is_setting(path: tuple[str, ...]) -> bool:
    if path[:2] == ("tier_mapping", "rules"):
        path = (*path[:2], kinds.ANY_NAME, *path[3:])
    return path in kinds.all_keys()


def backup_path(path: Path, now: datetime) -> Path:
    """Return where a file is kept that is about to be replaced: never over another backup."""
    stem = f"{path.name}.bak-{now:%Y-%m-%d}"
    tries = [path.with_name(stem), *(path.with_name(f"{stem}-{n}") for n in range(2, 1000))]
    return next(one for one in tries if not one.exists())


def write_together(files: list[NewFile], now: datetime) -> list[Path]:
    """Write all files, or none; return where the former ones are kept.

    Each is complete when it appears, with its mode from the start. Backups keep the rights of what
    they are copies of, and none beyond the new file's. No signal comes in between. As root
    the files go to whom the former ones, or else their directory, belong to. Raise OpsFileError.
    """
    staged: list[tuple[Path, Path]] = []
    kept: list[Path] = []
    with _undisturbed():
        try:
            for file in files:
                with ops_file_errors(file.path, "write"):
                    staged.append((_staged(file), Path(os.path.realpath(file.path))))
            kept += [_kept(file, now) for file in files if file.path.exists()]
            for temporary, target in staged:
                with ops_file_errors(target, "write"):
                    temporary.replace(target)
                    sync_directory(target.parent)
        except BaseException:
            for temporary, _ in staged:
                with suppress(OSError):
                    temporary.unlink()
            raise
    return kept


def _staged(file: NewFile) -> Path:
    target = Path(os.path.realpath(file.path))
    make_directory(target.parent)
    return _written(target, file.text.encode(), file.mode)


def _written(target: Path, content: bytes, mode: int) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            _give(stream.fileno(), target)
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        Path(name).unlink()
        raise
    return Path(name)


def _give(descriptor: int, target: Path) -> None:
    """As root, give a new file to whom its place belongs: the service must be able to read it."""
    if os.geteuid() == 0:
        like = (target if target.exists() else target.parent).stat()
        os.fchown(descriptor, like.st_uid, like.st_gid)


def _kept(file: NewFile, now: datetime) -> Path:
    to = backup_path(file.path, now)
    with ops_file_errors(to, "write"):
        mode = file.path.stat().st_mode & file.mode
        _written(to, file.path.read_bytes(), mode).replace(to)
    return to


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let SIGTERM wait, and Ctrl-C pass: at the end there is nothing left that it could stop.

    Handlers, not a mask: a thread of somebody else's would take the signal instead.
    """
    caught: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    former = {one: signal.signal(one, lambda number, _: caught.append(number)) for one in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    if signal.SIGTERM in caught:
        signal.raise_signal(signal.SIGTERM)


def _flat(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, (*path, name))
        else:
            yield (*path, name), value
