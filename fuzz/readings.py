"""Every way in which the program reads either side, by name: what the tapes are played to."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from door_sync.civicrm import CivicrmSource
from door_sync.civicrm import survey as civicrm_survey
from door_sync.civicrm.examination import NotAnswered, Questions, examine
from door_sync.core.cards import CardNumber, CardToken
from door_sync.core.controller import UserId
from door_sync.core.people import ContactId
from door_sync.http import HttpClient
from door_sync.ports import Profile
from door_sync.unifi import survey as unifi_survey
from door_sync.unifi.client import UnifiController
from door_sync.unifi.taps import Bearer

Reading = Callable[[HttpClient], object]

API_PATH: Final = "/civicrm/ajax/api4"
CARD_FIELD: Final = "Door_Access.card_id"
STATUSES: Final = ("Current", "Grace", "New")
FACILITY: Final = 42
SOME_USER: Final = UserId("11111111-1111-4111-8111-111111111111")
SOME_TOKEN: Final = CardToken("A" * 64)
_NOW: Final = datetime(2026, 11, 23, tzinfo=UTC)


def civicrm_readings() -> dict[str, Reading]:
    """Return what asks CiviCRM: a cycle's reading, and those of commands."""
    return {
        "read": lambda client: source(client).read(),
        "read_joined": lambda client: dict(source(client).read_joined()),
        "read_contacts": lambda client: dict(source(client).read_contacts([ContactId(3)])),
        "read_in_full": lambda client: source(client).read_in_full(ContactId(3)),
        "survey": lambda client: civicrm_survey.survey(client, API_PATH, "x-civi-auth"),
        "is_civicrm": lambda client: civicrm_survey.is_civicrm(client, API_PATH),
        "examine": _examined,
    }


def unifi_readings() -> dict[str, Reading]:
    """Return what asks the controller, and what it answers to a create and to an import."""
    return {
        "read": lambda client: controller(client).read(),
        "user": lambda client: controller(client).user(SOME_USER),
        "users_of": lambda client: controller(client).users_of([ContactId(3)]),
        "holder": lambda client: controller(client).holder(SOME_TOKEN),
        "direct_policies": lambda client: controller(client).direct_policies(SOME_USER),
        "taps": lambda client: controller(client).taps(
            Bearer(frozenset({SOME_USER})), _NOW - timedelta(days=30), _NOW
        ),
        "administrators": lambda client: controller(client).administrators(),
        "read_access": lambda client: controller(client).read_access(),
        "survey": unifi_survey.survey,
        "create": lambda client: controller(client).create_user(
            ContactId(77), Profile(first_name="New", last_name="Comer")
        ),
        "import": lambda client: controller(client).import_cards([CardNumber(60001)]),
    }


def source(client: HttpClient) -> CivicrmSource:
    """Return the source of members as a site builds it."""
    return CivicrmSource(
        client,
        auth="x-civi-auth",
        path=API_PATH,
        card_id_field=CARD_FIELD,
        active_statuses=STATUSES,
        page_size=100,
    )


def controller(client: HttpClient) -> UnifiController:
    """Return the controller as a site builds it."""
    return UnifiController(client, facility_code=FACILITY, read_concurrency=1)


_QUESTIONS: Final = Questions(
    path=API_PATH,
    auth="x-civi-auth",
    card_field=CARD_FIELD,
    active_statuses=STATUSES,
    overdue_before=_NOW.date(),
    canary=3,
)


def _examined(client: HttpClient) -> object:
    try:
        return examine(client, _QUESTIONS)[0]
    except NotAnswered as error:
        found = error.error
    raise found from None
