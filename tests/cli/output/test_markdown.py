"""No name can break out of its place in a Markdown page: it is parsed to see."""

import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from door_sync.cli.output.markdown import literal
from tests.cli.conftest import Site

NASTY = (
    "A | B",
    "back\\slash\\| pipe",
    "**bold** _em_ ~~gone~~",
    "<script>alert(1)</script>",
    "[a link](https://evil.example)",
    "![a picture](https://evil.example/x.png)",
    "https://evil.example www.evil.example",
    "`code` ``more``",
    "&lt;b&gt; &#124;",
    "# no title",
    "1. no list - at all + really",
    "<!-- gone",
    "$x$ @everybody #17 !3",
    "> no quote",
    "line one\nline two\r\n| three |",
    "]]] (((",
    "*",
    "\\",
)


class Page(HTMLParser):
    """What a reader of the rendered page sees: the elements in it, and the cells of its table."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self._in_cell = False
        self.feed(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_cell:
            self.rows[-1][-1] += data


def in_one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", NASTY)
def test_a_text_is_shown_as_it_is_inside_a_cell_an_item_and_a_paragraph(name: str) -> None:
    shown = literal(name)
    page = Page(
        f"a {shown}\n\n- b {shown}\n\n| c | d |\n| --- | --- |\n| {shown} | end |\n\n> e {shown}\n"
    )
    wanted = in_one_line(name)
    assert [in_one_line(cell) for cell in page.rows[1]] == [wanted, "end"]
    assert [len(row) for row in page.rows] == [2, 2]
    assert page.text.count("a ")
    for before in ("a", "b", "e"):
        assert f"{before} {wanted}" in in_one_line(page.text)
    assert set(page.elements) <= {
        *("p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "blockquote"),
    }


@pytest.mark.parametrize("address", ["https://evil.example", "HTTP://X.example", "WWW.x.example"])
def test_an_address_in_a_name_is_no_link_where_bare_addresses_are(address: str) -> None:
    """Tickets and mail readers make links of what begins with a scheme or with www."""
    assert not re.search(r"(?i)https?://|www\.", literal(f"Anna {address}"))


def test_a_plan_of_nasty_names_is_one_table_with_every_step(site: Site) -> None:
    people = {
        site.club.join(1100 + n, first=name.replace("\n", " ").replace("\r", " "))
        for n, name in enumerate(NASTY)
    }
    ran = site.run("plan", "--format", "markdown")
    assert ran.code == 0
    page = Page(ran.out)
    head, *rows = page.rows
    assert head == ["step", "who", "what", "class", "why"]
    assert [row[0] for row in rows] == [str(n) for n in range(1, 4 * len(NASTY) + 1)]
    assert {len(row) for row in rows} == {5}
    assert {row[3] for row in rows} == {"grant"}
    who = {row[1] for row in rows}
    assert len(who) == len(people)
    assert any("<script>alert(1)</script>" in one for one in who)
    assert set(page.elements) <= {
        *("h1", "h2", "p", "code", "table", "thead", "tbody", "tr", "th", "td"),
    }


def test_what_is_held_blocked_and_worth_knowing_stands_below(site: Site) -> None:
    stays, leaves = site.club.join(1101), site.club.join(1102, first="Lea <b>")
    site.settle()
    site.club.lapse(leaves)
    site.club.add_user("", cards=[1103])
    blocked = site.club.join(1103)
    unmapped = site.club.join(1104, "Mystery")
    site.configure(safety__small_site_max=0, safety__mass_add_pct=0.0)
    page = Page(site.run("plan", "--format", "markdown").out)
    assert "Held in part: 1 person gains access only after a person has looked." not in page.text
    assert "Held: a live cycle would write nothing" in page.text
    assert "Guard 'mass deactivation'." in page.text
    assert "raise safety.mass_deactivate_pct for one cycle" in page.text
    assert "Waiting for a person: plan " in page.text
    assert f"contact {leaves} (Lea <b> Ber) loses access: no active membership" in page.text
    assert f"contact {blocked} (Mem Ber) gains access" in page.text
    assert "Worth knowing" in page.text
    assert f"contact {unmapped} (Mem Ber): " in page.text
    assert f"contact {stays} " not in page.text
    assert page.rows == []


def test_blocked_cards_stand_below(site: Site) -> None:
    site.club.add_user("", cards=[1103])
    blocked = site.club.join(1103)
    page = Page(site.run("plan", "--format", "markdown").out)
    assert "Blocked cards" in page.text
    assert f"Contact {blocked} has no working card." in page.text


def test_nothing_to_do_and_no_answer_are_said_in_a_paragraph(site: Site) -> None:
    site.club.join(1101)
    site.settle()
    ran = site.run("plan", "--format", "markdown")
    assert ran.out == (
        "# door-sync plan\n\nNothing to do: the controller matches the membership list.\n"
    )
    site.keys(unifi="x" * 20)
    page = Page(site.run("plan", "--format", "markdown").out)
    assert "No plan: a live cycle would stop here and write nothing." in page.text
    assert "(CODE_ACCESS_TOKEN_INVALID)" in page.text
