"""Every trap of the sheets against a simulated site: none of them may look like a good answer.

The numbers are those of §13 of the CiviCRM sheet, and of §12 of the versions sheet (V…). Traps
that begin with a wrong question are in test_wire, those in a single row in test_rows.
"""

import json
import logging
import re
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import parse_qs

import pytest

from door_sync.civicrm import CivicrmSource
from door_sync.core.people import ContactId
from door_sync.ports import SourceDistrusted, SourceError, SourceUnreachable
from door_sync.simulators.civicrm import CivicrmSimulator
from door_sync.simulators.exchange import SeenRequest
from door_sync.simulators.faults import Answer, Hook, Rewrite, html_error

MakeSource = Callable[..., CivicrmSource]

ERROR_ID = re.compile(r"[A-Za-z0-9]{4}-[A-Za-z0-9]{4}-[A-Za-z0-9]{4}")


@pytest.fixture
def person(site: CivicrmSimulator) -> ContactId:
    """One member, so that an empty answer is a wrong one."""
    number = site.world.add_contact("Zoë", "Secret", email="zoe@example.org", card="54321")
    site.world.add_membership(number, "Gold", status="Current", end_date=date(2027, 5, 6))
    return ContactId(number)


pytestmark = pytest.mark.usefixtures("person")


def failure(source: CivicrmSource) -> SourceError:
    """Return what either question raises; both must."""
    with pytest.raises(SourceError) as caught:
        source.read_contacts([ContactId(1)])
    with pytest.raises(SourceError) as again:
        source.read()
    assert type(again.value) is type(caught.value)
    return again.value


def take_right(site: CivicrmSimulator, right: str) -> None:
    site.world.permissions("full").discard(right)


def is_page(request: SeenRequest) -> bool:
    return "page" in json.loads(parse_qs(request.body.decode())["calls"][0])


