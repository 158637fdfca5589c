"""Charts as plain SVG, readable on light and on dark, without any library.

A picture brings its own ground, because it cannot know the page it stands on. Lines differ in dash
and marker too, so that no figure hangs on a colour alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 40, 74, 56
_DASHES = ("", "7 4", "2 4")
_COLOURS = 8

_STYLE = """
.ground { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif }
.title { font-size: 16px; font-weight: 600 } .grid { stroke: #d0d7de } .axis { stroke: #59636e }
.c0 { --c: #0072b2 } .c1 { --c: #b34700 } .c2 { --c: #00795a } .c3 { --c: #8f4a80 }
.c4 { --c: #6b6300 } .c5 { --c: #5b5fc7 } .c6 { --c: #9a3412 } .c7 { --c: #59636e }
.line { fill: none; stroke: var(--c); stroke-width: 2 } .dot { fill: var(--c) }
.mark { fill: none; stroke: var(--c); stroke-width: 2 } .bar { fill: var(--c) }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d } .axis { stroke: #9198a1 }
.c0 { --c: #56b4e9 } .c1 { --c: #f0883e } .c2 { --c: #3fb68b } .c3 { --c: #d597c4 }
.c4 { --c: #d6c83c } .c5 { --c: #a5a8ff } .c6 { --c: #ffb38a } .c7 { --c: #9198a1 }
}
"""


@dataclass(frozen=True)
class Line:
    """One line by its points, in order of x; a lone point is drawn as a cross."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Bar:
    """One bar: what it stands for, and the length of each of its parts."""

    name: str
    parts: Sequence[float]


@dataclass
class _Sheet:
    """What is drawn so far."""

    height: int
    title: str
    parts: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.parts.append(text)

    def text(self, x: float, y: float, text: str, more: str = "") -> None:
        self.add(f'<text x="{x:.1f}" y="{y:.1f}"{more}>{escape(text)}</text>')

    def rule(self, kind: str, a: tuple[float, float], b: tuple[float, float]) -> None:
        (x1, y1), (x2, y2) = a, b
        self.add(f'<path class="{kind}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>')

    def whole(self) -> str:
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height}" '
            f'width="{WIDTH}" height="{self.height}" role="img" aria-label="{escape(self.title)}">'
        )
        ground = f'<rect class="ground" width="{WIDTH}" height="{self.height}" rx="6"/>'
        title = f'<text class="title" x="{_LEFT}" y="26">{escape(self.title)}</text>'
        body = "\n".join(self.parts)
        return f"{head}\n<style>{_STYLE}</style>\n{ground}\n{title}\n{body}\n</svg>\n"


def steps(largest: float, about: int = 5) -> list[float]:
    """Return round numbers from 0 up to at least `largest`, about so many besides 0."""
    if largest <= 0:
        return [0.0, 1.0]
    rough = largest / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * one for one in (1, 2, 2.5, 5, 10) if power * one >= rough * 0.999)
    return [round(step * number, 10) for number in range(math.ceil(largest / step - 1e-9) + 1)]


def lines(title: str, x_label: str, y_label: str, drawn: Sequence[Line]) -> str:
    """Return a picture of lines over axes that both begin at 0."""
    sheet = _Sheet(HEIGHT, title)
    every = [point for line in drawn for point in line.points]
    xs, ys = (steps(max((point[axis] for point in every), default=1)) for axis in (0, 1))

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            _LEFT + x / xs[-1] * (WIDTH - _LEFT - _RIGHT),
            HEIGHT - _BOTTOM - y / ys[-1] * (HEIGHT - _TOP - _BOTTOM),
        )

    for y in ys:
        sheet.rule("axis" if y == 0 else "grid", at(0, y), at(xs[-1], y))
        sheet.text(_LEFT - 8, at(0, y)[1] + 4, _number(y), ' text-anchor="end"')
    for x in xs:
        sheet.rule("axis", at(x, 0), (at(x, 0)[0], at(x, 0)[1] + 5))
        sheet.text(at(x, 0)[0], HEIGHT - _BOTTOM + 20, _number(x), ' text-anchor="middle"')
    sheet.text((WIDTH + _LEFT - _RIGHT) / 2, HEIGHT - 12, x_label, ' text-anchor="middle"')
    middle = (HEIGHT + _TOP - _BOTTOM) / 2
    turned = f' text-anchor="middle" transform="rotate(-90 18 {middle:.1f})"'
    sheet.text(18, middle, y_label, turned)
    for number, line in enumerate(drawn):
        _draw(sheet, number, [at(*point) for point in line.points])
    _legend(sheet, [line.name for line in drawn], [len(line.points) == 1 for line in drawn])
    return sheet.whole()


