"""Which answers are believed."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from door_sync.civicrm.replies import Refused, Rows, answered, judge
from door_sync.civicrm.wire import Call
from door_sync.http import Reply
from door_sync.ports import SourceDistrusted, SourceError

Recorded = Callable[[str, str], dict[str, Any]]
MakeReply = Callable[..., Reply]
Envelope = Callable[..., dict[str, Any]]

ONE = {"page": Call("Contact", "get", {"select": ["id"]})}


def as_recorded(entry: dict[str, Any], make_reply: MakeReply) -> tuple[Reply, dict[str, Call]]:
    calls = {name: Call(*call) for name, call in entry["calls"].items()}
    reply = make_reply(entry["body"], status=entry["status"], content_type=entry["content_type"])
    return reply, calls


def judged(part: object, make_reply: MakeReply, **how: Any) -> Rows | Refused:
    return judge(make_reply({"page": part}, **how), ONE, "x-civi-auth")["page"]


def test_every_part_of_a_recorded_answer_is_given_under_its_name(
    recorded: Recorded, make_reply: MakeReply
) -> None:
    reply, calls = as_recorded(recorded("several_calls", "multi_dict"), make_reply)
    parts = judge(reply, calls, "x-civi-auth")
    assert answered(parts["contacts"]).values == [{"id": 1}, {"id": 2}]
    assert answered(parts["members"]).values == [
        {"id": 1, "contact_id": 4},
        {"id": 2, "contact_id": 5},
    ]


@pytest.mark.parametrize("name", ["multi_one_bad", "multi_bad_first"])
def test_a_call_that_failed_beside_a_good_one_is_seen_although_the_status_is_200(
    recorded: Recorded, make_reply: MakeReply, name: str
) -> None:
    entry = recorded("several_calls", name)
    reply, calls = as_recorded(entry, make_reply)
    parts = judge(reply, calls, "x-civi-auth")
    bad = parts["bad"]
    assert reply.status == 200
    assert isinstance(bad, Refused)
    assert not bad.forbidden
    assert bad.error_id
    assert bad.error_id in entry["body"]["bad"]["error_message"]
    assert isinstance(parts["contacts"], Rows)


def test_a_missing_right_beside_a_good_call_is_told_apart_by_the_status_inside(
    recorded: Recorded, make_reply: MakeReply
) -> None:
    reply, calls = as_recorded(recorded("several_calls", "multi_denied_nomember"), make_reply)
    members = judge(reply, calls, "x-civi-auth")["members"]
    assert isinstance(members, Refused)
    assert members.forbidden


@pytest.mark.parametrize("name", ["multi_all_bad", "multi_denied", "multi_unknown_entity_debug"])
@pytest.mark.parametrize("status", [200, 500])
def test_a_request_in_which_all_calls_failed_is_judged_alike_under_every_status(
    recorded: Recorded, make_reply: MakeReply, name: str, status: int
) -> None:
    """5.x behind PHP-FPM sends 200 for what 6.x sends 500 or 403 (versions sheet §2)."""
    reply, calls = as_recorded(recorded("several_calls", name) | {"status": status}, make_reply)
    [part] = judge(reply, calls, "x-civi-auth").values()
    assert isinstance(part, Refused)
    assert part.forbidden == (name == "multi_denied")
    assert part.error_id


def test_a_refused_call_is_raised_with_its_id_and_nothing_else_of_the_body(
    make_reply: MakeReply,
) -> None:
    part = {"error_id": "Nw0H-L8nR-MoPy", "error_code": 0, "error_message": "Zoë's card 4711"}
    with pytest.raises(SourceDistrusted) as caught:
        answered(judged(part, make_reply))
    assert "Contact.get" in caught.value.message
    assert "Nw0H-L8nR-MoPy" in caught.value.message
    assert "Zoë" not in f"{caught.value.message}{caught.value.remedy}"
    assert "4711" not in f"{caught.value.message}{caught.value.remedy}"


@pytest.mark.parametrize(
    "message",
    ["call me: 0123-4567-8901", "(Error ID: 4711)", "(Error ID: Nw0H-L8nR-MoPy-x", 4711, None],
)
def test_what_only_resembles_an_error_id_is_not_cited(make_reply: MakeReply, message: Any) -> None:
    part = {"error_code": "1", "error_message": message, "error_id": 4711}
    refused = judged(part, make_reply)
    assert isinstance(refused, Refused)
    assert refused.error_id == ""
    assert "error id" not in refused.reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"values": None}, "no list of rows"),
        ({"values": {"id": 4}}, "no list of rows"),
        ({"values": {"4": {"id": 4}}}, "no list of rows"),
        ({"values": [4]}, "no list of rows"),
        ({"values": [[]], "countFetched": 1}, "no list of rows"),
        ({"entity": "Membership"}, "another question"),
        ({"entity": None}, "another question"),
        ({"action": "getFields"}, "another question"),
        ({"countFetched": 2}, "as many rows"),
        ({"countFetched": 0}, "as many rows"),
        ({"countFetched": True}, "as many rows"),
        ({"countFetched": "1"}, "as many rows"),
        ({"countFetched": None}, "as many rows"),
        ({"countMatched": "1"}, "something else than numbers"),
        ({"countMatched": -1}, "something else than numbers"),
        ({"countMatched": True}, "something else than numbers"),
    ],
)
def test_a_part_that_is_not_whole_in_itself_is_distrusted(
    make_reply: MakeReply, envelope: Envelope, change: dict[str, Any], words: str
) -> None:
    """§13.1"""
    with pytest.raises(SourceDistrusted, match=words):
        judged(envelope([{"id": 4}]) | change, make_reply)


@pytest.mark.parametrize("missing", ["values", "entity", "action", "countFetched"])
def test_a_part_without_one_of_the_envelopes_keys_is_distrusted(
    make_reply: MakeReply, envelope: Envelope, missing: str
) -> None:
    part = envelope([{"id": 4}])
    del part[missing]
    with pytest.raises(SourceDistrusted):
        judged(part, make_reply)


@pytest.mark.parametrize("part", [[], "text", 4, None, True])
def test_a_part_that_is_no_object_is_distrusted(make_reply: MakeReply, part: object) -> None:
    with pytest.raises(SourceDistrusted, match="no JSON object"):
        judged(part, make_reply)


@pytest.mark.parametrize("key", ["error_code", "error_message", "error_id", "is_error"])
def test_an_error_key_beside_good_looking_rows_makes_the_part_an_error(
    make_reply: MakeReply, envelope: Envelope, key: str
) -> None:
    """Versions sheet §2: believed is `values` and no error."""
    assert isinstance(judged(envelope([{"id": 4}]) | {key: 0}, make_reply), Refused)


@pytest.mark.parametrize("calls", [["page"], ["page", "count", "more"], ["other", "count"]])
def test_an_answer_must_have_exactly_the_parts_that_were_asked_for(
    make_reply: MakeReply, envelope: Envelope, calls: list[str]
) -> None:
    reply = make_reply({name: envelope([]) for name in calls})
    asked = {"page": ONE["page"], "count": ONE["page"]}
    with pytest.raises(SourceDistrusted, match="no answer to what was asked"):
        judge(reply, asked, "x-civi-auth")


@pytest.mark.parametrize("status", [201, 206, 302, 403, 404, 500, 503])
def test_rows_under_another_status_than_200_are_not_believed(
    make_reply: MakeReply, envelope: Envelope, status: int
) -> None:
    with pytest.raises(SourceError):
        judged(envelope([{"id": 4}]), make_reply, status=status)


@pytest.mark.parametrize("content_type", [None, "text/html; charset=UTF-8", "text/javascript"])
def test_rows_that_are_not_sent_as_json_are_not_believed(
    make_reply: MakeReply, envelope: Envelope, content_type: str | None
) -> None:
    with pytest.raises(SourceDistrusted):
        judged(envelope([{"id": 4}]), make_reply, content_type=content_type)


@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", "Application/JSON"])
def test_the_content_type_may_carry_a_charset_and_any_case(
    make_reply: MakeReply, envelope: Envelope, content_type: str
) -> None:
    assert isinstance(judged(envelope([]), make_reply, content_type=content_type), Rows)


def test_a_count_that_was_asked_for_and_left_out_is_distrusted(
    make_reply: MakeReply, envelope: Envelope
) -> None:
    rows = answered(judged(envelope([]), make_reply))
    with pytest.raises(SourceDistrusted, match="lacks the count"):
        rows.count()


def test_a_count_is_the_recorded_count_matched(recorded: Recorded, make_reply: MakeReply) -> None:
    body = recorded("queries", "row_count_only")["body"]
    assert answered(judged(body, make_reply)).count() == 312


def test_an_answer_never_prints_its_rows() -> None:
    assert "4711" not in repr(Rows("Contact.get", [{"card": "4711"}]))


def test_escaped_and_plain_letters_are_read_alike(envelope: Envelope) -> None:
    """5.x escapes what is not ASCII (versions sheet §1)."""
    part = envelope([{"id": 4, "first_name": "Łucja"}])
    for escape in (True, False):
        body = json.dumps({"page": part}, ensure_ascii=escape).encode()
        reply = Reply(200, {"content-type": "application/json"}, body)
        rows = answered(judge(reply, ONE, "x-civi-auth")["page"])
        assert rows.values[0]["first_name"] == "Łucja"
