"""The speed that the handbook tells, in tables and pictures, is that of docs/figures/bench.json."""

import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from benchmarks.figures import read
from benchmarks.pictures import pictures
from benchmarks.svg import Bar, Line, bars, lines, steps
from benchmarks.tables import PARTS, parts_of, with_tables
from tests.docs.pages import DOCS, page

FIGURES = DOCS / "figures"
SVG = "{http://www.w3.org/2000/svg}"


def test_every_table_of_the_page_is_made_from_the_figures() -> None:
    text = page("proof.md")
    assert with_tables(text, read(FIGURES / "bench.json")) == text


def test_every_part_stands_in_the_page_once() -> None:
    assert sorted(parts_of(page("proof.md"))) == sorted(PARTS)


def test_every_picture_is_drawn_from_the_figures_and_shown() -> None:
    for name, picture in pictures(read(FIGURES / "bench.json")).items():
        assert (FIGURES / name).read_text("utf-8") == picture, name
        assert f"](figures/{name})" in page("proof.md"), name


def test_another_measuring_gives_other_tables_and_the_words_stay(figures: dict[str, Any]) -> None:
    old = "Before.\n<!-- bench: starting -->\nold\n<!-- bench end -->\nAfter.\n"
    new = with_tables(old, figures)
    assert "old" not in new
    assert "| `door-sync --help` | 0.100 | 0.050 |" in new
    assert new.startswith("Before.\n")
    assert new.endswith("After.\n")
    assert with_tables(new, figures) == new


def test_an_unknown_part_is_refused(figures: dict[str, Any]) -> None:
    with pytest.raises(LookupError, match="nonsense"):
        with_tables("<!-- bench: nonsense -->\n<!-- bench end -->", figures)


@pytest.mark.parametrize("name", PARTS)
def test_every_part_can_be_made_of_nothing_and_of_some(name: str, figures: dict[str, Any]) -> None:
    nothing = {**figures, "cells": [], "starting": [], "revoking": []}
    assert PARTS[name](nothing)
    assert PARTS[name](figures) != PARTS[name](nothing)


def test_a_cell_without_a_peak_leaves_the_tables_whole(figures: dict[str, Any]) -> None:
    """Also with figures that went through JSON."""
    for cell in figures["cells"]:
        cell["peak_mib"] = None
    figures = json.loads(json.dumps(figures))
    assert all(PARTS[name](figures) for name in PARTS)
    assert "–" in PARTS["growing"](figures)


@pytest.mark.parametrize(
    ("largest", "expected"),
    [
        (44, [0, 10, 20, 30, 40, 50]),
        (100_000, [0, 20_000, 40_000, 60_000, 80_000, 100_000]),
        (0.9, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0, [0, 1]),
    ],
)
def test_axes_have_round_numbers(largest: float, expected: list[float]) -> None:
    assert steps(largest) == expected


def test_a_point_lies_where_its_figures_say() -> None:
    """The axes of 0 to 10 and 0 to 100 end where the picture's frame does."""
    root = ET.fromstring(lines("A & B", "members", "s", [Line("one", [(0, 0), (10, 100)])]))
    first, last = root.findall(f"{SVG}circle")
    assert (first.get("cx"), first.get("cy")) == ("70.0", "344.0")
    assert (last.get("cx"), last.get("cy")) == ("680.0", "74.0")
    assert root.get("aria-label") == "A & B"
    words = {text.text for text in root.iter(f"{SVG}text")}
    assert {"A & B", "members", "s", "one", "10", "100"} <= words


def test_bars_are_as_long_as_their_parts() -> None:
    root = ET.fromstring(bars("Bars", "s", ["a", "b"], [Bar("x", [1, 3]), Bar("y", [4, 0])]))
    drawn = [
        float(one.get("width", ""))
        for one in root.findall(f"{SVG}rect")
        if one.get("height") == "28"
    ]
    assert drawn[1] == pytest.approx(3 * drawn[0], abs=0.2)
    assert drawn[2] == pytest.approx(4 * drawn[0], abs=0.3)
    assert drawn[3] == 0


def test_pictures_of_nothing_are_pictures_still(figures: dict[str, Any]) -> None:
    for picture in pictures({**figures, "cells": [], "starting": []}).values():
        assert ET.fromstring(picture).tag == f"{SVG}svg"


def test_pictures_are_readable_on_light_and_on_dark(figures: dict[str, Any]) -> None:
    """Each colour that is given for light is given for dark as well."""
    for picture in pictures(figures).values():
        light, dark = picture.split("@media (prefers-color-scheme: dark)")
        for number in range(8):
            assert f".c{number} {{" in light
            assert f".c{number} {{" in dark
