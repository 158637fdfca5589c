"""What the sources dispute or nobody has written down: one switch each, with the default reading.

The rules are those of §19 of the UniFi sheet, the conflicts C1-C15 those of its §18. A client must
reach the same end state under every combination (design §9).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, with_config


@with_config(ConfigDict(extra="forbid", strict=False))
@dataclass(frozen=True)
class Switches:
    """The settings of a simulated controller; frozen, replaced as a whole."""

    # Tokens and routes
    firmware: Annotated[str, Field(pattern=r"^\d+(\.\d+)*$")] = "4.2.16"
    """Endpoints newer than this answer no-route (rule 5)."""
    bad_token_code: Literal["CODE_ACCESS_TOKEN_INVALID", "CODE_AUTH_FAILED"] = (
        "CODE_ACCESS_TOKEN_INVALID"
    )
    """What a 401 says (rule 2)."""
    route_before_token: bool = False
    """Whether an unknown path is noticed before a bad token (rule 3)."""
    no_route_status: Literal[404, 200] = 404
    """HTTP status of the no-route answer (rule 3, C3)."""
    scope_error_status: Literal[200, 403] = 200
    """HTTP status of a scope error (rule 4, C4)."""
    edit_includes_view: bool = True
    """Whether an edit scope may read (rule 4)."""
    identity_enterprise: bool = False
    """Whether the site was upgraded to Identity Enterprise, which ends this API (§1.1)."""

    # Envelope
    business_error_status: Literal[200, 400] = 200
    """HTTP status of every refusal that has a code (rule 7)."""
    dialect: Literal["string", "numeric"] = "string"
    """Whether every answer has a text in ``code``, or a number and ``codeS`` (rule 8, C5)."""
    numeric_endpoints: frozenset[str] = frozenset({"POST /users/:id/avatar"})
    """Endpoints that speak the numeric dialect whatever the others do (rule 8)."""
    unknown_body_keys: Literal["ignored", "refused"] = "ignored"
    """What becomes of keys that the reference does not list (rule 9)."""

    # Lists
    page_size_cap: int | None = None
    """The largest page that is served, whatever was asked for (§4: not documented)."""
    rows_without_paging: int | None = None
    """Rows of a list when neither paging parameter is given; None is all (rule 12, C6)."""
    past_the_end: Literal["empty", "last page", "refused"] = "empty"
    """A page beyond the last row (rule 11)."""
    reorder_between_pages: bool = False
    """Whether each request sees the rows in another order (rule 14)."""
    search_pagination: bool = False
    """Whether the search has the key ``pagination``, which its sample lacks (rule 13)."""
    optional_keys: Literal["varied", "all", "bare"] = "varied"
    """Whether rows carry their optional keys: this row but not that one, each, or none (§5)."""
    null_for_empty: frozenset[str] = frozenset()
    """Keys of user, card and visitor rows that show null instead of an empty value (rule 54)."""

    # Users
    email_case_matters: bool = False
    """Whether addresses that differ in case only may coexist (rule 17)."""
    emails_stored: Literal["as sent", "lower case"] = "as sent"
    """How an address reads after it was written (§6.10: letter case is unknown)."""
    own_email_conflicts: bool = False
    """Whether sending a user the address it has is a conflict (rule 17)."""
    console_email_counts: bool = True
    """Whether the read-only ``email`` of other users takes an address too (rule 17)."""
    email_taken_code: Literal["CODE_ADMIN_EMAIL_EXIST", "CODE_USER_EMAIL_EXIST"] = (
        "CODE_ADMIN_EMAIL_EXIST"
    )
    """What a taken address is called (§3.5)."""
    employee_number_unique: bool = False
    """Whether a second user with an ``employee_number`` is refused (rule 19)."""
    empty_name_code: Literal["CODE_PARAMS_INVALID", "CODE_USER_CSV_IMPORT_INCOMPLETE_PROP"] = (
        "CODE_PARAMS_INVALID"
    )
    """What creating a user with an empty name is called (rules 10 and 15)."""
    unknown_user_code: Literal[
        "CODE_USER_WORKER_NOT_EXISTS", "CODE_USER_ACCOUNT_NOT_EXIST", "CODE_NOT_EXISTS"
    ] = "CODE_USER_WORKER_NOT_EXISTS"
    """What an unknown user id is called (rule 24)."""
    delete_frees_cards: bool = True
    """Whether the cards of a deleted user become free; else they keep their holder (rule 22)."""
    delete_frees_email: bool = True
    """Whether the address of a deleted user may be used again (rule 22)."""
    send_invitations: bool = True
    """The console's "Send Automatically To New People" (rule 23, §6.10)."""

    # Policies
    unknown_policy: Literal["CODE_NOT_EXISTS", "CODE_PARAMS_INVALID", "ignored"] = "CODE_NOT_EXISTS"
    """What setting an unknown policy id does (rule 25)."""
    everyone_policies_first: bool = True
    """Whether policies for everyone come first in ``access_policy_ids`` (rule 26)."""
    group_policies_in_rows: bool = False
    """Whether policies of groups show in ``access_policy_ids`` (rule 26)."""
    policy_resource_key: Literal["both", "resource", "resources"] = "both"
    """Which key of a policy write is heard (rule 28, C8)."""

    # Cards
    unbind: Literal["put", "delete", "both"] = "put"
    """The method that takes a card off a user (rule 33, C1)."""
    deactivated_refuses_cards: bool = False
    """Whether card changes on a deactivated user answer no-route (rule 35, C1)."""
    rebind_same_holder: Literal["unchanged", "refused"] = "unchanged"
    """Binding a card to the user that has it (rule 31)."""
    unknown_card_code: Literal["CODE_NOT_EXISTS", "CODE_RESOURCE_NOT_FOUND"] = "CODE_NOT_EXISTS"
    """What an unknown card token is called (§6.6)."""
    unbind_not_held: Literal["CODE_NOT_EXISTS", "success"] = "CODE_NOT_EXISTS"
    """Taking off a card that this user does not hold (rule 33)."""
    nfc_id_in_card_list: bool = False
    """Whether cards show their raw number when read (rule 36, C2)."""
    delete_bound_card: Literal["refused", "deleted"] = "refused"
    """Deleting a card that somebody holds (rule 38)."""
    alias_taken_code: Literal["CODE_PARAMS_INVALID", "CODE_OPERATION_FORBIDDEN"] = (
        "CODE_PARAMS_INVALID"
    )
    """What editing an alias into one that is taken is called (§10.3)."""
    ended_visit_frees_card: bool = True
    """Whether the card of a visit that is over becomes free by itself (§8.5)."""
    free_card_user: Literal["varied", "missing", "null", "empty"] = "varied"
    """The key ``user`` of a free card's row (§10.2)."""

    # Import
    known_card: Literal["empty token", "same token"] = "empty token"
    """What importing a known card answers (rule 41)."""
    bad_row: Literal["row fails", "file fails"] = "row fails"
    """How far one bad row reaches (rule 40)."""
    lower_case_nfc_id: Literal["row fails", "accepted"] = "row fails"
    """Importing a number in lower case (rule 39)."""
    odd_length_nfc_id: Literal["accepted", "row fails"] = "accepted"
    """Importing a number with an odd count of digits (C7)."""
    import_answer_order: Literal["file", "reversed"] = "file"
    """The order of the rows in an import's answer (§10.4)."""

    # System log
    log_counts: Literal["inside data", "beside data", "bare list"] = "inside data"
    """Where ``page`` and ``total`` of the log stand; older firmware has neither (§13)."""
    log_ids: Literal["growing", "empty"] = "growing"
    """What ``_id`` of an entry holds: empty in the reference's sample (§13)."""
    log_order: Literal["newest first", "oldest first"] = "newest first"
    """The order of the entries (§13: unknown)."""
    log_bounds: Literal["included", "excluded"] = "included"
    """Whether the seconds ``since`` and ``until`` themselves are returned (§13: unknown)."""
    cards_in_log: bool = True
    """Whether an entry names the card by raw number and token, as newer firmware does (§10.5)."""

    def as_json(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        return {
            key: sorted(value) if isinstance(value, frozenset) else value
            for key, value in asdict(self).items()
        }

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Switches":
        """Return the switches with `settings` applied; raise ValueError on any that is wrong."""
        return _ADAPTER.validate_python(dict(settings))

    def version(self) -> tuple[int, ...]:
        """Return the firmware as numbers that compare."""
        return tuple(int(part) for part in self.firmware.split("."))


_ADAPTER = TypeAdapter(Switches)
