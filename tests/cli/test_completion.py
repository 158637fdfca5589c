"""The printed scripts complete in the shells themselves, where these are installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from door_sync.cli.completion import SHELLS
from door_sync.cli.entry import COMMANDS, main


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as left:
        main(["completion", shell])
    assert left.value.code == 0
    return capsys.readouterr().out


def asked(shell: str, lines: str, directory: Path) -> str:
    """What a shell prints that runs these lines, with door-sync as a program in its path."""
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    program = directory / "door-sync"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m door_sync "$@"\n')
    program.chmod(0o755)
    environment = {
        **os.environ,
        "HOME": str(directory),
        "PATH": f"{directory}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    ran = subprocess.run(
        [path, "-c", lines], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stderr == ""
    return ran.stdout


def test_bash_completes_a_command_and_its_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "script").write_text(script("bash", capsys))
    told = asked(
        "bash",
        f"""source {tmp_path}/script
        COMP_WORDS=(door-sync rev) COMP_CWORD=1; _door_sync_completion door-sync
        echo "${{COMPREPLY[@]}}"
        COMPREPLY=()
        COMP_WORDS=(door-sync history --cy) COMP_CWORD=2; _door_sync_completion door-sync
        echo "${{COMPREPLY[@]}}"
        complete -p door-sync""",
        tmp_path,
    )
    assert told.splitlines() == [
        "revoke",
        "--cycle",
        "complete -o nosort -F _door_sync_completion door-sync",
    ]


def test_fish_completes_a_command_with_its_purpose(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "script").write_text(script("fish", capsys))
    told = asked("fish", f"source {tmp_path}/script; complete -C 'door-sync rev'", tmp_path)
    purpose = COMMANDS["revoke"].purpose.partition(",")[0]  # at a comma fish's script cuts it off
    assert told == f"revoke\t{purpose}\n"


def test_zsh_takes_the_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "_door-sync").write_text(script("zsh", capsys))
    told = asked(
        "zsh",
        f"fpath=({tmp_path} $fpath); autoload -Uz compinit; compinit -u -D; "
        "echo $_comps[door-sync]",
        tmp_path,
    )
    assert told == "_door-sync\n"


def test_completing_the_name_of_a_command_loads_no_command(tmp_path: Path) -> None:
    """On a small computer every library that is loaded can be felt at the tabulator."""
    code = (
        "import os, sys; os.environ.update(_DOOR_SYNC_COMPLETE='bash_complete',"
        " COMP_WORDS='door-sync re', COMP_CWORD='1')\n"
        "from door_sync.cli.entry import main\n"
        "try: main([])\n"
        "finally: sys.stderr.write(' '.join(m for m in sys.modules if 'cli.' in m))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    offered = [name for name in sorted(COMMANDS) if name.startswith("re")]
    assert ran.stdout.splitlines() == [f"plain,{name}" for name in offered]
    assert {"door_sync.cli.revoke", "door_sync.cli.restore"} & set(ran.stderr.split()) == set()


def test_another_shell_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["completion", "tcsh"])
    assert left.value.code == 64
    told = capsys.readouterr().err
    assert all(shell in told for shell in SHELLS)
