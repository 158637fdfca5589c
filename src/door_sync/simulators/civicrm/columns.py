"""The columns of each entity, in the order in which the real site returns them with ``*``.

Columns that no member sync fills are there too, always null: an answer without `select` has the
real one's keys.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Final, Literal

from door_sync.simulators.civicrm.options import Options
from door_sync.simulators.civicrm.permissions import API_KEYS
from door_sync.simulators.civicrm.records import CustomField, CustomGroup

Kind = Literal["number", "text", "date", "list"]
Read = Callable[[Any], Any]

_KINDS: Final[dict[str, Kind]] = {
    "Integer": "number",
    "Float": "number",
    "Money": "number",
    "Boolean": "number",
    "Date": "date",
    "Timestamp": "date",
}


@dataclass(frozen=True)
class Field:
    """A field of an entity: what it is called, what it holds, and how to read it from a record.

    `only` limits it to some contact types, `permission` to some keys; an `extra` field is not
    part of ``*``; `choices` names the list behind `:name` and `:label`, `fk` the entity that a
    dot after the name leads to.
    """

    name: str
    data_type: str
    read: Read
    title: str
    only: frozenset[str] = frozenset()
    permission: str | None = None
    extra: bool = False
    choices: str | None = None
    options: Options | None = None
    fk: str | None = None
    is_list: bool = False
    required: bool = False
    since_6: bool = False
    group: CustomGroup | None = None
    custom: CustomField | None = None

    @property
    def kind(self) -> Kind:
        """How the database compares it."""
        return "list" if self.is_list else _KINDS.get(self.data_type, "text")


def _dated(name: str) -> Read:
    get = attrgetter(name)

    def read(record: Any) -> str | None:
        value: date | datetime | None = get(record)
        if isinstance(value, datetime):
            return value.isoformat(" ", "seconds")
        return None if value is None else value.isoformat()

    return read


def _column(
    name: str, data_type: str = "String", *, read: Read | None = None, **more: Any
) -> Field:
    title = more.pop("title", name.replace("_", " ").title())
    by_name = _dated(name) if data_type in ("Date", "Timestamp") else attrgetter(name)
    return Field(name, data_type, read or by_name, title, **more)


def _always(value: Any, data_type: str, names: str, **more: Any) -> list[Field]:
    return [_column(name, data_type, read=lambda _: value, **more) for name in names.split()]


def _null(data_type: str, names: str, **more: Any) -> list[Field]:
    return _always(None, data_type, names, **more)


_ID = _column("id", "Integer", required=True)
_PERSON = frozenset({"Individual"})
_COMPANY = frozenset({"Organization"})
_HOUSEHOLD = frozenset({"Household"})

CONTACT: Final = [
    _ID,
    _column("contact_type", choices="contact_type"),
    *_null("String", "external_identifier"),
    _column("display_name"),
    _column("organization_name", only=_COMPANY),
    *_null("String", "contact_sub_type"),
    _column("first_name", only=_PERSON),
    *_null("String", "middle_name", only=_PERSON),
    _column("last_name", only=_PERSON),
    *_always(
        False,
        "Boolean",
        "do_not_email do_not_phone do_not_mail do_not_sms do_not_trade is_opt_out",
    ),
    *_null("String", "legal_identifier"),
    _column("sort_name"),
    *_null("String", "nick_name"),
    *_null("String", "legal_name", only=_COMPANY),
    *_null("String", "image_URL preferred_communication_method"),
    *_always("en_US", "String", "preferred_language"),
    _column("hash"),
    _column("api_key", permission=API_KEYS),
    *_null("String", "source"),
    _column("prefix_id", "Integer", only=_PERSON, choices="prefix"),
    _column("suffix_id", "Integer", only=_PERSON, choices="suffix"),
    *_null("String", "formal_title", only=_PERSON),
    *_always(1, "Integer", "communication_style_id email_greeting_id"),
    *_null("String", "email_greeting_custom email_greeting_display"),
    *_always(1, "Integer", "postal_greeting_id"),
    *_null("String", "postal_greeting_custom postal_greeting_display"),
    *_always(1, "Integer", "addressee_id"),
    *_null("String", "addressee_custom addressee_display"),
    *_null("String", "job_title gender_id", only=_PERSON),
    *_null("Date", "birth_date", only=_PERSON),
    _column("is_deceased", "Boolean"),
    _column("deceased_date", "Date"),
    _column("household_name", only=_HOUSEHOLD),
    *_null("Integer", "primary_contact_id", only=_HOUSEHOLD, fk="Contact"),
    *_null("String", "sic_code", only=_COMPANY),
    *_null("String", "user_unique_id"),
    *_null("Integer", "employer_id", only=_PERSON, fk="Contact"),
    _column("is_deleted", "Boolean"),
    _column("created_date", "Timestamp"),
    _column("modified_date", "Timestamp"),
    *_always("Both", "String", "preferred_mail_format"),
    _column("email_primary", "Integer", extra=True, fk="Email"),
]

EMAIL: Final = [
    _ID,
    _column("contact_id", "Integer", required=True, fk="Contact"),
    _column("location_type_id", "Integer", choices="location_type"),
    _column("email"),
    _column("is_primary", "Boolean"),
    *_always(False, "Boolean", "is_billing"),
    _column("on_hold", "Integer"),
    *_always(False, "Boolean", "is_bulkmail"),
    *_null("Timestamp", "hold_date reset_date"),
    *_null("Text", "signature_text signature_html"),
]

MEMBERSHIP: Final = [
    _ID,
    _column("contact_id", "Integer", title="Contact ID", required=True, fk="Contact"),
    _column(
        "membership_type_id",
        "Integer",
        title="Membership Type ID",
        required=True,
        fk="MembershipType",
        choices="membership_type",
    ),
    _column("join_date", "Date"),
    _column("start_date", "Date"),
    _column("end_date", "Date", title="Membership Expiration Date"),
    _column("source"),
    _column(
        "status_id",
        "Integer",
        title="Status ID",
        required=True,
        fk="MembershipStatus",
        choices="membership_status",
    ),
    _column("is_override", "Boolean"),
    _column("status_override_end_date", "Date"),
    _column("owner_membership_id", "Integer", fk="Membership"),
    *_null("Integer", "max_related"),
    _column("is_test", "Boolean"),
    *_always(False, "Boolean", "is_pay_later"),
    *_null("Integer", "contribution_recur_id"),
    _column(
        "is_primary_member",
        "Boolean",
        extra=True,
        read=lambda row: row.owner_membership_id is None,
    ),
]

MEMBERSHIP_TYPE: Final = [
    _ID,
    *_always(1, "Integer", "domain_id"),
    _column("name"),
    _column("title", since_6=True),
    _column("frontend_title", read=attrgetter("title"), since_6=True),
    *_null("Text", "description"),
    _column("member_of_contact_id", "Integer", fk="Contact"),
    *_always(2, "Integer", "financial_type_id"),
    *_always(10, "Money", "minimum_fee"),
    _column("duration_unit"),
    _column("duration_interval", "Integer"),
    *_always("rolling", "String", "period_type"),
    *_null("Integer", "fixed_period_start_day fixed_period_rollover_day relationship_type_id"),
    *_null("String", "relationship_direction"),
    *_null("Integer", "max_related"),
    *_always("Public", "String", "visibility"),
    _column("weight", "Integer"),
    *_null("Text", "receipt_text_signup receipt_text_renewal"),
    *_always(0, "Integer", "auto_renew"),
    _column("is_active", "Boolean"),
]

MEMBERSHIP_STATUS: Final = [
    _ID,
    _column("name"),
    _column("label"),
    _column("start_event"),
    _column("start_event_adjust_unit"),
    _column("start_event_adjust_interval", "Integer"),
    _column("end_event"),
    _column("end_event_adjust_unit"),
    _column("end_event_adjust_interval", "Integer"),
    _column("is_current_member", "Boolean"),
    _column("is_admin", "Boolean"),
    _column("weight", "Integer"),
    _column("is_default", "Boolean"),
    _column("is_active", "Boolean"),
    _column("is_reserved", "Boolean"),
]

CUSTOM_GROUP: Final = [
    _ID,
    _column("name"),
    _column("title"),
    _column("extends"),
    _column("is_multiple", "Boolean"),
    _column("is_active", "Boolean"),
    _column("table_name"),
]

_STORED_TYPES = {"Integer": "Int", "Text": "Memo"}  # CustomField.get names types its own way (§4.7)

CUSTOM_FIELD: Final = [
    _ID,
    _column("custom_group_id", "Integer", fk="CustomGroup", choices="custom_group"),
    _column("name"),
    _column("label"),
    _column("data_type", read=lambda row: _STORED_TYPES.get(row.data_type, row.data_type)),
    _column("html_type"),
    *_null("String", "default_value"),
    *_always(False, "Boolean", "is_required"),
    *_always(True, "Boolean", "is_searchable"),
    *_always(False, "Boolean", "is_search_range"),
    _column("weight", "Integer", read=attrgetter("id")),
    *_null("Text", "help_pre help_post attributes"),
    _column("is_active", "Boolean"),
    *_always(False, "Boolean", "is_view file_is_public"),
    *_null("Integer", "options_per_line text_length start_date_years end_date_years"),
    *_null("String", "date_format time_format"),
    *_null("Integer", "note_columns note_rows"),
    _column("column_name"),
    _column("option_group_id", "Integer", read=lambda row: 100 + row.id if row.options else None),
    _column("serialize", "Integer", read=lambda row: int(row.is_list)),
    *_null("String", "filter"),
    *_always(False, "Boolean", "in_selector"),
    *_null("String", "fk_entity"),
    *_always("set_null", "String", "fk_entity_on_delete"),
]

CUSTOM_RECORD: Final = [
    _ID,
    _column("entity_id", "Integer", required=True, fk="Contact"),
]

GROUP: Final = [
    _ID,
    _column("name"),
    _column("title"),
    *_null("Text", "description"),
    *_null("String", "source"),
    *_null("Integer", "saved_search_id"),
    *_always(True, "Boolean", "is_active"),
    *_always("User and User Admin Only", "String", "visibility"),
    *_null("Text", "where_clause select_tables where_tables"),
    _column("group_type", read=lambda _: ["1"], is_list=True),
    *_null("Timestamp", "cache_date"),
    *_null("Float", "cache_fill_took"),
    *_null("Timestamp", "refresh_date"),
    *_null("String", "parents children"),
    *_always(False, "Boolean", "is_hidden is_reserved"),
    *_null("Integer", "created_id modified_id"),
    _column("frontend_title", read=attrgetter("title")),
    *_always("", "String", "frontend_description"),
]

JOB: Final = [
    _ID,
    *_always(1, "Integer", "domain_id"),
    _column("run_frequency"),
    _column("last_run", "Timestamp"),
    _column("last_run_end", "Timestamp"),
    *_null("Timestamp", "scheduled_run_date"),
    _column("name"),
    *_always("Updates membership statuses.", "String", "description"),
    *_always("Job", "String", "api_entity"),
    _column("api_action"),
    *_null("Text", "parameters"),
    _column("is_active", "Boolean"),
]

JOB_LOG: Final = [
    _ID,
    *_always(1, "Integer", "domain_id"),
    _column("run_time", "Timestamp"),
    _column("job_id", "Integer", fk="Job"),
    _column("name"),
    _column("command"),
    _column("description"),
    *_null("Text", "data"),
]

DOMAIN: Final = [
    _ID,
    *_always("Default Domain Name", "String", "name"),
    *_null("String", "description"),
    *_always("6.17.2", "String", "version"),
    *_always(1, "Integer", "contact_id", fk="Contact"),
    *_null("Text", "locales"),
    *_always({"en_US": []}, "Text", "locale_custom_strings"),
]

UF_MATCH: Final = [
    _ID,
    *_always(1, "Integer", "domain_id"),
    _column("uf_id", "Integer", read=attrgetter("id")),
    *_null("String", "uf_name"),
    _column("contact_id", "Integer", fk="Contact"),
]
