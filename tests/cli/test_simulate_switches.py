"""Switches of the simulators, as an operator types them."""

import click
import pytest

from door_sync.cli.simulate.civicrm import SWITCHES as CIVICRM
from door_sync.cli.simulate.switches import SwitchBoard
from door_sync.cli.simulate.unifi import SWITCHES as UNIFI


@pytest.mark.parametrize(
    ("board", "text", "value"),
    [
        (UNIFI, "unbind=both", "both"),
        (UNIFI, "known_card=same token", "same token"),
        (UNIFI, "firmware=4.2", "4.2"),
        (UNIFI, "no_route_status=200", 200),
        (UNIFI, "page_size_cap=25", 25),
        (UNIFI, "page_size_cap=null", None),
        (UNIFI, "edit_includes_view=off", False),
        (UNIFI, " edit_includes_view =true", True),
        (UNIFI, "null_for_empty=email,user_email", frozenset({"email", "user_email"})),
        (UNIFI, 'null_for_empty=["email"]', frozenset({"email"})),
        (CIVICRM, "version=5.77", "5.77"),
        (CIVICRM, "outage=null", None),
        (CIVICRM, "guards=perm", ("perm",)),
        (CIVICRM, "narrowed_to=101,102", frozenset({101, 102})),
        (CIVICRM, "site_key=a=b", "a=b"),
    ],
)
def test_a_switch_is_read_as_what_it_holds(board: SwitchBoard, text: str, value: object) -> None:
    assert board.parse([text]) == {text.partition("=")[0].strip(): value}


@pytest.mark.parametrize(
    ("board", "text", "said"),
    [
        (UNIFI, "unbnd=put", "Did you mean unbind? Known are: firmware, "),
        (UNIFI, "xyzzy=1", "there is no such switch. Known are: firmware, "),
        (UNIFI, "unbind=neither", "'neither' is none of its values: unbind=put|delete|both"),
        (UNIFI, "unbind", "lacks its value: unbind=put|delete|both"),
        (UNIFI, "firmware=new", "firmware=TEXT"),
        (UNIFI, "page_size_cap=few", "page_size_cap=NUMBER|null"),
        (CIVICRM, "latency=1", "there is no such switch."),
        (CIVICRM, "gzip=perhaps", "gzip=true|false"),
        (CIVICRM, "guards=dog", "guards=site_key|perm,…"),
    ],
)
def test_a_wrong_switch_says_what_there_is(board: SwitchBoard, text: str, said: str) -> None:
    with pytest.raises(click.UsageError) as refused:
        board.parse([text])
    assert said in refused.value.message
