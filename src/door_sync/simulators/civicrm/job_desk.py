"""Scheduled jobs and their log, which only an administrator can read (§7)."""

from dataclasses import dataclass
from datetime import datetime

from door_sync.simulators.civicrm.records import Job, JobLogEntry
from door_sync.simulators.civicrm.tables import Tables

STATUS_JOB = "process_membership"
_COMMAND = "Entity: Job Action: process_membership"


@dataclass(frozen=True)
class JobResult:
    """What one run of *Update Membership Statuses* did."""

    processed: int
    updated: int


class JobDesk(Tables):
    """Work on scheduled jobs."""

    def add_job(self, name: str, api_action: str, *, job_id: int | None = None) -> int:
        """Create a scheduled job, switched off as after an install; return its id."""
        with self.lock:
            number = self._next_id("jobs", job_id)
            self.jobs[number] = Job(number, name, api_action)
            return number

    def set_job_active(self, api_action: str, active: bool) -> None:
        """Switch a scheduled job on or off."""
        with self.lock:
            self._job(api_action).is_active = active

    def _job(self, api_action: str) -> Job:
        for job in self.jobs.values():
            if job.api_action == api_action:
                return job
        raise LookupError(f"no such job: {api_action}")

    def _log_run(self, result: JobResult, begun: datetime) -> None:
        job = self._job(STATUS_JOB)
        ended = self.now()
        job.last_run, job.last_run_end = begun, ended
        outcome = (
            f"Finished execution of {job.name} with result: Success (Processed {result.processed} "
            f"membership records. Updated {result.updated} records.)"
        )
        self._log(begun, "Starting scheduled jobs execution")
        self._log(begun, f"Starting execution of {job.name}", job)
        self._log(ended, outcome, job)
        self._log(ended, "Finishing scheduled jobs execution.")

    def _log(self, when: datetime, what: str, job: Job | None = None) -> None:
        number = self._next_id("job_log")
        self.job_log[number] = JobLogEntry(
            id=number,
            run_time=when,
            description=what,
            job_id=job.id if job else None,
            name=job.name if job else None,
            command=_COMMAND if job else None,
        )