class TestRights:
    """Traps 2 to 5, V5, V6: a key that lacks a right gets fewer rows, or keys, in silence."""

    @pytest.mark.parametrize(
        ("right", "words"),
        [
            ("view all contacts", "does not see everybody"),
            ("access CiviMember", "may not call MembershipType.get"),
            ("access CiviCRM", "may not call Contact.getFields"),
            ("access all custom data", "the field Door_Access.card_id does not exist"),
        ],
    )
    @pytest.mark.parametrize("version", ["6.17", "5.77"])
    @pytest.mark.parametrize("front", ["php", "fpm", "mod_php"])
    def test_a_missing_right_is_named_on_every_version_and_server(
        self,
        site: CivicrmSimulator,
        make_source: MakeSource,
        right: str,
        words: str,
        version: str,
        front: str,
    ) -> None:
        """V1: 5.x behind PHP-FPM says all of this with 200."""
        site.switches.version, site.switches.front = version, front  # type: ignore[assignment]  # literals
        take_right(site, right)
        error = failure(make_source())
        assert type(error) is SourceDistrusted
        assert words in error.message
        assert f'"{right}"' in error.remedy

    def test_a_group_acl_is_not_enough_although_some_people_come(
        self, site: CivicrmSimulator, make_source: MakeSource, person: ContactId
    ) -> None:
        """Versions sheet §7: the ACL's view is cached and goes stale."""
        site.world.add_group("Door", [person])
        site.world.add_key("key-acl", "acl", acl_group="Door")
        error = failure(make_source(key="key-acl"))
        assert "does not see everybody" in error.message
        assert '"view all contacts"' in error.remedy

    def test_a_key_in_the_trash_that_may_not_see_the_trash_is_told_so(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        """Such a key still works, but cannot prove that it sees everybody."""
        site.world.trash(site.world.key_of("full").contact_id)
        assert make_source().read().members
        take_right(site, "access deleted contacts")
        assert "trash" in failure(make_source()).remedy

    def test_a_key_without_a_user_or_the_right_to_authenticate_is_refused(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        take_right(site, "authenticate with api key")
        error = failure(make_source())
        assert "does not let it in" in error.message
        assert '"authenticate with api key"' in error.remedy

    def test_an_unknown_key_is_refused(self, make_source: MakeSource) -> None:
        error = failure(make_source(key="key-wrong"))
        assert "does not know the API key" in error.message

    @pytest.mark.parametrize(
        ("right", "words"),
        [
            ("access all custom data", "could not carry out Contact.get|Membership.get"),
            ("access CiviCRM", "lacks the key email_primary.email|may not call Membership.get"),
            ("access CiviMember", "may not call Membership.get"),
            ("view all contacts", "does not see everybody"),
        ],
    )
    def test_a_right_taken_away_between_proof_and_pages_breaks_the_read(
        self, site: CivicrmSimulator, make_source: MakeSource, right: str, words: str
    ) -> None:
        site.faults.add(Hook(lambda _: take_right(site, right), after=True))
        with pytest.raises(SourceDistrusted, match=words):
            make_source().read()

    def test_a_card_field_that_is_dropped_from_rows_alone_breaks_the_read(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        """Trap 3: absent is not null."""

        def drop(reply: Any) -> Any:
            for row in reply["page"]["values"]:
                row.pop("Door_Access.card_id", None)
            return reply

        site.faults.add(Rewrite(drop), where=is_page, times=None)
        with pytest.raises(SourceDistrusted, match=r"lacks the key Door_Access\.card_id"):
            make_source().read()


class TestCardField:
    """Trap 4."""

    @pytest.mark.parametrize("name", ["Door_Access.nope", "door_access.card_id", "card_id", "Nope"])
    def test_a_field_that_does_not_exist_is_a_clear_error(
        self, make_source: MakeSource, name: str
    ) -> None:
        error = failure(make_source(card_id_field=name))
        assert f"the field {name} does not exist" in error.message
        assert "civicrm.card_id_field" in error.remedy

    def test_a_field_or_group_that_is_switched_off_is_a_clear_error(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        site.world.set_field_active("Door_Access.card_id", False)
        assert "switched off" in failure(make_source()).message
        site.world.set_field_active("Door_Access.card_id", True)
        site.world.set_group_active("Door_Access", False)
        assert "switched off" in failure(make_source()).message

    def test_a_field_of_a_group_with_several_records_is_a_clear_error(
        self, site: CivicrmSimulator, make_source: MakeSource, person: ContactId
    ) -> None:
        """Versions sheet §5: its key is absent and the contact's row repeated."""
        site.world.add_custom_group("Door_Cards", is_multiple=True)
        site.world.add_custom_field("Door_Cards", "card_no")
        site.world.add_custom_record(person, "Door_Cards", card_no="1")
        error = failure(make_source(card_id_field="Door_Cards.card_no"))
        assert "several records per contact" in error.remedy

    @pytest.mark.parametrize("kind", [{"data_type": "Boolean"}, {"is_list": True}])
    def test_a_field_that_cannot_hold_a_number_is_a_clear_error(
        self, site: CivicrmSimulator, make_source: MakeSource, kind: dict[str, Any]
    ) -> None:
        site.world.add_custom_field("Door_Access", "other", **kind)
        error = failure(make_source(card_id_field="Door_Access.other"))
        assert "cannot hold one card number" in error.message

    def test_new_labels_change_nothing(
        self, site: CivicrmSimulator, make_source: MakeSource, person: ContactId
    ) -> None:
        """Versions sheet §6."""
        site.world.relabel_field("Door_Access.card_id", "Fob")
        site.world.retitle_group("Door_Access", "Doors")
        site.world.relabel_status("Current", "Aktuell")
        site.world.set_status_active("Current", False)
        site.world.set_type_active("Gold", False)
        site.world.retitle_type("Gold", "Patron")
        [member] = make_source().read().members.values()
        assert [one.type.label for one in member.memberships] == ["Patron"]
        assert [one.status for one in member.memberships] == ["Current"]


class TestStatuses:
    """Trap 9."""

    def test_a_status_that_was_renamed_is_an_error_that_lists_those_there_are(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        """A filter on the old name would give no rows, with 200."""
        site.world.rename_status("Current", "Aktuell")
        error = failure(make_source())
        assert 'civicrm.active_statuses names "Current"' in error.message
        assert '"Aktuell"' in error.remedy

    def test_a_status_that_is_renamed_between_proof_and_pages_is_still_the_one_asked_for(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        """The pages ask by id."""
        rename = Hook(lambda _: site.world.rename_status("Current", "Aktuell"), after=True)
        site.faults.add(rename)
        [member] = make_source().read().members.values()
        assert [one.status for one in member.memberships] == ["Current"]

    def test_a_row_in_another_status_breaks_the_read(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        """Trap 5: decided from the status in each row, never from the row's presence."""

        def expire(reply: Any) -> Any:
            for row in reply["page"]["values"]:
                row.update({"status_id": 4} if "status_id" in row else {})
            return reply

        site.faults.add(Rewrite(expire), where=is_page, times=None)
        with pytest.raises(SourceDistrusted, match="does not meet the conditions"):
            make_source().read()


class TestKeyOnItsWay:
    """Trap 10, and §2 of both sheets."""

    def test_x_civi_auth_goes_alone(self, site: CivicrmSimulator, make_source: MakeSource) -> None:
        make_source().read()
        for seen in site.journal.entries():
            assert seen.headers["x-civi-auth"] == f"Bearer {site.world.secret_of('full')}"
            assert not {"authorization", "x-requested-with"} & set(seen.headers)

    def test_authorization_goes_with_x_requested_with(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        make_source(auth="authorization").read()
        for seen in site.journal.entries():
            assert seen.headers["authorization"] == f"Bearer {site.world.secret_of('full')}"
            assert seen.headers["x-requested-with"] == "XMLHttpRequest"
            assert "x-civi-auth" not in seen.headers

    def test_authorization_that_the_server_drops_is_no_empty_site(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        """Versions sheet §3: a right key that turned into nobody, 200 with no rows."""
        site.switches.drops_authorization = True
        error = failure(make_source(auth="authorization"))
        assert "one of nobody" in error.message
        assert 'civicrm.auth = "x-civi-auth"' in error.remedy
        assert make_source().read().members

    def test_authx_switched_off_is_no_empty_site(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        site.switches.authx = False
        assert "saw no API key" in failure(make_source()).message
        assert "one of nobody" in failure(make_source(auth="authorization")).message

    @pytest.mark.parametrize(
        ("auth", "other"), [("x-civi-auth", "authorization"), ("authorization", "x-civi-auth")]
    )
    def test_a_way_that_authx_does_not_allow_names_the_other(
        self, site: CivicrmSimulator, make_source: MakeSource, auth: str, other: str
    ) -> None:
        site.switches.header_credentials = site.switches.xheader_credentials = frozenset({"jwt"})
        error = failure(make_source(auth=auth))
        assert "in this way" in error.message
        assert f'civicrm.auth = "{other}"' in error.remedy

    @pytest.mark.parametrize("auth", ["x-civi-auth", "authorization"])
    def test_a_refused_key_is_never_tried_in_the_other_way(
        self, site: CivicrmSimulator, make_source: MakeSource, auth: str
    ) -> None:
        with pytest.raises(SourceDistrusted):
            make_source(auth=auth, key="key-wrong").read()
        [seen] = site.journal.entries()
        assert ("authorization" in seen.headers) == (auth == "authorization")


class TestOtherAnswers:
    """Traps 1 and 13, V1: pages, redirects, outages."""

    @pytest.mark.parametrize(
        ("outage", "error", "words"),
        [
            ("civicrm-database", SourceDistrusted, "critical error"),
            ("database", SourceUnreachable, "error page"),
            ("memory", SourceUnreachable, "error page"),
            ("maintenance", SourceUnreachable, "maintenance mode"),
            ("wordpress-maintenance", SourceUnreachable, "(503)"),
            ("plugin-off", SourceDistrusted, "web page"),
        ],
    )
    @pytest.mark.parametrize("front", ["php", "fpm"])
    def test_an_outage_is_said_in_its_own_words(
        self,
        site: CivicrmSimulator,
        make_source: MakeSource,
        outage: Any,
        error: type[SourceError],
        words: str,
        front: Any,
    ) -> None:
        site.switches.outage, site.switches.front = outage, front
        found = failure(make_source())
        assert type(found) is error
        assert words in found.message

    def test_a_crash_with_200_carries_civicrms_error_id(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        """Trap 14."""
        site.switches.outage = "civicrm-database"
        assert ERROR_ID.search(failure(make_source()).message)

    def test_a_refused_call_carries_civicrms_error_id(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        take_right(site, "access CiviMember")
        assert ERROR_ID.search(failure(make_source()).message)

    @pytest.mark.parametrize("right", ["view debug output", "administer CiviCRM"])
    def test_a_key_with_more_rights_than_it_needs_reads_the_same(
        self, site: CivicrmSimulator, make_source: MakeSource, person: ContactId, right: str
    ) -> None:
        site.world.permissions("full").add(right)
        assert list(make_source().read().members) == [person]

    def test_the_open_error_text_of_a_debugging_key_is_not_repeated(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        site.world.permissions("full").add("view debug output")
        site.switches.civimember = False
        error = failure(make_source())
        assert "does not exist (or" not in error.message
        assert "CiviMember is switched on" in error.remedy

    def test_memberships_switched_off_as_a_component_are_no_lapsed_members(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        """Trap 5."""
        site.switches.civimember = False
        assert "CiviMember" in failure(make_source()).remedy

    def test_a_redirect_is_not_followed(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        elsewhere = {"location": "/civicrm/ajax/api4?again"}
        site.faults.add(Answer(301, headers=elsewhere))
        with pytest.raises(SourceDistrusted, match="not followed"):
            make_source().read()
        assert len(site.journal.entries()) == 1

    def test_a_page_of_html_in_the_middle_of_a_list_breaks_the_read(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        site.faults.add(html_error(200), where=is_page)
        with pytest.raises(SourceDistrusted, match="web page"):
            make_source().read()

    def test_memory_that_runs_out_in_a_page_breaks_the_read(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        for _ in range(30):
            site.world.add_contact("Zoë", card="1")
        site.switches.memory_cells = 200
        with pytest.raises(SourceUnreachable) as caught:
            make_source().read()
        assert "civicrm.page_size" in caught.value.remedy
        assert len(make_source(page_size=10).read().members) == 31


class TestOtherSites:
    """V1 and V7: versions, systems, addresses."""

    @pytest.mark.parametrize("cms", ["wordpress", "standalone", "drupal"])
    @pytest.mark.parametrize("version", ["6.17", "5.77"])
    @pytest.mark.parametrize("front", ["php", "fpm", "mod_php"])
    @pytest.mark.parametrize("gzip", [False, True])
    def test_every_kind_of_site_is_read_alike(
        self,
        site: CivicrmSimulator,
        make_source: MakeSource,
        person: ContactId,
        cms: Any,
        version: Any,
        front: Any,
        gzip: bool,
    ) -> None:
        switches = site.switches
        switches.cms, switches.version, switches.front, switches.gzip = cms, version, front, gzip
        [member] = make_source().read().members.values()
        assert (member.contact_id, member.last_name) == (person, "Secret")
        [asked] = make_source().read_contacts([person]).values()
        assert asked == member

    def test_types_of_5x_have_their_names_as_labels(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        site.switches.version = "5.77"
        kinds = make_source().read().membership_types
        assert {kind.name: kind.label for kind in kinds}["Gold"] == "Gold"

    def test_the_path_with_a_query_serves_sites_without_permalinks(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        site.switches.pretty_urls = False
        assert "civicrm.path" in failure(make_source()).remedy
        source = make_source(path="/?civiwp=CiviCRM&q=civicrm/ajax/api4")
        assert source.read().members

    @pytest.mark.parametrize("path", ["/civicrm/ajax/API4", "/nowhere", "/"])
    def test_a_wrong_path_names_the_setting(self, make_source: MakeSource, path: str) -> None:
        error = failure(make_source(path=path))
        assert type(error) is SourceDistrusted
        assert "civicrm.path" in error.remedy

    def test_a_path_of_wordpress_on_another_system_names_the_setting(
        self, site: CivicrmSimulator, make_source: MakeSource
    ) -> None:
        site.switches.cms = "standalone"
        error = failure(make_source(path="/?civiwp=CiviCRM&q=civicrm/ajax/api4"))
        assert "civicrm.path" in error.remedy


def test_nothing_personal_is_told_by_a_reading_that_fails_at_any_row(
    site: CivicrmSimulator,
    make_source: MakeSource,
    person: ContactId,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """P12: whichever value is broken, no message, log line or repr holds a name or a card."""
    caplog.set_level(logging.DEBUG)
    keys = ["first_name", "display_name", "email_primary.email", "Door_Access.card_id", "end_date"]
    for key in keys:

        def spoil(reply: Any, key: str = key) -> Any:
            for row in reply["page"]["values"]:
                row.update({key: [row[key]]} if key in row else {})
            return reply

        site.faults.add(Rewrite(spoil), where=is_page, times=2)
        with pytest.raises(SourceDistrusted) as caught:
            make_source().read()
        site.faults.clear()
        told = f"{caught.value!r}{caught.value.remedy}{caplog.text}"
        for secret in ("Zoë", "Secret", "54321", "zoe@", site.world.secret_of("full")):
            assert secret not in told
    assert repr(make_source()).count(site.world.secret_of("full")) == 0
