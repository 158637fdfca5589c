"""The page about the service tells every figure and log line, and its example call works."""

import http.server
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from door_sync.daemon.figures import FIGURES
from door_sync.daemon.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, Gate
from tests.docs.pages import ROOT, blocks, page, section, spans, table

SERVICE = page("service.md")
SECRET = "0123456789abcdef" * 4
PATIENCE_SECONDS = 30


def test_every_figure_has_a_row_that_says_what_it_is_and_no_row_has_no_figure() -> None:
    rows = table(section(SERVICE, "Figures"), "figure")
    assert [row[0].strip("`") for row in rows] == [figure.name for figure in FIGURES]
    assert [row[1] for row in rows] == [figure.kind.value for figure in FIGURES]
    for row, figure in zip(rows, FIGURES, strict=True):
        assert tuple(spans(row[2])) == figure.labels
        assert row[3] == figure.help


def test_every_line_of_the_services_log_is_told() -> None:
    """Monitoring looks for these words."""
    events: set[str] = set()
    for path in (ROOT / "src/door_sync/daemon").glob("*.py"):
        found = re.findall(r'\blog\.(?:info|warning|error)\(\s*"([^"]+)"', path.read_text("utf-8"))
        events |= set(found)
    assert {"started", "not listening"} <= events
    told = set(spans(section(SERVICE, "The log of the service")))
    assert sorted(events - told) == []
    assert "cycle" in told


def test_every_message_to_systemd_is_told() -> None:
    sent: set[str] = set()
    for name in ("watching", "sd_notify"):
        text = (ROOT / f"src/door_sync/daemon/{name}.py").read_text("utf-8")
        sent |= set(re.findall(r"\b([A-Z_]+)=(?:1|round|status|text|self)", text))
    rows = table(section(SERVICE, "systemd"), "systemd hears")
    told = {row[0].strip("`").partition("=")[0] for row in rows}
    assert told == sent - {"MONOTONIC_USEC"}


def test_both_headers_are_told() -> None:
    rows = table(section(SERVICE, "The trigger"), "header")
    assert [row[0].strip("`") for row in rows] == [TIMESTAMP_HEADER, SIGNATURE_HEADER]


class Caught(http.server.BaseHTTPRequestHandler):
    """Keeps the calls that come."""

    calls: tuple[tuple[str, str, str, bytes], ...] = ()

    def do_POST(self) -> None:
        """Keep this one, and say what door-sync says."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = self.headers[TIMESTAMP_HEADER], self.headers[SIGNATURE_HEADER]
        Caught.calls = (*Caught.calls, (self.path, *headers, body))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_the_example_of_a_call_is_one_that_is_taken_and_a_second_one_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = {name: shutil.which(name) for name in ("sh", "curl", "openssl")}
    if None in tools.values():
        pytest.skip("needs curl and openssl")
    monkeypatch.setattr(Caught, "calls", ())
    server = http.server.HTTPServer(("127.0.0.1", 0), Caught)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    [script] = [b.text for b in blocks(section(SERVICE, "The trigger")) if b.kind == "sh"]
    script = script.replace("127.0.0.1:9147", f"127.0.0.1:{server.server_port}")
    try:
        for _ in range(2):
            subprocess.run(
                [str(tools["sh"]), "-eu", "-c", script],
                env={"TRIGGER_SECRET": SECRET, "PATH": "/usr/bin:/bin"},
                cwd=tmp_path,
                check=True,
                timeout=PATIENCE_SECONDS,
            )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    gate = Gate(SECRET)
    assert len(Caught.calls) == 2
    for path, timestamp, signature, body in Caught.calls:
        assert path == "/hooks/sync"
        assert gate.refusal(timestamp, signature, body, time.time()) is None
