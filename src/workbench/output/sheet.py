"""The paper that pictures are drawn on: lines, words, marks and scales, as SVG.

Every word is escaped here, so that whatever stands in a release is text and nothing else. The
same numbers give the same bytes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

INK, SOFT, FAINT, BAND, PAPER = "#1a1a1a", "#555555", "#dddddd", "#eef3f6", "#ffffff"
WIDTH = 640
LETTER = 7.0  # points that a letter of 13 is wide, on average
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Mark:
    """How one point is drawn, and the word that says the same."""

    shape: str
    colour: str
    word: str
    is_hollow: bool = False


@dataclass(frozen=True)
class Scale:
    """From values to places on the paper, linear, with round ticks."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Where a value lies; what is outside is drawn at the edge."""
        kept = min(max(value, self.low), self.high)
        return self.start + (kept - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Round values within the scale, at most so many."""
        step = _step((self.high - self.low) / most)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(at * step, 10) for at in range(first, last + 1)]


def scale_over(
    values: Iterable[float | None], start: float, end: float, *, least: float = 0.0,
    most: float | None = None,
) -> Scale:  # fmt: skip
    """A scale that holds all values with round ends, within what is possible."""
    known = [one for one in values if one is not None] or [0.0, 1.0]
    low, high = min(known), max(known)
    step = _step(max(high - low, abs(high) * 0.1, 1e-6) / 5)
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    low = max(low, least)
    high = high if most is None else min(high, most)
    return Scale(low, high if high > low else low + step, start, end)


def _step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * one for one in STEPS if power * one >= rough * (1 - 1e-9))


@dataclass
class Sheet:
    """A picture in the making: one title, one description, and what is drawn."""

    title: str
    height: float
    width: int = WIDTH
    parts: list[str] = field(default_factory=list)

    def line(
        self, x1: float, y1: float, x2: float, y2: float, *, colour: str = FAINT,
        width: float = 1, dash: str = "",
    ) -> None:  # fmt: skip
        """A straight line."""
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" stroke-width="{width}"{dashes}/>'
        )

    def path(
        self, points: Sequence[tuple[float, float] | None], *, colour: str, width: float = 1.5,
        dash: str = "",
    ) -> None:  # fmt: skip
        """A line through points, broken where there is none."""
        drawn, is_on = [], False
        for point in points:
            if point is not None:
                drawn.append(f"{'L' if is_on else 'M'}{point[0]:.1f} {point[1]:.1f}")
            is_on = point is not None
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<path d="{"".join(drawn)}" fill="none" stroke="{colour}" '
            f'stroke-width="{width}"{dashes}/>'
        )

    def word(
        self, x: float, y: float, told: str, *, anchor: str = "start", colour: str = INK,
        size: float = 13, is_heavy: bool = False,
    ) -> None:  # fmt: skip
        """Words at a place."""
        weight = ' font-weight="bold"' if is_heavy else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
            f'font-size="{size:g}"{weight} stroke="{PAPER}" stroke-width="3" '
            f'paint-order="stroke" stroke-linejoin="round">{escape(told)}</text>'
        )

    def band(
        self, x: float, y: float, width: float, height: float, *, colour: str, opacity: float = 1
    ) -> None:
        """A filled area."""
        see_through = f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'fill="{colour}"{see_through}/>'
        )

    def mark(self, x: float, y: float, mark: Mark, *, size: float = 5) -> None:
        """A point in its shape; hollow ones have paper inside."""
        fill = PAPER if mark.is_hollow else mark.colour
        style = f'fill="{fill}" stroke="{mark.colour}" stroke-width="1.6"'
        if mark.shape == "circle":
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:g}" {style}/>')
            return
        corners = " ".join(
            f"{x + dx * size:.1f},{y + dy * size:.1f}" for dx, dy in _CORNERS[mark.shape]
        )
        self.parts.append(f'<polygon points="{corners}" {style}/>')

    def ring(self, x: float, y: float, *, size: float = 10) -> None:
        """A ring around a chosen unit's point."""
        self.parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:g}" fill="none" stroke="{INK}" '
            'stroke-width="1.6"/>'
        )

    def svg(self, description: str) -> str:
        """The whole picture, with its title and description for those who do not see it."""
        body = "".join(self.parts)
        name = hashlib.sha256((self.title + description + body).encode()).hexdigest()[:10]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height:.0f}" '
            f'role="img" aria-labelledby="t{name} d{name}" font-family="sans-serif">'
            f'<title id="t{name}">{escape(self.title)}</title>'
            f'<desc id="d{name}">{escape(description)}</desc>'
            f'<rect width="{self.width}" height="{self.height:.0f}" fill="{PAPER}"/>{body}</svg>'
        )


_CORNERS = {
    "square": ((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)),
    "diamond": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
    "up": ((0, -1.2), (1.15, 0.9), (-1.15, 0.9)),
    "down": ((0, 1.2), (1.15, -0.9), (-1.15, -0.9)),
}


def cut(told: str, room: float) -> str:
    """Words that fit into a room of so many points."""
    most = max(int(room / LETTER), 4)
    return told if len(told) <= most else f"{told[: most - 1]}…"
