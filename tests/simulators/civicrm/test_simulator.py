"""The site as one object: journal, faults, latency, reset, and how fast it is."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from door_sync.simulators.civicrm import CivicrmSimulator, Latency, Switches, fresh_world
from door_sync.simulators.faults import Answer, Hook, Reset, Truncate
from door_sync.simulators.serving import Server

Ask = Callable[..., httpx2.Response]
Rows = Callable[..., list[dict[str, Any]]]


class TestJournal:
    def test_every_request_is_kept_with_its_calls_and_its_status(
        self, site: CivicrmSimulator, ask: Ask, call_many: Callable[..., httpx2.Response]
    ) -> None:
        ask("Contact/get", {"limit": 1})
        ask("Job/get")
        call_many([["Contact", "get", {"limit": 2}], ["Membership", "getFields"]])
        call_many({"a": ["MembershipType", "get", {}]})
        first, second, third, fourth = site.journal.entries()
        assert (first.entity, first.action, first.params) == ("Contact", "get", {"limit": 1})
        assert (first.method, first.url) == ("POST", "/civicrm/ajax/api4/Contact/get")
        assert first.headers["x-civi-auth"] == "Bearer key-full-0123456789abcdef"
        assert [entry.status for entry in (first, second, third, fourth)] == [200, 403, 200, 200]
        assert (third.entity, third.action, third.params) == (None, None, None)
        assert [call.entity for call in third.calls] == ["Contact", "Membership"]
        assert fourth.entity == "MembershipType"
        assert len(site.journal.calls("Contact")) == 2
        assert [c.entity for c in site.journal.calls(action="getFields")] == ["Membership"]

    def test_it_prints_neither_keys_nor_parameters(self, site: CivicrmSimulator, ask: Ask) -> None:
        ask("Contact/get?_authx=Bearer+x", {"where": [["last_name", "=", "Lee"]]})
        printed = repr(site.journal.entries())
        assert "Lee" not in printed
        assert "Bearer" not in printed

    def test_requests_that_are_no_calls_are_kept_too(
        self, site: CivicrmSimulator, server: Server, client: httpx2.Client
    ) -> None:
        client.get(f"{server.url}/somewhere?x=1")
        client.post(f"{server.url}/civicrm/ajax/api4", data={"calls": "{no json"})
        page, empty = site.journal.entries()
        assert (page.url, page.calls, page.status) == ("/somewhere?x=1", [], 404)
        assert empty.calls == []

    def test_without_a_limit_everything_is_kept_and_with_one_the_latest(
        self, client: httpx2.Client
    ) -> None:
        for limit, kept in ((None, [0, 1, 2, 3]), (2, [2, 3])):
            limited = CivicrmSimulator(journal_limit=limit)
            with limited.serve() as server:
                for number in range(4):
                    client.get(f"{server.url}/{number}")
            assert [entry.url for entry in limited.journal.entries()] == [f"/{n}" for n in kept]


class TestFaults:
    def test_a_fault_strikes_one_endpoint_and_is_seen_in_the_journal(
        self, site: CivicrmSimulator, ask: Ask
    ) -> None:
        site.faults.add(Answer(504, b"<html></html>", "text/html"), path="/Membership/get")
        assert ask("Contact/get", {"limit": 1}).status_code == 200
        assert ask("Membership/get", {"limit": 1}).status_code == 504
        assert ask("Membership/get", {"limit": 1}).status_code == 200
        assert [entry.status for entry in site.journal.entries()] == [200, 504, 200]

    def test_the_second_page_breaks_off(self, site: CivicrmSimulator, ask: Ask) -> None:
        site.faults.add(Truncate(cut=True), path="/Contact/get", first=2)
        assert ask("Contact/get").json()["values"]
        with pytest.raises(httpx2.RemoteProtocolError):
            ask("Contact/get")

    def test_a_reset_leaves_no_status(self, site: CivicrmSimulator, ask: Ask) -> None:
        site.faults.add(Reset(), path="/Contact/get")
        with pytest.raises(httpx2.TransportError):
            ask("Contact/get")
        assert site.journal.entries()[0].status is None

    def test_several_calls_have_the_empty_path(
        self, site: CivicrmSimulator, call_many: Callable[..., httpx2.Response]
    ) -> None:
        site.faults.add(Answer(502), path="")
        assert call_many([["Contact", "get", {}]]).status_code == 502

    def test_the_world_can_change_between_two_pages(
        self, site: CivicrmSimulator, rows: Rows
    ) -> None:
        change = Hook(lambda _request: site.world.trash(4), after=True)
        site.faults.add(change, path="/Contact/get")
        params = {"select": ["id"], "where": [["id", "BETWEEN", [4, 5]]]}
        assert len(rows("Contact/get", params)) == 2
        assert len(rows("Contact/get", params)) == 1


class TestLatency:
    @pytest.fixture
    def waits(self) -> list[float]:
        return []

    @pytest.fixture
    def slow(self, waits: list[float]) -> Iterator[Ask]:
        """A site that notes how long it would have waited."""

        async def sleep(seconds: float) -> None:
            waits.append(seconds)

        latency = Latency(per_request=0.1, per_row=0.01, per_named_row=0.002)
        world = fresh_world()
        site = CivicrmSimulator(world, Switches(latency=latency), sleep=sleep)
        for _ in range(10):
            world.add_membership(1, "Gold")
        headers = {"X-Civi-Auth": f"Bearer {world.secret_of('full')}"}
        with site.serve() as server, httpx2.Client(trust_env=False) as client:

            def asking(path: str, **data: Any) -> httpx2.Response:
                fields = {name: json.dumps(value) for name, value in data.items()}
                url = f"{server.url}/civicrm/ajax/api4{path}"
                return client.post(url, data=fields, headers=headers)

            yield asking

    def test_an_answer_takes_time_by_request_row_and_named_column(
        self, slow: Ask, waits: list[float]
    ) -> None:
        """Rule 16, and the trap of 5.77 with ``:name`` (§9 of the versions sheet)."""
        slow("/Membership/get", params={"select": ["id"]})
        slow("/Membership/get", params={"select": ["status_id:name", "membership_type_id:name"]})
        slow("/Membership/get", params={"select": ["status_id.name"], "limit": 5})
        slow("", calls=[["Membership", "get", {"select": ["status_id:name"]}]])
        assert waits == pytest.approx([0.2, 0.24, 0.15, 0.22])


def test_reset_brings_back_world_and_switches_and_forgets_the_rest(
    site: CivicrmSimulator, ask: Ask, rows: Rows
) -> None:
    before = rows("Contact/get")
    site.world.delete(4)
    site.world.set_card(5, "1")
    site.world.group("Door_Admins").members.clear()
    site.world.permissions("full").clear()
    site.switches.outage = "memory"
    site.switches.latency.per_row = 5
    site.faults.add(Answer(500))
    site.reset()
    assert rows("Contact/get") == before
    assert len(rows("Contact/get", role="acl")) > 50
    assert site.switches.latency.per_row == 0
    assert len(site.journal.entries()) == 2
    assert site.world.add_contact("A", "B") == 33085


def test_error_ids_are_the_same_again_for_the_same_seed() -> None:
    texts = []
    for _ in range(2):
        site = CivicrmSimulator(seed=7)
        headers = {"X-Civi-Auth": f"Bearer {site.world.secret_of('full')}"}
        with site.serve() as server, httpx2.Client(trust_env=False) as client:
            url = f"{server.url}/civicrm/ajax/api4/Job/get"
            texts.append([client.post(url, headers=headers).text for _ in range(2)])
    assert texts[0] == texts[1]
    assert texts[0][0] != texts[0][1]


def test_twenty_thousand_members_come_in_pages_well_under_a_second_each() -> None:
    """A page takes some 60 ms; the best of four tells that, however busy the machine is."""
    world = fresh_world()
    for number in range(20_000):
        contact = world.add_contact("First", f"Last{number}", email=f"m{number}@example.org")
        world.set_card(contact, f"{number:05d}")
        world.add_membership(contact, "Gold")
    contact_fields = ["display_name", "first_name", "last_name", "is_deleted"]
    contact_fields += ["email_primary.email", "Door_Access.card_id"]
    select = ["id", "contact_id", *(f"contact_id.{field}" for field in contact_fields)]
    select += ["membership_type_id.name", "status_id.name", "end_date"]
    site = CivicrmSimulator(world)
    headers = {"X-Civi-Auth": f"Bearer {world.secret_of('full')}"}
    last, found, seconds = 0, 0, []
    with site.serve() as server, httpx2.Client(trust_env=False, timeout=30) as client:
        while True:
            where = [["id", ">", last], ["contact_id.Door_Access.card_id", "IS NOT EMPTY"]]
            where.append(["contact_id.is_deleted", "=", False])
            params = {"select": select, "where": where, "orderBy": {"id": "ASC"}, "limit": 5000}
            begun = time.perf_counter()
            answer = client.post(
                f"{server.url}/civicrm/ajax/api4/Membership/get",
                data={"params": json.dumps(params)},
                headers=headers,
            )
            page = answer.json()["values"]
            seconds.append(time.perf_counter() - begun)
            found += len(page)
            if len(page) < 5000:
                break
            last = page[-1]["id"]
    assert found == 20_000
    assert min(seconds[:4]) < 0.7
