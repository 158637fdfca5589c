"""Who was cut off at once, by whom, and who lifted it (§6)."""

import sqlite3

from door_sync.core.people import ContactId


def read_cut_off(connection: sqlite3.Connection) -> frozenset[ContactId]:
    """Return the contacts that are cut off by hand now; raise sqlite3.Error."""
    rows = connection.execute("SELECT contact_id FROM cut_offs WHERE lifted_at IS NULL")
    return frozenset(ContactId(contact_id) for (contact_id,) in rows)
