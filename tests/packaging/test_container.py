"""The container file names what exists and what the program needs; its health is its status."""

import json
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from door_sync.settings.model import Ops

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "packaging/Containerfile").read_text("utf-8")
HEALTHY = ROOT / "packaging/container/healthy.py"


def instructions() -> list[tuple[str, str]]:
    """The container file's instructions in order, with their lines joined."""
    text = re.sub(r"(?m)^#.*\n", "", TEXT).replace("\\\n", " ")
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def last_stage() -> list[tuple[str, str]]:
    """The instructions of the image itself, after what only builds."""
    found = instructions()
    begins = max(number for number, (word, _) in enumerate(found) if word == "FROM")
    return found[begins:]


def told(word: str) -> list[str]:
    return [rest for one, rest in last_stage() if one == word]


def test_what_it_copies_from_the_repository_exists() -> None:
    copies = [shlex.split(rest) for word, rest in instructions() if word == "COPY"]
    sources = [path for words in copies if "--from=build" not in words for path in words[:-1]]
    assert "src" in sources
    assert [path for path in sources if not (ROOT / path).exists()] == []
    kept = (ROOT / "packaging/Containerfile.dockerignore").read_text().splitlines()
    let_through = {line.removeprefix("!") for line in kept if line.startswith("!")}
    assert {path.removeprefix("./").split("/")[0] for path in sources} == let_through


def test_every_library_is_checked_against_its_hash() -> None:
    installs = [
        command
        for word, rest in instructions()
        if word == "RUN"
        for command in rest.split("&&")
        if "pip install" in command
    ]
    assert len(installs) == 3
    for command in installs:
        locked = "--require-hashes" in command and re.search(r"requirements/\w+\.lock", command)
        assert locked or "--no-index --no-deps" in command


def test_it_runs_as_nobody_in_particular_and_keeps_what_must_last_in_volumes() -> None:
    assert told("USER") == ["6410:6410"]
    volumes = json.loads(told("VOLUME")[0])
    ops = Ops()
    for path in (ops.audit_jsonl, ops.state_json, ops.alert_flag, ops.history_db):
        assert re.sub(r"^/var/run/", "/run/", str(path.parent)) in volumes
    assert told("STOPSIGNAL") == ["SIGTERM"]
    assert json.loads(told("ENTRYPOINT")[0]) + json.loads(told("CMD")[0]) == ["door-sync", "run"]


def test_it_is_for_any_kind_of_processor() -> None:
    """Nothing in it names one: neither a platform nor a digest of an image."""
    assert not re.search(r"amd64|x86|aarch64|sha256:|--platform", re.sub(r"(?m)^#.*\n", "", TEXT))


def healthy(status: dict[str, object], directory: Path, code: int = 0) -> tuple[int, str]:
    """Run the health check, with a program beside it that prints this status."""
    printed = directory / "status.json"
    printed.write_text(json.dumps(status))
    (directory / "python").symlink_to(sys.executable)
    program = directory / "door-sync"
    program.write_text(f'#!/bin/sh\n[ "$*" = "status --json" ] && cat "{printed}"; exit {code}\n')
    program.chmod(0o755)
    [check] = [json.loads(rest.partition("CMD ")[2]) for rest in told("HEALTHCHECK")]
    ran = subprocess.run(
        [directory / "python", HEALTHY, *check[2:]], capture_output=True, text=True, check=False
    )
    return ran.returncode, ran.stdout + ran.stderr


def began(minutes: int) -> dict[str, object]:
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    return {"started": at.isoformat(timespec="seconds"), "event": "failed"}


def test_it_is_healthy_while_cycles_begin_however_they_end(tmp_path: Path) -> None:
    assert healthy({"running": None, "last_cycle": began(20)}, tmp_path) == (0, "")


def test_a_long_cycle_is_healthy(tmp_path: Path) -> None:
    assert healthy({"running": began(20), "last_cycle": began(2000)}, tmp_path) == (0, "")


@pytest.mark.parametrize("last", [began(61), None], ids=["long ago", "never"])
def test_it_is_ill_when_no_cycle_begins(last: object, tmp_path: Path) -> None:
    code, text = healthy({"running": None, "last_cycle": last}, tmp_path)
    assert code == 1
    assert text.startswith("The newest cycle began: ")


def test_it_is_ill_when_the_status_cannot_be_told(tmp_path: Path) -> None:
    assert healthy({}, tmp_path, code=2)[0] == 1
