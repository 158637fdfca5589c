"""`simulate` plays either system until it is told to end, and says what it did not understand."""

import hashlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import httpx2
import pytest

from door_sync.cli import simulate
from door_sync.cli.entry import main
from door_sync.cli.simulate.civicrm import SWITCHES as CIVICRM
from door_sync.cli.simulate.switches import SwitchBoard
from door_sync.cli.simulate.unifi import SWITCHES as UNIFI
from door_sync.simulators.demo_club import CIVICRM_KEY, UNIFI_TOKEN
from tests.cli.conftest import PATIENCE_SECONDS, Ran, environment

SIDES = ("civicrm", "unifi")


class Played:
    """A simulator as a process of its own, with what it printed at its start."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "door_sync", "simulate", *words],
            env=environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line.startswith("# Then: "):
                break
        self.text = "".join(lines)

    @property
    def config(self) -> str:
        return part(self.text, "# Into config.toml:", "# Into .env:")

    @property
    def env(self) -> str:
        return part(self.text, "# Into .env:", "# The other half")

    def end(self, number: signal.Signals) -> Ran:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE_SECONDS)
        return Ran(self.process.returncode, out, err)

    def __enter__(self) -> "Played":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def part(text: str, begin: str, end: str) -> str:
    return text.partition(begin)[2].partition(end)[0].strip() + "\n"


def door_sync(directory: Path, *words: str) -> Ran:
    """Run a command with the two files in a directory."""
    done = subprocess.run(
        [sys.executable, "-m", "door_sync", *words],
        env={**environment(), "DOOR_SYNC_CONFIG_DIR": str(directory)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def configure(directory: Path, *sides: Played) -> None:
    directory.mkdir(exist_ok=True)
    (directory / "config.toml").write_text("\n".join(side.config for side in sides))
    (directory / ".env").write_text("".join(side.env for side in sides))
    (directory / ".env").chmod(0o600)


def test_a_rehearsal_works_by_hand_and_goes_on_from_its_dumps(tmp_path: Path) -> None:
    """What both print is a whole configuration; a club that was dumped is a club in sync."""
    dumps = {side: tmp_path / f"{side}.json" for side in SIDES}
    site = tmp_path / "site"
    with ExitStack() as stack:
        played = [stack.enter_context(Played(side, "--dump", str(dumps[side]))) for side in SIDES]
        configure(site, *played)
        assert door_sync(site, "validate-config").code == 0
        plan = door_sync(site, "plan")
        assert plan.code == 0
        assert "36 people gain access" in plan.out
        first = door_sync(site, "run", "--once")
        assert (first.code, first.err) == (0, "")
        assert "36 people" in first.out.splitlines()[0]
        again = door_sync(site, "run", "--once")
        assert again.out == "Nothing to do: the controller matches the membership list.\n"
        for one, number in zip(played, (signal.SIGTERM, signal.SIGINT), strict=True):
            ended = one.end(number)
            assert (ended.code, ended.err) == (0, "")
            assert "Ended.\nThe state is in " in ended.out
    assert [dump.stat().st_mode & 0o777 for dump in dumps.values()] == [0o600, 0o600]

    with ExitStack() as stack:
        played = [stack.enter_context(Played(side, "--seed", str(dumps[side]))) for side in SIDES]
        configure(tmp_path / "another", *played)
        there = door_sync(tmp_path / "another", "run", "--once")
        assert there.out == "Nothing to do: the controller matches the membership list.\n"


# In this process: what a simulator does while it serves, and how it ends.


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run `simulate` with these words; once it serves, do something with its URL and end it."""
    printed = click.echo

    def run(*words: str, meanwhile: Callable[[str], object] = lambda _: None) -> Ran:
        def echo(text: object = None, *more: Any, **options: Any) -> None:
            printed(text, *more, **options)
            address = re.search(r"answers at (\S+) until", str(text))
            if address:
                meanwhile(address[1])
                os.kill(os.getpid(), signal.SIGTERM)

        monkeypatch.setattr(click, "echo", echo)
        with pytest.raises(SystemExit) as left:
            main(["simulate", *words])
        out, err = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return Ran(left.value.code, out, err)

    return run


@pytest.fixture
def client() -> Iterator[httpx2.Client]:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with httpx2.Client(verify=context, trust_env=False, timeout=10) as client:
        yield client


def seed_file(directory: Path, document: object) -> str:
    path = directory / "seed.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(path)


def contacts(client: httpx2.Client, url: str) -> httpx2.Response:
    return client.post(
        f"{url}/civicrm/ajax/api4/Contact/get",
        data={"params": json.dumps({"select": ["id"]})},
        headers={"X-Civi-Auth": f"Bearer {CIVICRM_KEY}"},
    )


