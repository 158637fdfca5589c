"""The membership secretary's hands on memberships, and the job that moves statuses (§7)."""

from collections.abc import Iterator
from datetime import date, timedelta

from door_sync.simulators.civicrm.custom_values import store
from door_sync.simulators.civicrm.job_desk import JobDesk, JobResult
from door_sync.simulators.civicrm.records import Membership, MembershipStatus, MembershipType
from door_sync.simulators.civicrm.status_rules import SKIPPED_STATUSES, shifted, status_by_dates
from door_sync.simulators.civicrm.structure_desk import StructureDesk
from door_sync.simulators.civicrm.tables import by_name


class MembershipDesk(StructureDesk, JobDesk):
    """Work on memberships. Every method raises LookupError for what does not exist."""

    def add_membership(
        self,
        contact_id: int,
        type_name: str,
        *,
        status: str | None = None,
        join_date: date | None = None,
        start_date: date | None = None,
        end_date: date | None = None,
        source: str | None = None,
        is_test: bool = False,
        is_override: bool = False,
        status_override_end_date: date | None = None,
        owner_membership_id: int | None = None,
        membership_id: int | None = None,
    ) -> int:
        """Sell a membership and return its id.

        Without dates it begins today and lasts as long as its type says (a lifetime type has no
        end date); without `status` the dates decide it.
        """
        with self.lock:
            if contact_id not in self.contacts:
                raise LookupError(f"no contact {contact_id}")
            kind = self.membership_type(type_name)
            joined = join_date or start_date or self.today()
            starts = start_date or joined
            if end_date is None and kind.duration_unit != "lifetime":
                after = shifted(starts, kind.duration_unit, kind.duration_interval)
                end_date = after - timedelta(days=1)
            number = self._next_id("memberships", membership_id)
            membership = Membership(
                id=number,
                contact_id=contact_id,
                membership_type_id=kind.id,
                status_id=self.membership_status(status).id if status else 0,
                join_date=joined,
                start_date=starts,
                end_date=end_date,
                source=source,
                is_override=is_override,
                status_override_end_date=status_override_end_date,
                owner_membership_id=owner_membership_id,
                is_test=is_test,
            )
            if status is None:
                membership.status_id = self._status_by_dates(membership, self.today())
            self.memberships[number] = membership
            return number

    def set_status(self, membership_id: int, status: str, *, override: bool = False) -> None:
        """Set a status by hand; with `override` the job leaves it alone from then on."""
        with self.lock:
            membership = self.membership(membership_id)
            membership.status_id = self.membership_status(status).id
            membership.is_override = override

    def set_end_date(self, membership_id: int, end_date: date | None) -> None:
        """Change the end date alone: the status stays until somebody or the job changes it."""
        with self.lock:
            self.membership(membership_id).end_date = end_date

    def set_type(self, membership_id: int, type_name: str) -> None:
        """Change the type of a membership."""
        with self.lock:
            self.membership(membership_id).membership_type_id = self.membership_type(type_name).id

    def set_test(self, membership_id: int, is_test: bool) -> None:
        """Mark a membership as a test, or as a real one."""
        with self.lock:
            self.membership(membership_id).is_test = is_test

    def set_membership_custom(self, membership_id: int, name: str, value: object) -> None:
        """Write the custom field `name` (``Group.field``) of a membership."""
        with self.lock:
            store(self.membership(membership_id).custom, self.custom_field(name)[1], value)

    def lapse(self, membership_id: int) -> None:
        """Let a membership run out: the end date lies past its grace, the status is Expired."""
        with self.lock:
            self.set_end_date(membership_id, self.today() - timedelta(days=62))
            self.set_status(membership_id, "Expired")

    def renew(self, membership_id: int, end_date: date | None = None) -> None:
        """Renew until `end_date`, else for one more term from today; the status becomes Current."""
        with self.lock:
            membership = self.membership(membership_id)
            kind = self.membership_types[membership.membership_type_id]
            if end_date is None and kind.duration_unit != "lifetime":
                end_date = shifted(self.today(), kind.duration_unit, kind.duration_interval)
            membership.end_date = end_date
            self.set_status(membership_id, "Current")

    def delete_membership(self, membership_id: int) -> None:
        """Delete a membership."""
        with self.lock:
            del self.memberships[self.membership(membership_id).id]

    def status_job(self, today: date | None = None) -> Iterator[bool]:
        """Run *Update Membership Statuses* row by row, as it does: a read meanwhile sees a mix.

        Yields once per membership processed: whether its status changed. Passed over are test
        memberships, inactive types, overridden and inherited ones, and the statuses of
        SKIPPED_STATUSES; the memberships of the dead become Deceased.
        """
        day = today or self.today()
        with self.lock:
            due = [number for number, row in sorted(self.memberships.items()) if self._is_due(row)]
        for number in due:
            with self.lock:
                membership = self.memberships.get(number)
                if membership is None:
                    continue
                before = membership.status_id
                contact = self.contacts[membership.contact_id]
                if contact.is_deceased:
                    membership.status_id = self.membership_status("Deceased").id
                else:
                    membership.status_id = self._status_by_dates(membership, day)
                changed = membership.status_id != before
            yield changed

    def run_status_job(self, today: date | None = None, *, by_cron: bool = True) -> JobResult:
        """Run the job to its end. Only a run by cron is written into Job and JobLog (§7)."""
        begun = self.now()
        changes = list(self.status_job(today))
        result = JobResult(len(changes), sum(changes))
        if by_cron:
            with self.lock:
                self._log_run(result, begun)
        return result

    def membership(self, membership_id: int) -> Membership:
        """Return a membership; raise LookupError if there is none."""
        if membership_id not in self.memberships:
            raise LookupError(f"no membership {membership_id}")
        return self.memberships[membership_id]

    def membership_type(self, name: str) -> MembershipType:
        """Return a membership type by its name; raise LookupError if there is none."""
        return by_name(self.membership_types.values(), name)

    def membership_status(self, name: str) -> MembershipStatus:
        """Return a membership status by its name; raise LookupError if there is none."""
        return by_name(self.membership_statuses.values(), name)

    def _is_due(self, membership: Membership) -> bool:
        status = self.membership_statuses[membership.status_id]
        return (
            not membership.is_test
            and not membership.is_override
            and membership.owner_membership_id is None
            and self.membership_types[membership.membership_type_id].is_active
            and status.name not in SKIPPED_STATUSES
        )

    def _status_by_dates(self, membership: Membership, today: date) -> int:
        status = status_by_dates(membership, self.membership_statuses.values(), today)
        return status.id if status else membership.status_id or self._default_status()

    def _default_status(self) -> int:
        return next(row.id for row in self.membership_statuses.values() if row.is_default)
