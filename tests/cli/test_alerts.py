"""A site that mails its alerts, cycle after cycle, over a real mail server (P14)."""

import email
import email.policy
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from door_sync.journal.lock import SiteLock
from door_sync.simulators.faults import html_error
from tests.cli.conftest import Site
from tests.notify.conftest import Behaviour, MailServer

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server(
    authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MailServer]:
    """A mail server whose certificate this machine trusts."""
    file = tmp_path_factory.mktemp("authority") / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    running = MailServer(context, tls_from_the_start=False, behaviour=Behaviour())
    yield running
    running.close()


@pytest.fixture
def mailing(site: Site, server: MailServer) -> Site:
    """The club's site, which mails its alerts."""
    site.configure(**by_mail(server.port))
    with site.env_file.open("a") as file:
        file.write(f"SMTP_USERNAME=doorbot\nSMTP_PASSWORD={PASSWORD}\n")
    return site


def by_mail(port: int) -> dict[str, object]:
    return {
        "alert__transport": "smtp",
        "alert.smtp__host": "127.0.0.1",
        "alert.smtp__port": port,
        "alert.smtp__from": "door-sync@example.org",
        "alert.smtp__to": ["board@example.org"],
    }


def subjects(server: MailServer) -> list[str]:
    parse = email.message_from_string
    # A long subject may begin on the next line of a mail.
    return [parse(text, policy=email.policy.default)["Subject"].strip() for _, text in server.mails]


SOURCE = "CiviCRM cannot be read or believed"


def test_a_distrusted_source_is_one_mail_and_its_repair_one_more(
    mailing: Site, server: MailServer
) -> None:
    contact = mailing.club.join(1101, first="Secretname")
    mailing.settle()
    mailing.club.civicrm.faults.add(html_error(200), times=None)
    for _ in range(3):
        assert mailing.run("run", "--once").code == 2
        assert "CiviCRM" in mailing.flag.read_text()
    assert subjects(server) == [f"[door-sync] {SOURCE}"]
    mailing.club.civicrm.faults.clear()
    for _ in range(2):
        assert mailing.run("run", "--once").code == 0
        assert not mailing.flag.exists()
    assert subjects(server) == [f"[door-sync] {SOURCE}", f"[door-sync] Resolved: {SOURCE}"]
    mails = "".join(text for _, text in server.mails)
    assert "What settles it" in mails
    assert "Secretname" not in mails
    assert mailing.club.status_of(contact) == "ACTIVE"


def test_a_source_that_does_not_answer_once_is_never_told(
    mailing: Site, server: MailServer
) -> None:
    mailing.settle()
    mailing.configure(**by_mail(server.port), civicrm__host="http://127.0.0.1:9")
    assert mailing.run("run", "--once").code == 2
    assert mailing.flag.exists()
    mailing.configure(**by_mail(server.port))
    assert mailing.run("run", "--once").code == 0
    assert subjects(server) == []


def test_a_blocked_card_is_mailed_although_the_cycle_ends_well(
    mailing: Site, server: MailServer
) -> None:
    mailing.club.add_user("", cards=[1101])
    contact = mailing.club.join(1101)
    for _ in range(2):
        assert mailing.run("run", "--once").code == 0
    assert subjects(server) == ["[door-sync] Cards are blocked"]
    [(_, text)] = server.mails
    assert f"contact {contact}" in text
    assert "1101" not in email.message_from_string(text).get_payload()


def test_a_hand_that_undoes_what_is_written_is_found_out(mailing: Site, server: MailServer) -> None:
    club = mailing.club
    contact = club.join(1101)
    mailing.settle()
    for _ in range(3):
        assert subjects(server) == []
        club.unifi.world.set_policies(club.user_of(contact), [club.silver])
        assert mailing.run("run", "--once").code == 0
    title = "omething undoes what door-sync writes"
    assert subjects(server) == [f"[door-sync] S{title}"]
    assert f"(policy) for contact {contact}" in mailing.flag.read_text()
    assert mailing.run("run", "--once").code == 0
    assert subjects(server)[1:] == [f"[door-sync] Resolved: s{title}"]
    assert not mailing.flag.exists()


def test_a_dry_run_tells_nobody(mailing: Site, server: MailServer) -> None:
    mailing.club.civicrm.faults.add(html_error(200), times=None)
    assert mailing.run("run", "--once", "--dry-run").code == 2
    assert server.heard == []
    assert not mailing.flag.exists()


def test_a_full_disk_is_told_once_and_once_more_when_it_is_mended(
    mailing: Site, server: MailServer, tmp_path: Path
) -> None:
    broken = {**by_mail(server.port), "ops__history_db": str(tmp_path)}
    mailing.configure(**broken)
    for _ in range(3):
        assert mailing.run("run", "--once").code == 2
    mailing.configure(**by_mail(server.port))
    for _ in range(2):
        assert mailing.run("run", "--once").code == 0
    title = "o cycle runs, because its record cannot be kept"
    assert subjects(server) == [f"[door-sync] N{title}", f"[door-sync] Resolved: n{title}"]