def users(client: httpx2.Client, url: str, path: str = "users") -> httpx2.Response:
    headers = {"Authorization": f"Bearer {UNIFI_TOKEN}"}
    return client.get(f"{url}/api/v1/developer/{path}", headers=headers)


def test_civicrm_answers_over_http_with_the_club_and_the_printed_key(
    play: Callable[..., Ran], client: httpx2.Client
) -> None:
    seen: list[httpx2.Response] = []
    ran = play("civicrm", meanwhile=lambda url: seen.append(contacts(client, url)))
    assert (ran.code, ran.err) == (0, "")
    assert seen[0].url.scheme == "http"
    assert seen[0].url.host == "127.0.0.1"
    assert len(seen[0].json()["values"]) == 45
    assert "It holds 45 contacts, 42 memberships, 4 membership types." in ran.out
    assert f"CIVICRM_API_KEY={CIVICRM_KEY}\n" in ran.out
    assert ran.out.endswith("Ended.\n")


def test_the_controller_answers_over_https_with_the_printed_fingerprint(
    play: Callable[..., Ran], client: httpx2.Client
) -> None:
    shown: list[str] = []

    def look(url: str) -> None:
        assert len(users(client, url).json()["data"]) == 4
        port = int(url.rpartition(":")[2])
        pem = ssl.get_server_certificate(("127.0.0.1", port))
        shown.append(hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest())

    ran = play("unifi", meanwhile=look)
    assert (ran.code, ran.err) == (0, "")
    [fingerprint] = re.findall(r"^Fingerprint of its certificate: (\S+)$", ran.out, re.MULTILINE)
    assert fingerprint.replace(":", "").lower() == shown[0]
    unifi = tomllib.loads(part(ran.out, "# Into config.toml:", "# Into .env:"))["unifi"]
    assert unifi["tls_fingerprint"] == fingerprint
    assert "the access policies 'All doors', 'Front door only'." in ran.out


