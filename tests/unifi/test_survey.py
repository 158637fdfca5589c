"""What a controller tells for setting a site up: counts and policies, no person (P12)."""

from collections.abc import Callable, Iterator

import pytest

from door_sync.http import HttpClient, PinnedTls
from door_sync.ports import ControllerDistrusted, ControllerForbids
from door_sync.simulators.serving import Server
from door_sync.simulators.unifi.simulator import DEFAULT_TOKEN, UnifiSimulator
from door_sync.simulators.unifi.site import SCOPES
from door_sync.simulators.unifi.switches import Switches
from door_sync.simulators.unifi.trouble import null_data
from door_sync.unifi.client import token_headers
from door_sync.unifi.survey import Survey, facilities_of, survey
from tests.unifi.conftest import FACILITY, FakeClock, Populate

Look = Callable[..., Survey]


@pytest.fixture
def look(_served: tuple[UnifiSimulator, Server], simulator: UnifiSimulator) -> Iterator[Look]:
    """Survey the simulated controller with a token."""
    _, server = _served

    def surveyed(token: str = DEFAULT_TOKEN) -> Survey:
        with HttpClient(
            server.url,
            headers=token_headers(token),
            tls=PinnedTls((server.fingerprint or "",)),
            timeout_seconds=20,
            clock=FakeClock(),
            attempts=1,
            trust_environment_proxies=False,
        ) as client:
            return survey(client)

    yield surveyed
    simulator.faults.clear()


def test_policies_users_and_cards_are_counted_and_the_facility_is_read_off_the_cards(
    look: Look, simulator: UnifiSimulator, populate: Populate
) -> None:
    simulator.switches = Switches(nfc_id_in_card_list=True)
    populate(250)
    simulator.world.add_user("By", "Hand", employee_number="staff")
    simulator.world.add_card(7, 1)
    found = look()
    assert [policy.name for policy in found.policies or ()] == ["Members"]
    assert (found.users, found.managed, found.cards) == (251, 250, 253)
    assert found.facilities == ((FACILITY, 252), (7, 1))


def test_nothing_is_written(look: Look, simulator: UnifiSimulator, populate: Populate) -> None:
    populate()
    simulator.journal.clear()
    look()
    assert len(simulator.journal.requests()) > 2
    assert not simulator.journal.writes()


def test_a_firmware_that_hides_raw_ids_tells_no_facility(look: Look, populate: Populate) -> None:
    populate()
    assert look().facilities == ()


def test_a_token_without_the_right_to_policies_tells_none(
    look: Look, simulator: UnifiSimulator, populate: Populate
) -> None:
    populate()
    simulator.world.add_token("narrow", scopes=SCOPES - {"view:policy", "edit:policy"})
    assert look("narrow").policies is None


def test_a_token_without_the_right_to_cards_is_told_so(
    look: Look, simulator: UnifiSimulator, populate: Populate
) -> None:
    populate()
    simulator.world.add_token("narrow", scopes=SCOPES - {"view:credential", "edit:credential"})
    with pytest.raises(ControllerForbids, match="Credentials"):
        look("narrow")


def test_a_wrong_token_is_refused(look: Look) -> None:
    with pytest.raises(ControllerForbids, match="refuses the API token"):
        look("nobodys-token")


def test_a_list_that_does_not_add_up_is_not_believed(
    look: Look, simulator: UnifiSimulator, populate: Populate
) -> None:
    populate()
    simulator.faults.add(null_data(), path="/users", times=None)
    with pytest.raises(ControllerDistrusted):
        look()


def test_raw_ids_of_other_kinds_of_card_tell_no_facility() -> None:
    """Wiegand-26 is 24 bits without parity (UniFi sheet §10.4), with zeros before it or not."""
    ids = ["2A04D2", "002A04D3", "104D2", "04A1B2C3D4E5F6", "", "no hex", "4D2", "FF0000"]
    assert facilities_of(ids) == ((42, 2), (1, 1), (255, 1))