def bars(title: str, x_label: str, names: Sequence[str], drawn: Sequence[Bar]) -> str:
    """Return a picture of lying bars, each made of the parts that `names` tells."""
    height = _TOP + 44 * len(drawn) + _BOTTOM + 20
    sheet = _Sheet(height, title)
    xs = steps(max((sum(bar.parts) for bar in drawn), default=1))
    left, top = _LEFT + 70, _TOP + 20
    scale = (WIDTH - left - _RIGHT) / xs[-1]
    foot = height - _BOTTOM
    for x in xs:
        sheet.rule("axis" if x == 0 else "grid", (left + x * scale, top), (left + x * scale, foot))
        sheet.text(left + x * scale, foot + 20, _number(x), ' text-anchor="middle"')
    sheet.text((WIDTH + left - _RIGHT) / 2, height - 12, x_label, ' text-anchor="middle"')
    for row, bar in enumerate(drawn):
        y, x = top + 44 * row + 8, float(left)
        sheet.text(left - 8, y + 18, bar.name, ' text-anchor="end"')
        for number, part in enumerate(bar.parts):
            long = part * scale
            sheet.add(
                f'<rect class="bar c{number % _COLOURS}" x="{x:.1f}" y="{y}" width="{long:.1f}" '
                f'height="28"><title>{escape(names[number])}: {part:.2f}</title></rect>'
            )
            x += long
    _legend(sheet, names, None)
    return sheet.whole()


def _draw(sheet: _Sheet, number: int, points: Sequence[tuple[float, float]]) -> None:
    colour, dash = f"c{number % _COLOURS}", _DASHES[number % len(_DASHES)]
    if len(points) == 1:
        sheet.add(_cross(colour, *points[0]))
        return
    way = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    sheet.add(f'<path class="line {colour}"{dashed} d="M{way}"/>')
    for x, y in points:
        sheet.add(f'<circle class="dot {colour}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')


def _legend(sheet: _Sheet, names: Sequence[str], lone: Sequence[bool] | None) -> None:
    """Draw what stands for what below the title; `lone` tells crosses, None means bars."""
    x, y = float(_LEFT), 46
    for number, name in enumerate(names):
        long = 44 + 7.2 * len(name)
        if x + long > WIDTH and x > _LEFT:
            x, y = float(_LEFT), y + 19
        colour = f"c{number % _COLOURS}"
        if lone is None:
            square = f'x="{x:.1f}" y="{y - 8}" width="12" height="12"'
            sheet.add(f'<rect class="bar {colour}" {square}/>')
        elif lone[number]:
            sheet.add(_cross(colour, x + 8, y - 2))
        else:
            dash = _DASHES[number % len(_DASHES)]
            dashed = f' stroke-dasharray="{dash}"' if dash else ""
            sheet.add(
                f'<path class="line {colour}"{dashed} d="M{x:.1f} {y - 2}L{x + 24:.1f} {y - 2}"/>'
            )
        sheet.text(x + (18 if lone is None else 30), y + 3, name)
        x += long


def _cross(colour: str, x: float, y: float) -> str:
    arms = f"M{x - 6:.1f} {y - 6:.1f}l12 12m0 -12l-12 12"
    return f'<path class="mark {colour}" d="{arms}"/>'


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"
