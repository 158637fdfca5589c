"""The administrator's hands on API keys, and on the groups that a contact ACL shows."""

from collections.abc import Iterable

from door_sync.simulators.civicrm.contact_desk import ContactDesk
from door_sync.simulators.civicrm.permissions import ROLES
from door_sync.simulators.civicrm.records import Group, Key
from door_sync.simulators.civicrm.tables import by_name


class AccessDesk(ContactDesk):
    """Work on API keys and groups."""

    def add_key(
        self,
        key: str,
        role: str = "full",
        *,
        contact_id: int | None = None,
        permissions: Iterable[str] | None = None,
        acl_group: str | None = None,
        has_user: bool = True,
    ) -> int:
        """Give a contact (a new one, if none is named) an API key and its user a role.

        `role` names a row of ROLES, or is a free name together with `permissions`. Returns the
        key's id.
        """
        with self.lock:
            if permissions is None and role not in ROLES:
                raise LookupError(f"no such role: {role}")
            if contact_id is None:
                contact_id = self.add_contact("Api", role.capitalize())
            self.contact(contact_id).api_key = key
            number = self._next_id("keys")
            granted = set(ROLES[role] if permissions is None else permissions)
            self.keys[number] = Key(number, role, contact_id, granted, acl_group, has_user)
            return number

    def permissions(self, role: str) -> set[str]:
        """Return the permissions of a role's key, to be changed in place."""
        return self.key_of(role).permissions

    def key_of(self, role: str) -> Key:
        """Return the key of a role; raise LookupError if there is none."""
        for key in self.keys.values():
            if key.role == role:
                return key
        raise LookupError(f"no key for the role {role}")

    def secret_of(self, role: str) -> str:
        """Return the key itself, for a client to send."""
        secret = self.contact(self.key_of(role).contact_id).api_key
        if secret is None:
            raise LookupError(f"the key of the role {role} was taken away")
        return secret

    def take_key_away(self, role: str) -> None:
        """Empty the contact's API key; the next request with it is refused with 401."""
        with self.lock:
            self.contact(self.key_of(role).contact_id).api_key = None

    def add_group(self, name: str, members: Iterable[int] = ()) -> int:
        """Create a group of contacts and return its id."""
        with self.lock:
            number = self._next_id("groups")
            self.groups[number] = Group(number, name, name.replace("_", " "), set(members))
            return number

    def group(self, name: str) -> Group:
        """Return a group by name; raise LookupError if there is none."""
        return by_name(self.groups.values(), name)

    def add_to_group(self, name: str, contact_id: int) -> None:
        """Add a contact to a group; a stale ACL view does not show it yet (`flush_caches`)."""
        with self.lock:
            self.group(name).members.add(contact_id)

    def remove_from_group(self, name: str, contact_id: int) -> None:
        """Take a contact out of a group; a stale ACL view goes on showing it."""
        with self.lock:
            self.group(name).members.discard(contact_id)

    def flush_caches(self) -> None:
        """Flush CiviCRM's caches, as an administrator does when a view is stale."""
        with self.lock:
            self.acl_cache.clear()

    def acl_view(self, group_name: str | None, *, cached: bool) -> frozenset[int]:
        """Return the contacts that an ACL on this group shows; `cached` as CiviCRM keeps it."""
        if group_name is None:
            return frozenset()
        with self.lock:
            if not cached:
                return frozenset(self.group(group_name).members)
            if group_name not in self.acl_cache:
                self.acl_cache[group_name] = frozenset(self.group(group_name).members)
            return self.acl_cache[group_name]
