"""Measure a cycle without changes, as a whole process, against simulators in other processes.

`make bench` prints, for each size of club, wall time, CPU time and peak memory of
`door-sync run --once` (the median of a few runs), with CiviCRM answering after 150 ms and the
controller after 20 ms. `python benchmarks/cycle.py 1000 20000` takes other sizes.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZES = (1_000, 10_000)
RUNS = 3
CIVICRM_SECONDS, UNIFI_SECONDS = 0.150, 0.020
LARGEST = 65_536
"""So many card numbers there are; beyond it every further member would be a duplicate."""


@contextmanager
def side(name: str, members: int, latency: float) -> Iterator[dict[str, str]]:
    """Start one simulated side in a process of its own; yield where it is."""
    serve = Path(__file__).with_name("serve.py")
    command = [sys.executable, str(serve), name, str(members), str(latency)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield json.loads(process.stdout.readline())
        process.stdin.close()


def write_files(directory: Path, civicrm: dict[str, str], unifi: dict[str, str]) -> None:
    """Write the two files of a site that talks to these sides."""
    (directory / "config.toml").write_text(
        f"""
[civicrm]
host = "{civicrm["url"]}"
card_id_field = "Door_Access.card_id"
[unifi]
host = "{unifi["url"]}"
tls_fingerprint = "{unifi["fingerprint"]}"
facility_code = 42
[ops]
audit_jsonl = "{directory}/audit.jsonl"
state_json = "{directory}/state.json"
alert_flag = "{directory}/alert.flag"
[tier_mapping.rules.Gold]
resolution = "tier"
target_policy = "Gold hours"
rank = 1
"""
    )
    env = directory / ".env"
    env.write_text(f"CIVICRM_API_KEY={civicrm['key']}\nUNIFI_API_KEY={unifi['key']}\n")
    env.chmod(0o600)


def run_once(directory: Path) -> tuple[float, float, float]:
    """Run one cycle; return wall seconds, CPU seconds and peak memory in MiB."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "door_sync", "run", "--once"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    said = process.stdout.read().decode()
    _pid, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode != 0 or not said.startswith("Nothing to do"):
        raise SystemExit(f"the cycle did not go as expected:\n{said}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    """Measure each size and print a table."""
    sizes = tuple(int(word) for word in sys.argv[1:]) or SIZES
    print(f"{'members':>9} {'wall s':>8} {'CPU s':>8} {'peak MiB':>9}   median of {RUNS} runs")
    for members in sizes:
        if members > LARGEST:
            raise SystemExit(f"there are only {LARGEST} card numbers")
        with (
            side("civicrm", members, CIVICRM_SECONDS) as civicrm,
            side("unifi", members, UNIFI_SECONDS) as unifi,
            tempfile.TemporaryDirectory() as directory,
        ):
            write_files(Path(directory), civicrm, unifi)
            runs = [run_once(Path(directory)) for _ in range(RUNS)]
        wall, cpu, peak = (statistics.median(figure) for figure in zip(*runs, strict=True))
        print(f"{members:9} {wall:8.2f} {cpu:8.2f} {peak:9.0f}", flush=True)


if __name__ == "__main__":
    main()
