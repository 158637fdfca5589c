"""The door of the program: help, wrong use, faults, and where its words go (§8)."""

import importlib
import os
import subprocess
import sys

import click
import pytest

from door_sync import __version__
from door_sync.cli import entry
from door_sync.cli.entry import COMMANDS, main
from door_sync.ports import DoorSyncError
from tests.cli.conftest import PATIENCE_SECONDS, PROGRAM, Ran, environment

HEAVY = {
    "asyncio",
    "cryptography",
    "httpcore2",
    "httpx2",
    "pydantic",
    "rich",
    "stamina",
    "starlette",
    "structlog",
    "uvicorn",
}


def run(capsys: pytest.CaptureFixture[str], *words: str) -> Ran:
    with pytest.raises(SystemExit) as left:
        main(words)
    out, err = capsys.readouterr()
    assert isinstance(left.value.code, int)
    return Ran(left.value.code, out, err)


def python(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**environment(), **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def shell(line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which $DOOR_SYNC is the program."""
    return subprocess.run(
        ["/bin/bash", "-c", line],
        env={**environment(), "DOOR_SYNC": " ".join(PROGRAM), **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def let_fail(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let `validate-config` raise this."""

    @click.command()
    def failing() -> int:
        raise error

    module = importlib.import_module(COMMANDS["validate-config"].module)
    monkeypatch.setattr(module, "command", failing)


def test_help_lists_every_command_with_its_purpose_and_the_exit_codes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ran = run(capsys, "--help")
    assert (ran.code, ran.err) == (0, "")
    for name, listed in COMMANDS.items():
        assert f"  {name} " in ran.out
        assert listed.purpose in ran.out
    for code in (0, 1, 2, 3, 10, 64, 75, 78):
        assert f" {code} " in ran.out


def test_help_and_version_import_nothing_that_only_a_cycle_needs() -> None:
    code = (
        "import sys\nfrom door_sync.cli.entry import main\n"
        "try:\n    main(sys.argv[1:] or ['--help'])\nexcept SystemExit as left:\n    "
        f"print(left.code, sorted({HEAVY!r} & sys.modules.keys()))"
    )
    assert python(code).stdout.splitlines()[-1] == "0 []"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_listed_command_is_there_and_explains_itself(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = run(capsys, name, "-h")
    assert (ran.code, ran.err) == (0, "")
    assert f"Usage: door-sync {name}" in ran.out


def test_show_diff_is_plan() -> None:
    assert COMMANDS["show-diff"].module == COMMANDS["plan"].module


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "--version")
    assert (ran.code, ran.out) == (0, f"door-sync, version {__version__}\n")


def test_a_shell_can_complete_the_names_of_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_DOOR_SYNC_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "door-sync s")
    monkeypatch.setenv("COMP_CWORD", "1")
    ran = run(capsys)
    assert (ran.code, ran.out) == (0, "plain,show-diff\nplain,simulate\nplain,status\n")


def test_without_words_the_process_is_told_what_there_is() -> None:
    done = shell("$DOOR_SYNC")
    assert done.returncode == 64
    assert "validate-config" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["disapprove"], "No such command 'disapprove'"),
        (["run", "--onec"], "--once"),
        (["plan", "--format", "yaml"], "'yaml' is not one of 'text', 'json', 'markdown'"),
        (["--log-format", "xml", "run"], "'xml' is not one of 'text', 'json'"),
        (["plan", "tonight"], "unexpected extra argument"),
    ],
)
def test_wrong_use_is_explained_and_ends_with_64(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = run(capsys, *words)
    assert (ran.code, ran.out) == (64, "")
    assert said in ran.err
    assert "Usage: door-sync" in ran.err
    assert "--help' for help" in ran.err


def test_an_error_for_the_operator_is_a_sentence_with_a_remedy_and_its_own_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Odd(DoorSyncError):
        exit_code = 42

    let_fail(monkeypatch, Odd("the cat sits on the router", remedy="Lure it away."))
    ran = run(capsys, "validate-config")
    assert (ran.code, ran.out) == (42, "")
    assert ran.err == ("door-sync: the cat sits on the router\nWhat to do: Lure it away.\n")
    let_fail(monkeypatch, Odd("the cat left"))
    assert run(capsys, "-v", "validate-config").err == "door-sync: the cat left\n"


def test_a_fault_of_the_program_shows_no_traceback_and_no_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    let_fail(monkeypatch, LookupError("Zaphodine Quux"))
    ran = run(capsys, "validate-config")
    assert (ran.code, ran.out) == (2, "")
    assert "fault of its own (LookupError)" in ran.err
    assert "door-sync -v" in ran.err
    assert "Zaphodine" not in ran.err
    assert "Traceback" not in ran.err
    assert ".py" not in ran.err


@pytest.mark.parametrize("option", ["-v", "--verbose"])
def test_with_v_a_fault_says_where_it_happened_but_still_not_what_it_knows_of_people(
    option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """P12 holds at any log level: what -v prints is sent to others for help."""
    fault = LookupError("Zaphodine Quux")
    fault.__cause__ = ValueError("54321")
    let_fail(monkeypatch, fault)
    ran = run(capsys, option, "validate-config")
    assert ran.code == 2
    assert "test_entry.py" in ran.err
    assert "raise error" in ran.err
    assert ran.err.index("ValueError") < ran.err.index("which led to:")
    assert ran.err.rstrip().endswith("LookupError")
    assert "Zaphodine" not in ran.err
    assert "54321" not in ran.err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interruption_says_that_nothing_is_lost(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    let_fail(monkeypatch, error)
    ran = run(capsys, "validate-config")
    assert ran.code == 130
    assert ran.err.strip() == (
        "Interrupted. Whatever was written is on record; the next cycle goes on from there."
    )


def test_a_command_that_returns_nothing_has_done_its_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def silent() -> None:
        return

    module = importlib.import_module(COMMANDS["validate-config"].module)
    monkeypatch.setattr(module, "command", silent)
    assert run(capsys, "validate-config") == Ran(0, "", "")


def test_a_reader_who_leaves_early_is_no_trouble() -> None:
    # `read` takes one line and is gone; the rest of the help has no reader any more.
    done = shell("$DOOR_SYNC --help | (exec 0<&-); echo ${PIPESTATUS[0]}", PYTHONUNBUFFERED="1")
    assert done.stdout == "0\n"
    assert done.stderr == ""


def test_a_closed_standard_output_is_no_trouble() -> None:
    done = shell("$DOOR_SYNC --version >&-; echo $? >&2")
    assert done.stderr == "0\n"


def test_a_full_disk_at_the_very_end_brings_no_traceback() -> None:
    """What the interpreter could not flush it would complain of after everything else."""
    code = "import sys\nfrom door_sync.cli import entry\nsys.stdout.write('x')\nentry._leave(3)"
    done = subprocess.run(
        ["/bin/bash", "-c", f'{sys.executable} -c "$CODE" > /dev/full'],
        env={**environment(), "CODE": code},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (3, "")


def test_a_terminal_without_the_letters_gets_their_codes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = (
        "import sys\nfrom door_sync.cli import entry\n"
        "class Known(Exception): pass\n"
        "try:\n    entry.main(['--version'])\nexcept SystemExit:\n    print('Zo\\u00eb')"
    )
    done = python(code, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "Zo\\xeb"


def test_a_standard_output_of_another_kind_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As inside a test runner or a notebook, which put their own object there."""

    class Paper:
        def __init__(self) -> None:
            self.text = ""

        def write(self, text: str) -> int:
            self.text += text
            return len(text)

        def flush(self) -> None:
            return

    paper = Paper()
    monkeypatch.setattr(sys, "stdout", paper)
    with pytest.raises(SystemExit) as left:
        entry.main(["--version"])
    assert left.value.code == 0
    assert __version__ in paper.text


def test_the_words_of_the_process_are_taken_where_none_are_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["door-sync", "--version"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
    assert __version__ in capsys.readouterr().out


def test_the_environment_of_the_tests_has_no_site_of_its_own() -> None:
    """Else a test could read an operator's configuration."""
    assert "DOOR_SYNC_CONFIG_DIR" not in os.environ
