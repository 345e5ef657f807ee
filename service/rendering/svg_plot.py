"""Charts as SVG text, drawn by the server without script or style attributes, so that any content policy and print allow them.

Colours are attributes, as printing needs them; a style sheet may give each class another on a dark screen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from math import floor, log10
from typing import Final

from markupsafe import Markup

INK, QUIET, LINE, BLUE, ORANGE, GREEN, WARN = "#1b2127", "#55616d", "#d5dbe1", "#0072b2", "#d55e00", "#00684d", "#8a5a00"
_COLOURS: Final = {"ink": INK, "quiet": QUIET, "line": LINE, "blue": BLUE, "orange": ORANGE, "green": GREEN, "warn": WARN}
TEXT_PX: Final = 12.0
_LETTER_WIDTH: Final = 0.56
"""Mean width of a letter relative to its height."""

Point = tuple[float, float]


@dataclass(slots=True)
class Plot:
    """A plot with two linear scales, its size and margins in px; later parts lie above earlier ones."""

    width: float
    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    left: float = 44.0
    right: float = 8.0
    top: float = 24.0
    bottom: float = 26.0
    _parts: list[str] = field(default_factory=list)

    def x(self, value: float) -> float:
        """Return the position in px of a value on the horizontal scale."""
        low, high = self.x_range
        return self.left + (self.width - self.left - self.right) * (value - low) / ((high - low) or 1.0)

    def y(self, value: float) -> float:
        """Return the position in px of a value on the vertical scale."""
        low, high = self.y_range
        return self.height - self.bottom - (self.height - self.top - self.bottom) * (value - low) / ((high - low) or 1.0)

    def band(self, x0: float, x1: float, y0: float, y1: float, name: str, colour: str, opacity: float) -> None:
        """Draw a filled rectangle between values of both scales."""
        left, right, upper, lower = self.x(x0), self.x(x1), self.y(max(y0, y1)), self.y(min(y0, y1))
        self._add(
            f'<rect class="{name}" x="{left:.1f}" y="{upper:.1f}" width="{max(right - left, 0):.1f}" '
            f'height="{max(lower - upper, 0):.1f}" fill="{_COLOURS[colour]}" fill-opacity="{opacity:g}"/>'
        )

    def line(self, points: Sequence[Point], name: str, colour: str, width: float = 2.0, dashes: str = "") -> None:
        """Draw a line through points, given as values; a single one becomes a dot."""
        if len(points) == 1:
            self.dot(points[0], name, colour, width)
            return
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self._add(
            f'<polyline class="{name}" points="{self._coordinates(points)}" fill="none" stroke="{_COLOURS[colour]}" '
            f'stroke-width="{width:g}" stroke-linejoin="round" stroke-linecap="round"{dashed}/>'
        )

    def area(self, low: Sequence[Point], high: Sequence[Point], name: str, colour: str, opacity: float) -> None:
        """Draw a filled area between two lines."""
        outline = self._coordinates([*high, *reversed(low)])
        self._add(f'<polygon class="{name}" points="{outline}" fill="{_COLOURS[colour]}" fill-opacity="{opacity:g}"/>')

    def dot(self, at: Point, name: str, colour: str, radius: float, *, hollow: bool = False) -> None:
        """Draw a round mark."""
        fill = "#ffffff" if hollow else _COLOURS[colour]
        kind = f"{name} hollow" if hollow else name
        self._add(
            f'<circle class="{kind}" cx="{self.x(at[0]):.1f}" cy="{self.y(at[1]):.1f}" r="{radius:g}" fill="{fill}" '
            f'stroke="{_COLOURS[colour]}" stroke-width="{1.5 if hollow else 0:g}"/>'
        )

    def mark(self, at: Point, shape: str, name: str, colour: str) -> None:
        """Draw a mark of another shape: "square", "triangle" or "diamond"."""
        x, y, r = self.x(at[0]), self.y(at[1]), 5.0
        corners = {
            "square": [(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)],
            "triangle": [(x, y - r - 1), (x + r + 1, y + r), (x - r - 1, y + r)],
            "diamond": [(x, y - r - 2), (x + r + 2, y), (x, y + r + 2), (x - r - 2, y)],
        }[shape]
        placed = " ".join(f"{cx:.1f},{cy:.1f}" for cx, cy in corners)
        self._add(f'<polygon class="{name}" points="{placed}" fill="{_COLOURS[colour]}"/>')

    def upright(self, x: float, name: str, colour: str, *, dashes: str = "2 3") -> None:
        """Draw a thin vertical line at a value of the horizontal scale."""
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self._add(
            f'<line class="{name}" x1="{self.x(x):.1f}" x2="{self.x(x):.1f}" y1="{self.top:.1f}" '
            f'y2="{self.height - self.bottom:.1f}" stroke="{_COLOURS[colour]}"{dashed}/>'
        )

    def level(self, y: float, name: str = "line", colour: str = "line", width: float = 1.0, dashes: str = "") -> None:
        """Draw a thin horizontal line at a value of the vertical scale."""
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self._add(
            f'<line class="{name}" x1="{self.left:.1f}" x2="{self.width - self.right:.1f}" y1="{self.y(y):.1f}" '
            f'y2="{self.y(y):.1f}" stroke="{_COLOURS[colour]}" stroke-width="{width:g}"{dashed}/>'
        )

    def text(
        self, x_px: float, y_px: float, text: str, name: str = "quiet", anchor: str = "start", *, bold: bool = False
    ) -> None:
        """Draw text at a position in px; `name` is its class and colour."""
        weight = ' font-weight="600"' if bold else ""
        self._add(
            f'<text class="{name}" x="{x_px:.1f}" y="{y_px:.1f}" fill="{_COLOURS[name]}" font-size="{TEXT_PX:g}" '
            f'text-anchor="{anchor}"{weight}>{escape(text)}</text>'
        )

    def svg(self, label: str) -> Markup:
        """Return the chart as SVG; `label` is its text alternative."""
        return Markup(  # noqa: S704 - every text in it was escaped
            f'<svg class="plot" viewBox="0 0 {self.width:g} {self.height:g}" role="img" aria-label="{escape(label)}" '
            f'font-family="DejaVu Sans, Verdana, sans-serif">{"".join(self._parts)}</svg>'
        )

    def _add(self, part: str) -> None:
        self._parts.append(part)

    def _coordinates(self, points: Iterable[Point]) -> str:
        return " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)


def width_of(text: str) -> float:
    """Return the approximate width of a text in px."""
    return _LETTER_WIDTH * TEXT_PX * len(text)


def ticks(low: float, high: float, max_count: int = 5) -> list[float]:
    """Return round values between `low` and `high`, about `max_count` at most."""
    if not high > low:
        return [low]
    rough = (high - low) / max_count
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first = -floor(-low / step + 1e-9)
    return [round((first + n) * step, 10) for n in range(max_count + 2) if (first + n) * step <= high + 1e-9 * step]