def test_a_cycle_that_another_one_keeps_out_tells_nobody(mailing: Site, server: MailServer) -> None:
    mailing.settle()
    with SiteLock(mailing.journal):
        assert mailing.run("run", "--once").code == 75
    assert server.heard == []
    assert not mailing.flag.exists()


def test_a_lock_that_cannot_be_had_is_told_like_a_journal_that_cannot_be_used(
    mailing: Site, server: MailServer
) -> None:
    mailing.settle()
    lock = mailing.journal.with_name(f"{mailing.journal.name}.lock")
    lock.unlink()
    lock.mkdir()
    for _ in range(2):
        assert mailing.run("run", "--once").code == 2
    lock.rmdir()
    assert mailing.run("run", "--once").code == 0
    assert len(subjects(server)) == 2
    assert subjects(server)[1].startswith("[door-sync] Resolved: no cycle runs")


def test_a_fault_of_the_program_is_told_and_resolved(
    mailing: Site, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("door_sync.app.cycle.decide", broken)
        for _ in range(2):
            assert mailing.run("run", "--once").code == 2
    assert mailing.run("run", "--once").code == 0
    title = "a cycle broke off with a fault of the program"
    assert subjects(server) == [f"[door-sync] A{title[1:]}", f"[door-sync] Resolved: {title}"]


def test_a_channel_that_fails_changes_no_exit_code_and_is_said_in_the_report(
    mailing: Site, server: MailServer
) -> None:
    mailing.club.add_user("", cards=[1101])
    mailing.club.join(1101)
    server.behaviour.replies["AUTH"] = "535 no doorbot@example.org"
    ran = mailing.run("run", "--once")
    assert ran.code == 0
    assert "Alert not sent: The mail server refused the login (status 535)." in ran.out
    assert "SMTP_PASSWORD" in ran.out
    assert "code=535" in ran.err
    assert "An alert could not be sent" in mailing.flag.read_text()
    content = json.loads(mailing.run("run", "--once", "--json").out)
    assert "status 535" in content["unsent"]
    for secret in ("doorbot", PASSWORD, "example.org"):
        assert secret not in ran.out + ran.err + mailing.flag.read_text()
    server.behaviour.replies.clear()
    assert json.loads(mailing.run("run", "--once", "--json").out)["unsent"] is None
    assert subjects(server) == [
        "[door-sync] Cards are blocked",
        "[door-sync] Resolved: alerts could not be sent",
    ]


class TestNotifyTest:
    def test_it_sends_one_mail_and_says_by_what_it_went(
        self, mailing: Site, server: MailServer
    ) -> None:
        ran = mailing.run("notify-test")
        assert ran.code == 0
        assert ran.out == (
            "Sent: a test message, as a mail by SMTP. Look whether it has arrived.\n"
            "The flag file could be written. One that stands was left as it is.\n"
        )
        assert subjects(server) == ["[door-sync] Test: alerts reach you"]

    def test_a_failure_says_why_and_what_to_do_and_names_nobody(
        self, mailing: Site, server: MailServer
    ) -> None:
        server.behaviour.replies["RCPT"] = "550 no board@example.org"
        ran = mailing.run("notify-test")
        assert ran.code == 2
        assert ran.out.startswith("Not sent: no alert would arrive as a mail by SMTP.\n  Why: ")
        assert "status 550" in ran.out
        assert "What to do: " in ran.out
        assert "example.org" not in ran.out + ran.err
        told = json.loads(mailing.run("notify-test", "--json").out)
        assert (told["transport"], told["sent"], told["flag_writable"]) == ("smtp", False, True)
        assert "550" in told["errors"][0]["message"]

    def test_the_flag_alone_sends_nothing_and_leaves_one_that_stands(self, site: Site) -> None:
        site.flag.parent.mkdir()
        site.flag.write_text("stands")
        ran = site.run("notify-test")
        assert ran.code == 0
        assert ran.out.startswith("Nothing was sent: alerts are told by the flag file alone.")
        assert str(site.flag) in ran.out
        assert site.flag.read_text() == "stands"
        assert [*site.flag.parent.iterdir()] == [site.flag]
        told = json.loads(site.run("notify-test", "--json").out)
        assert told == {
            "transport": "flag-file",
            "sent": False,
            "flag_writable": True,
            "errors": [],
        }

    def test_a_flag_that_cannot_be_written_is_a_failure(self, site: Site) -> None:
        site.flag.mkdir(parents=True)
        ran = site.run("notify-test")
        assert ran.code == 2
        assert "could not be written" in ran.out
        assert "it is a directory" in ran.out
