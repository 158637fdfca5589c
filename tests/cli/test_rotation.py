"""The rule for logrotate that is shipped keeps the chain of the audit file whole."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Site

RULE = Path(__file__).parents[2] / "packaging/logrotate"


def rotate(site: Site) -> None:
    """Rotate the site's audit file by the shipped rule, as if its month were over."""
    program = shutil.which("logrotate", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if program is None:
        pytest.skip("logrotate is not installed")
    rule, places = re.subn(
        r"(?m)^/var/log/door-sync/audit\.jsonl .*\{$", f"{site.audit} {{", RULE.read_text()
    )
    rule, users = re.subn(r"(?m)^ *su door-sync door-sync\n", "", rule)  # no such user here
    assert (places, users) == (1, 1)
    path = site.directory / "logrotate.conf"
    path.write_text(rule)
    path.chmod(0o644)
    state = site.directory / "logrotate.state"
    ran = subprocess.run(
        [program, "--force", "--state", state, path], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_chain_holds_over_rotated_and_compressed_files(site: Site) -> None:
    for number in range(3):
        site.club.join(1101 + number)
        assert site.run("run", "--once").code == 0
        rotate(site)
    assert not site.audit.exists(), "the next line makes it"
    assert site.run("run", "--once").code == 0
    names = {path.name for path in site.audit.parent.iterdir()}
    assert names == {"audit.jsonl", "audit.jsonl.1", "audit.jsonl.2.gz", "audit.jsonl.3.gz"}
    ran = site.run("history", "verify")
    assert ran.code == 0, ran.out
    assert ran.out.startswith("Fine: 4 files with 4 lines read")


def test_a_rotated_file_that_was_changed_is_found(site: Site) -> None:
    site.club.join(1101)
    assert site.run("run", "--once").code == 0
    rotate(site)
    assert site.run("run", "--once").code == 0
    rotated = site.audit.with_name("audit.jsonl.1")
    rotated.write_text(rotated.read_text().replace('"added": 1', '"added": 0'))
    ran = site.run("history", "verify")
    assert ran.code == 2
    assert "audit.jsonl.1" in ran.out
