"""Whether CiviCRM's statuses and types fit the settings, and whether its statuses are kept up."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from door_sync.app.checkup.check import Check, Name, bad, good, not_asked, warning
from door_sync.civicrm.examination import Examination, Job
from door_sync.core.tiers import Resolution, Rule, match_rules
from door_sync.ports import Clock
from door_sync.settings import Civicrm, TierMapping

LATELY: Final = timedelta(days=2)
"""The job runs daily; a second day is for a server that was off."""

_JOB_REMEDY: Final = (
    'In CiviCRM open Administer → System Settings → Scheduled Jobs, enable "Update Membership '
    "Statuses\" and execute it now; and see that the server's cron runs CiviCRM's jobs."
)


def membership_checks(
    found: Examination, civicrm: Civicrm, tiers: TierMapping | None, clock: Clock
) -> Iterator[Check]:
    """Yield the checks of statuses, types with their rules, and the job that ends memberships."""
    yield _statuses(found, civicrm.active_statuses)
    yield _types(found, tiers)
    yield _job(found, civicrm.stale_after_days, clock)


def _statuses(found: Examination, active: Iterable[str]) -> Check:
    if found.statuses is None:
        return not_asked(Name.STATUSES, "memberships cannot be read")
    unknown = [name for name in active if name not in found.statuses]
    if unknown:
        return bad(
            Name.STATUSES,
            f"civicrm.active_statuses names {_listed(unknown)}, which CiviCRM does not have",
            f"CiviCRM has {_listed(sorted(found.statuses))}. Upper and lower case matter.",
        )
    return good(Name.STATUSES, f"CiviCRM has {_listed(active)}, which give access")


def _types(found: Examination, tiers: TierMapping | None) -> Check:
    if found.types is None:
        return not_asked(Name.TYPES, "memberships cannot be read")
    if tiers is None:
        return not_asked(Name.TYPES, "the rules in config.toml have a fault")
    if not found.types:
        return bad(
            Name.TYPES,
            "CiviCRM lists no membership types",
            "Create them in CiviCRM, or look whether an extension hides them from the key's user.",
        )
    matched = match_rules(found.types, rules_of(tiers))
    without = [one for one in found.types if one.id not in matched.by_type]
    in_use = [one.name for one in without if one.id not in found.retired]
    retired = [one.name for one in without if one.id in found.retired]
    notes = []
    if matched.unused:
        notes.append(f"no type is called {_listed(matched.unused)}, as a rule is")
    if retired:
        notes.append(f"retired types without a rule: {_listed(retired)}")
    if in_use:
        return bad(
            Name.TYPES,
            "; ".join([f"membership types without a rule: {_listed(in_use)}", *notes]),
            "Add a table [tier_mapping.rules.NAME] for each, with the type's exact name. Until "
            'then their members are left as they are; resolution = "none" is an answer, too.',
        )
    if notes:
        return warning(
            Name.TYPES,
            f"every type in use has a rule; {'; '.join(notes)}",
            "Correct or remove a rule that fits nothing. Members whose type is retired and has no "
            "rule are left as they are.",
        )
    return good(Name.TYPES, f"each of the {len(found.types)} has a rule")


def _job(found: Examination, days: int, clock: Clock) -> Check:
    if found.job is not None:
        return _job_seen(found.job, clock)
    if found.overdue is None or not found.sees_everybody:
        return not_asked(Name.JOB, "memberships cannot be read")
    if found.overdue:
        many = "1 membership" if found.overdue == 1 else f"{found.overdue} memberships"
        return bad(
            Name.JOB,
            f"{many} ended more than {days} days ago and still count as active, so the job that "
            "ends memberships does not run",
            _JOB_REMEDY,
        )
    return good(Name.JOB, "no membership is overdue; the job itself is not for this key to see")


def _job_seen(job: Job, clock: Clock) -> Check:
    if not job.is_active:
        return bad(Name.JOB, "the job that ends memberships is switched off", _JOB_REMEDY)
    if job.last_run is None:
        return bad(Name.JOB, "the job that ends memberships has never run", _JOB_REMEDY)
    # The site's own time zone is not told; against two days it does not matter.
    age = clock.now().replace(tzinfo=None) - job.last_run.replace(tzinfo=None)
    if age > LATELY:
        text = f"the job that ends memberships ran last on {job.last_run:%Y-%m-%d}"
        return bad(Name.JOB, text, _JOB_REMEDY)
    return good(Name.JOB, f"it ran last on {job.last_run:%Y-%m-%d}")


def rules_of(tiers: TierMapping) -> tuple[Rule, ...]:
    """Return the tier rules in the terms of the core."""
    return tuple(
        Rule(key, Resolution(rule.resolution), rule.rank, rule.target_policy or "")
        for key, rule in tiers.rules.items()
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names if name.isprintable()) or "none"
