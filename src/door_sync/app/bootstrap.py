"""The one composition root: settings in, a site that can run cycles out (style.md, habit 12)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from door_sync.app.alerting import Ways
from door_sync.app.canaries import Canaries
from door_sync.app.channels import notifier_of, policy_of
from door_sync.app.clock import SystemClock
from door_sync.app.cycle import Parts, Progress, dry_run, live_run
from door_sync.app.explaining import Explained, explain_contact
from door_sync.app.past import story_of
from door_sync.app.plan_file import NotAPlan, PlanFile
from door_sync.app.recording import OpsFiles, record_fault, record_outside
from door_sync.app.remembering import AlertMemory
from door_sync.app.report import CycleReport
from door_sync.app.traffic import Traffic
from door_sync.civicrm.client import CivicrmSource, auth_headers
from door_sync.core.controller import UserId
from door_sync.core.decision import Habits
from door_sync.core.guards import Budgets
from door_sync.core.people import ContactId
from door_sync.core.tiers import Resolution, Rule
from door_sync.http import AuthorityTls, HttpClient, PinnedTls, PlainHttp
from door_sync.journal.errors import journal_errors
from door_sync.journal.lock import Patience, SiteLock
from door_sync.journal.memory import InMemoryJournal
from door_sync.journal.retention import Keep
from door_sync.journal.sqlite import SqliteJournal
from door_sync.ports import Clock, DoorSyncError, Journal, JournalError, LockHeld, PlanDrifted
from door_sync.settings import Settings
from door_sync.unifi.client import UnifiController, token_headers


def run_site(
    settings: Settings,
    progress: Progress | None = None,
    clock: Clock | None = None,
    *,
    wait_seconds: float = 0,
    plan: PlanFile | None = None,
    alerts: AlertMemory | None = None,
    traffic: Traffic | None = None,
    is_early_retry: bool = False,
) -> CycleReport:
    """Run one live cycle of a site under its lock, and leave its traces (§7).

    A cycle of this site that is running already is waited for, at most `wait_seconds`; raise
    LockHeld if it still runs then, NotAPlan if `plan` was not made for this site, ValueError and
    the like for faults of the program. Everything else is in the report. With a `plan`, nothing
    is written unless that is exactly what would be written now. `alerts` is handed in by who runs
    cycle after cycle, and remembers what was told while the journal cannot (P14); so are `traffic`,
    which takes down how much was asked, and `is_early_retry`, for a cycle that comes sooner than
    the cadence because a side was down.
    """
    clock, progress = clock or SystemClock(), progress or Progress()
    traffic = traffic or Traffic()
    files, path = _ops_files(settings), settings.ops.history_db
    ways = ways_of(settings, clock, alerts)
    try:
        with SiteLock(path, _patience(wait_seconds, clock, progress)):
            report = _live_run(settings, progress, clock, path, plan, traffic)
            progress.goes_on()  # alerts have their time from here
            if isinstance(report.error, PlanDrifted):
                return report  # who applied the plan sees it; it says nothing about the site
            return record_outside(report, files, clock, ways, is_early_retry=is_early_retry)
    except (LockHeld, NotAPlan):
        raise  # nothing is wrong with this site
    except JournalError as error:  # of the lock: no process holds it, but its file is not to be had
        return record_outside(_stopped(error, clock, is_dry=False), files, clock, ways)
    except Exception as error:
        record_fault(error, files, clock, ways)
        raise


def ways_of(settings: Settings, clock: Clock, memory: AlertMemory | None = None) -> Ways:
    """Return how a site calls for a person (§10, `[alert]`)."""
    return Ways(
        policy_of(settings),
        settings.alert.transport,
        notifier_of(settings, clock),
        memory or AlertMemory(),
    )


def _patience(seconds: float, clock: Clock, progress: Progress) -> Patience:
    def told() -> None:
        progress.stage(f"Waiting up to {seconds:g} s for the cycle that is running already")

    return Patience(seconds, clock, told)


def plan_site(
    settings: Settings,
    progress: Progress | None = None,
    clock: Clock | None = None,
    *,
    leaves_audit_line: bool = False,
) -> CycleReport:
    """Read both sides and decide, and write nothing to the controller or the journal (P7)."""
    clock = clock or SystemClock()
    try:
        with (
            journal_to_look_into(settings.ops.history_db, clock) as journal,
            _parts(settings, journal, clock, progress or Progress(), Traffic()) as parts,
        ):
            report = dry_run(parts, progress)
    except DoorSyncError as error:
        report = _stopped(error, clock, is_dry=True)
    return record_outside(report, _ops_files(settings), clock) if leaves_audit_line else report


def explain_site(
    settings: Settings,
    contact_id: ContactId,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> Explained:
    """Say why one person may or may not open doors, and what comes next; write nothing (P7)."""
    clock, progress, traffic = clock or SystemClock(), progress or Progress(), Traffic()
    path = settings.ops.history_db
    try:
        with (
            journal_to_look_into(path, clock) as journal,
            _members_alone(settings, clock, progress, traffic) as source,
            controller_alone(settings, clock, progress, traffic) as controller,
        ):
            parts = _assembled(settings, source, controller, journal, clock)
            found = explain_contact(contact_id, parts, source, controller, progress)
            standing = [one for one in journal.cut_offs().of(contact_id) if one.lifted_at is None]
            story = story_of(path, contact_id) if parts.is_lasting else None
        return replace(found, cut_off=standing[0] if standing else None, story=story)
    except DoorSyncError as error:
        report = _stopped(error, clock, is_dry=True)
        return Explained(contact_id, report, error=error)


@contextmanager
def parts_to_look_with(
    settings: Settings, progress: Progress | None = None, clock: Clock | None = None
) -> Iterator[Parts]:
    """Build what a site works with, over a journal for reading alone; raise JournalError."""
    clock = clock or SystemClock()
    with (
        journal_to_look_into(settings.ops.history_db, clock) as journal,
        _parts(settings, journal, clock, progress or Progress(), Traffic()) as parts,
    ):
        yield parts


def _live_run(
    settings: Settings,
    progress: Progress,
    clock: Clock,
    path: Path,
    plan: PlanFile | None,
    traffic: Traffic,
) -> CycleReport:
    try:
        with (
            SqliteJournal.open(path, clock) as journal,
            _parts(settings, journal, clock, progress, traffic) as parts,
        ):
            journal.prune_daily(clock.now(), keep(settings))
            if plan is None:
                return live_run(parts, progress)
            return live_run(parts, progress, plan.check(journal.site_key()))
    except NotAPlan:
        raise
    except DoorSyncError as error:
        return _stopped(error, clock, is_dry=False)


def _stopped(error: DoorSyncError, clock: Clock, *, is_dry: bool) -> CycleReport:
    """Return the report of a cycle that has none of its own: no journal, or no way to begin."""
    return CycleReport(clock.now(), dry_run=is_dry, key=b"", error=error)


def journal_to_look_into(path: Path, clock: Clock) -> SqliteJournal:
    """Return the site's journal for reading alone; an empty one before the first live cycle.

    Raise JournalError.
    """
    with journal_errors(path):
        is_there = path.exists()
    return SqliteJournal.open_read_only(path, clock) if is_there else InMemoryJournal(clock)


def _ops_files(settings: Settings) -> OpsFiles:
    ops = settings.ops
    return OpsFiles(
        audit=ops.audit_jsonl, state=ops.state_json, flag=ops.alert_flag, journal=ops.history_db
    )


@contextmanager
def _parts(
    settings: Settings, journal: Journal, clock: Clock, progress: Progress, traffic: Traffic
) -> Iterator[Parts]:
    """Build both adapters; close their connections at the end."""
    with (
        _members_alone(settings, clock, progress, traffic) as source,
        controller_alone(settings, clock, progress, traffic) as controller,
    ):
        yield _assembled(settings, source, controller, journal, clock)


def _assembled(
    settings: Settings,
    source: CivicrmSource,
    controller: UnifiController,
    journal: Journal,
    clock: Clock,
) -> Parts:
    return Parts(
        source=source,
        controller=controller,
        journal=journal,
        habits=habits(settings),
        clock=clock,
        canaries=canaries(settings),
        is_lasting=not isinstance(journal, InMemoryJournal),
    )


@contextmanager
def _members_alone(
    settings: Settings, clock: Clock, progress: Progress, traffic: Traffic
) -> Iterator[CivicrmSource]:
    civicrm = settings.civicrm
    is_plain = civicrm.host.startswith("http://")
    with (
        HttpClient(
            civicrm.host,
            headers=auth_headers(settings.secrets.civicrm_api_key.reveal(), civicrm.auth),
            tls=PlainHttp() if is_plain else AuthorityTls(civicrm.ca_file),
            timeout_seconds=civicrm.timeout_seconds,
            clock=clock,
            trust_environment_proxies=True,
            after_try=progress.goes_on,
        ) as client,
        traffic.counting("civicrm", client),
    ):
        yield CivicrmSource(
            client,
            auth=civicrm.auth,
            path=civicrm.path,
            card_id_field=civicrm.card_id_field,
            active_statuses=civicrm.active_statuses,
            page_size=civicrm.page_size,
        )


@contextmanager
def controller_alone(
    settings: Settings,
    clock: Clock,
    progress: Progress | None = None,
    traffic: Traffic | None = None,
) -> Iterator[UnifiController]:
    """Build the controller's adapter, for what must work without CiviCRM; close it at the end."""
    unifi, progress, traffic = settings.unifi, progress or Progress(), traffic or Traffic()
    with (
        HttpClient(
            unifi.host,
            headers=token_headers(settings.secrets.unifi_api_key.reveal()),
            tls=PinnedTls(unifi.tls_fingerprint),
            timeout_seconds=unifi.timeout_seconds,
            clock=clock,
            write_interval_seconds=unifi.write_interval_ms / 1000,
            trust_environment_proxies=False,
            after_try=progress.goes_on,
        ) as client,
        traffic.counting("unifi", client),
    ):
        yield UnifiController(
            client, facility_code=unifi.facility_code, read_concurrency=unifi.read_concurrency
        )


