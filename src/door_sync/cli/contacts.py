"""Contact ids on the command line."""

import click

from door_sync.core.people import ContactId, contact_of


class ContactParameter(click.ParamType[ContactId]):
    """A contact id as CiviCRM shows it: a whole number from 1 on, without leading zeros."""

    name = "contact"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> ContactId:
        """Return the contact id that a word names; end with wrong use (64) otherwise."""
        found = contact_of(str(value))
        if found is None:
            self.fail("a contact id is a whole number from 1 on, as CiviCRM shows it", param, ctx)
        return found


def each_contact_once(
    _context: click.Context, _parameter: click.Parameter, value: tuple[ContactId, ...]
) -> tuple[ContactId, ...]:
    """Return the contacts without repetitions, in the order in which they were named."""
    return tuple(dict.fromkeys(value))