def test_the_former_signal_handlers_are_back_at_the_end(play: Callable[..., Ran]) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    assert play("civicrm").code == 0
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_a_port_can_be_chosen(play: Callable[..., Ran]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    seen: list[str] = []
    assert play("civicrm", "--port", str(port), meanwhile=seen.append).code == 0
    assert seen == [f"http://127.0.0.1:{port}"]


@pytest.mark.parametrize("side", SIDES)
def test_a_port_that_is_taken_is_said_with_a_remedy(side: str, play: Callable[..., Ran]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = play(side, "--port", str(taken.getsockname()[1]))
    assert ran.code == 2
    assert "the port cannot be used: Address already in use" in ran.err
    assert "--port" in ran.err
    assert ran.out == ""


def test_switches_of_civicrm_are_turned(play: Callable[..., Ran], client: httpx2.Client) -> None:
    seen: list[int] = []

    def look(url: str) -> None:
        seen.append(contacts(client, url).status_code)

    assert play("civicrm", "--switch", "outage=database", meanwhile=look).code == 0
    assert play("civicrm", meanwhile=look).code == 0
    assert seen == [500, 200]


def test_switches_of_the_controller_are_turned(
    play: Callable[..., Ran], client: httpx2.Client
) -> None:
    seen: list[int] = []

    def look(url: str) -> None:
        seen.append(users(client, url, "users/nobody").status_code)

    assert play("unifi", "--switch", "business_error_status=400", meanwhile=look).code == 0
    assert play("unifi", meanwhile=look).code == 0
    assert seen == [400, 200]


def test_a_switch_on_the_command_line_outdoes_the_one_in_the_seed(
    play: Callable[..., Ran], tmp_path: Path
) -> None:
    seed = seed_file(tmp_path, {"switches": {"unbind": "both", "bad_row": "file fails"}})
    dump = tmp_path / "dump.json"
    assert play("unifi", "--seed", seed, "--switch", "unbind=delete", "--dump", str(dump)).code == 0
    switches = json.loads(dump.read_text())["switches"]
    assert (switches["unbind"], switches["bad_row"]) == ("delete", "file fails")


@pytest.mark.parametrize(("side", "ask"), [("civicrm", contacts), ("unifi", users)])
def test_latency_makes_every_answer_take_longer(
    side: str,
    ask: Callable[[httpx2.Client, str], httpx2.Response],
    play: Callable[..., Ran],
    client: httpx2.Client,
) -> None:
    seconds: list[float] = []

    def look(url: str) -> None:
        begun = time.perf_counter()
        assert ask(client, url).status_code == 200
        seconds.append(time.perf_counter() - begun)

    assert play(side, "--latency", "120", meanwhile=look).code == 0
    assert seconds[0] >= 0.12


@pytest.mark.parametrize("side", SIDES)
def test_a_dump_that_cannot_be_written_is_said(
    side: str, play: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = play(side, "--dump", str(tmp_path))
    assert ran.code == 2
    assert "cannot write" in ran.err


def test_a_site_with_several_keys_lists_them_and_suggests_the_one_with_full_rights(
    play: Callable[..., Ran], tmp_path: Path
) -> None:
    keys = [{"key": "weak-key", "role": "nomember"}, {"key": "strong-key", "role": "full"}]
    ran = play("civicrm", "--seed", seed_file(tmp_path, {"keys": keys}))
    assert "It accepts these keys:\n  strong-key  (full)\n  weak-key  (nomember)\n" in ran.out
    assert "CIVICRM_API_KEY=strong-key\n" in ran.out


def test_a_seed_without_keys_gets_one_for_either_side(
    play: Callable[..., Ran], tmp_path: Path
) -> None:
    seed = seed_file(tmp_path, {})
    assert f"CIVICRM_API_KEY={CIVICRM_KEY}\n" in play("civicrm", "--seed", seed).out
    ran = play("unifi", "--seed", seed)
    assert f"UNIFI_API_KEY={UNIFI_TOKEN}\n" in ran.out
    assert "0 users, 0 cards, 0 doors, and the access policies (none)." in ran.out


# Switches


@pytest.mark.parametrize("side", SIDES)
def test_a_wrong_switch_ends_with_64_before_anything_is_served(
    side: str, play: Callable[..., Ran]
) -> None:
    ran = play(side, "--switch", "xyzzy=1")
    assert ran.code == 64
    assert "Known are: " in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(("side", "board"), [("civicrm", CIVICRM), ("unifi", UNIFI)])
def test_every_switch_is_listed_with_values_that_it_takes(
    side: str, board: SwitchBoard, play: Callable[..., Ran]
) -> None:
    ran = play(side, "--list-switches")
    assert ran.code == 0
    listed = dict(line.split("  (default ")[0].split("=", 1) for line in ran.out.splitlines())
    assert list(listed) == board.names()
    for name, values in listed.items():
        choices = re.split(r"[|]", values.removesuffix(",…"))
        for choice in choices:
            if choice not in {"TEXT", "NUMBER", "NUMBER,…"}:
                board.parse([f"{name}={choice}"])
    defaults = {line.split("=")[0]: line.split("(default ")[1] for line in ran.out.splitlines()}
    assert defaults["version" if side == "civicrm" else "unbind"] in {"6.17)", "put)"}


# Seeds


@pytest.mark.parametrize("side", SIDES)
def test_the_format_of_seeds_can_be_read(side: str, play: Callable[..., Ran]) -> None:
    ran = play(side, "--seed-format")
    assert ran.code == 0
    assert "JSON" in ran.out
    assert "run the command without --seed, with --dump FILE" in ran.out


@pytest.mark.parametrize("side", SIDES)
def test_a_bad_seed_ends_with_78_before_anything_is_served(
    side: str, play: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = play(side, "--seed", seed_file(tmp_path, {"people": []}))
    assert ran.code == 78
    assert "seed.json cannot be used: " in ran.err
    assert f"`door-sync simulate {side} --seed-format` prints what a seed may hold" in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""


def test_a_site_that_begins_with_a_card_field_of_its_own_is_served(
    play: Callable[..., Ran], tmp_path: Path
) -> None:
    document = {
        "card_field": "Doors.number",
        "custom_groups": [{"name": "Doors", "fields": [{"name": "number"}]}],
        "contacts": [{"first_name": "Ann", "card": "1001"}],
    }
    ran = play("civicrm", "--seed", seed_file(tmp_path, document))
    assert ran.code == 0
    assert 'card_id_field = "Doors.number"' in ran.out


def test_the_help_of_each_names_every_option(play: Callable[..., Ran]) -> None:
    top = play("--help")
    assert "door-sync simulate civicrm" in top.out
    for side in SIDES:
        ran = play(side, "--help")
        assert ran.code == 0
        for option in ("--port", "--seed", "--switch", "--latency", "--dump", "--list-switches"):
            assert option in ran.out
        assert "--host" not in ran.out, "only this machine can reach it"


def test_the_options_are_those_of_the_command_line_alone() -> None:
    """Both sides have the same options, so that a rehearsal needs to be learnt once."""
    sides: Mapping[str, click.Command] = simulate.command.commands
    names = [{one.name for one in command.params} for command in sides.values()]
    assert names[0] == names[1]