def canaries(settings: Settings) -> Canaries:
    """Return what the site says every read must show."""
    contact, user = settings.civicrm.canary_contact, settings.unifi.canary_user
    return Canaries(
        contact=None if contact is None else ContactId(contact),
        user=None if user is None else UserId(user),
    )


def keep(settings: Settings) -> Keep:
    """Return how long the journal keeps what it has."""
    return Keep(
        changes=timedelta(days=settings.ops.keep_changes_days),
        quiet=timedelta(days=settings.ops.keep_quiet_cycles_days),
    )


def habits(settings: Settings) -> Habits:
    """Return the site's choices in the terms of the core."""
    safety = settings.safety
    return Habits(
        rules=tuple(
            Rule(key, Resolution(rule.resolution), rule.rank, rule.target_policy or "")
            for key, rule in settings.tier_mapping.rules.items()
        ),
        active_statuses=frozenset(settings.civicrm.active_statuses),
        stale_after=timedelta(days=settings.civicrm.stale_after_days),
        stale_denies=settings.civicrm.stale == "deny",
        email_sync=settings.unifi.email == "sync",
        budgets=Budgets(
            deactivate=safety.mass_deactivate_pct,
            add=safety.mass_add_pct,
            policy=safety.mass_policy_pct,
            card=safety.mass_card_pct,
            profile=safety.mass_profile_pct,
            floor=safety.baseline_floor,
            few=safety.small_site_max,
            min_read=safety.min_read_pct,
            halt_on_bad_record=safety.on_bad_record == "halt",
            everything_holds_everything=safety.scope == "cycle",
        ),
    )
