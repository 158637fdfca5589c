"""Setting a site up for a test: answers from a file, or a person at a real terminal."""

import os
import select
import signal
import subprocess
import time
from contextlib import suppress

from tests.cli.conftest import PATIENCE_SECONDS, PROGRAM, Ran, Site, environment
from tests.club import Club

ANSWERS = """
[civicrm]
host = "{civicrm}"
card_id_field = "Door_Access.card_id"
[unifi]
host = "{unifi}"
tls_fingerprint = "{fingerprint}"
facility_code = 42
email = "off"
[ops]
layout = "here"
[rules.Gold]
resolution = "tier"
target_policy = "Gold hours"
rank = 100
[rules.Silver]
resolution = "tier"
target_policy = "Silver hours"
rank = 50
[rules.Supporter]
resolution = "none"
[rules."Day pass"]
resolution = "day-pass"
[rules.Mystery]
resolution = "none"
"""


def answers(club: Club) -> str:
    """The answers for a club."""
    return ANSWERS.format(
        civicrm=club.civicrm_server.url,
        unifi=club.unifi_server.url,
        fingerprint=club.unifi_server.fingerprint,
    )


def answered(site: Site, text: str, *more: str) -> Ran:
    file = site.directory / "answers.toml"
    file.write_text(text)
    return site.run("init", "--answers", str(file), *more)


class Terminal:
    """A person at a terminal: waits for a prompt, then types."""

    def __init__(self, site: Site) -> None:
        self._ours, theirs = os.openpty()
        self.shown = ""
        self._seen = 0
        environ = {**environment(), "TERM": "dumb", "COLUMNS": "120"}
        for name in ("CIVICRM_API_KEY", "UNIFI_API_KEY"):
            environ.pop(name, None)
        self.process = subprocess.Popen(
            [*PROGRAM, *site.where(), "init"],
            env=environ,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def type(self, prompt: str, text: str) -> None:
        """Wait for a prompt, and answer it."""
        self.wait_for(prompt)
        os.write(self._ours, text.encode() + b"\n")

    def wait_for(self, text: str) -> None:
        """Wait until this is shown, after what was waited for before."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while text not in self.shown[self._seen :]:
            assert self._read(ends), f"never shown: {text}\n{self.shown}"
        self._seen = self.shown.index(text, self._seen) + len(text)

    def end(self) -> int:
        """Read to the end; return the exit code."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while self._read(ends):
            pass
        return self.process.wait(PATIENCE_SECONDS)

    def interrupt(self) -> int:
        """Press Ctrl-C until the program ends; return the exit code.

        One press may get lost between the prompt and the wait for a key.
        """
        for _ in range(10):
            os.killpg(self.process.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE_SECONDS / 10)
                break
        return self.end()

    def close(self) -> None:
        """Leave nothing running."""
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def _read(self, ends: float) -> bool:
        if not select.select([self._ours], [], [], max(0.0, ends - time.monotonic()))[0]:
            return False
        try:
            piece = os.read(self._ours, 65536)
        except OSError:  # the process has ended, and with it the terminal
            return False
        self.shown += piece.decode(errors="replace").replace("\r\n", "\n")
        return bool(piece)
