"""How figures of units look alike: colours, shapes and words, and labels that keep apart.

Nothing is told by colour alone: a level has a shape and a word, a flag a shape, one's own unit a
ring and a heavy name. Colours keep a contrast of 3 or more on white, also for colour-blind eyes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workbench import language
from workbench.language import text
from workbench.output import wording

INK, SOFT, FAINT, LINE = "#1a1a1a", "#555555", "#6b6b6b", "#e4e4e4"
OWN = "#b3006b"
GOOD, BAD, EITHER, COMMON = "#0072b2", "#d55e00", "#7b3294", "#6b6b6b"
TARGET = "#8f1d2c"
LETTER = 0.0595  # inches a letter of 8 points is wide, on average
LEVELS = {
    "high": ("o", "#005f87", "full"),
    "moderate": ("o", "#c98500", "left"),
    "low": ("v", "#8f1d2c", "none"),
}
NOUNS = {
    "unit": ("{n} unit", "{n} units"),
    "region": ("{n} region", "{n} regions"),
    "other region": ("{n} other region", "{n} other regions"),
    "indicator": ("{n} indicator", "{n} indicators"),
    "level": ("{n} level", "{n} levels"),
    "point": ("{n} point", "{n} points"),
}
TINTS = {"high": "#dbe9f0", "moderate": "#fbeed5"}


@dataclass(frozen=True)
class Nation:
    """The value of the whole country (or whatever units are compared with), and from what."""

    estimate: float
    events: float | None = None
    n: float | None = None
    lower: float = np.nan
    upper: float = np.nan
    name: str = field(default_factory=lambda: text("Nation"))

    @property
    def words(self) -> str:
        """Value and counts: "Nation 61 % (1 409 of 2 314)"."""
        value = f"{self.name} {percent(self.estimate)}"
        return value if self.n is None else f"{value} ({out_of(self.events, self.n)})"


def percent(share: Any, *, decimals: int | None = None) -> str:
    """A share as per cent, with a decimal where it is small; missing as the sign for it."""
    if wording.is_missing(share):
        return wording.number(share)
    if decimals is None:
        decimals = 1 if 0 < share < 0.0995 else 0
    return language.share(share, decimals)


def out_of(events: Any, n: Any) -> str:
    """Counts behind a share: "1 409 of 2 314"."""
    return text("{events} of {n}", events=wording.count(events), n=wording.count(n))


def counted(n: int, what: str) -> str:
    """A number with its noun: "1 unit", "2 units"."""
    return language.counted(n, *NOUNS[what])


def listed(names: Sequence[str], *, most: int = 4) -> str:
    """Names in a sentence; of many only the first."""
    if len(names) > most:
        return text(
            "{names} and {n} more",
            names=", ".join(names[:most]),
            n=wording.count(len(names) - most),
        )
    if len(names) < 2:
        return "".join(names)
    return text("{names} and {last}", names=", ".join(names[:-1]), last=names[-1])


def name_of(unit: object, labels: Mapping[str, str] | None, *, longest: int = 30) -> str:
    """A unit's name as readers know it; one too long for its place is cut in the middle.

    Units of one hospital often differ only at the end.
    """
    name = (labels or {}).get(str(unit), str(unit))
    if len(name) <= longest:
        return name
    tail = longest // 2 - 1
    return f"{name[: longest - tail - 1].rstrip()}…{name[-tail:].lstrip()}"


def sentences(parts: Sequence[str]) -> str:
    """Parts as whole sentences in one line; empty ones are left out."""
    return " ".join(f"{part[:1].upper()}{part[1:].rstrip('.')}." for part in parts if part)


def hidden_words(n_hidden: int, reason: str) -> str:
    """How many units are not in the picture, and why; nothing where all are.

    Without a reason it is that they have too few patients.
    """
    if not n_hidden:
        return ""
    because = reason or text("too few patients")
    return text("{units} not shown ({reason})", units=counted(n_hidden, "unit"), reason=because)


def wrapped(told: str, letters: int) -> str:
    """Words in lines of so many letters; a longer word is parted by a hyphen."""
    words = []
    for word in told.split():
        while len(word) > letters > 2:
            words.append(f"{word[: letters - 1]}-")
            word = word[letters - 1 :]
        words.append(word)
    return "\n".join(textwrap.wrap(" ".join(words), max(letters, 2), break_on_hyphens=False))


def good_or_bad(side: str, direction: str | None) -> str:
    """Colour of a value on one side ("low", "high") by the side that is wanted."""
    if direction is None or side not in {"low", "high"}:
        return EITHER if side in {"low", "high"} else COMMON
    return GOOD if side == direction else BAD


def draw_level(axes: Any, x: float, y: float, level: str, *, size: float = 7.0) -> None:
    """The mark of a level: filled circle, half circle or hollow triangle."""
    shape, colour, fill = LEVELS[level]
    axes.plot(
        [x], [y], marker=shape, ms=size, color=colour, fillstyle=fill, mew=1.3, ls="none",
        markerfacecoloralt="white", clip_on=False,
    )  # fmt: skip


def spread(values: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Centres of labels of these heights, near the values, in their order, none over another."""
    order = sorted(range(len(values)), key=lambda at: values[at])
    placed = [float(values[at]) for at in order]
    for _ in range(300):
        for low in range(len(placed) - 1):
            least = (heights[order[low]] + heights[order[low + 1]]) / 2
            lack = least - (placed[low + 1] - placed[low])
            if lack > 1e-9:
                placed[low] -= lack / 2
                placed[low + 1] += lack / 2
    result = [0.0] * len(values)
    for position, at in enumerate(order):
        result[at] = placed[position]
    return result


def nice_ceiling(value: float, steps: Sequence[float]) -> float:
    """The first of the steps that is not below the value; the last where none is."""
    return next((step for step in steps if step >= value - 1e-12), steps[-1])


def share_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Places and words of a share's axis: at most seven, round ones."""
    step = nice_ceiling((high - low) / 6, (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25))
    first = int(np.ceil(low / step - 1e-9))
    last = int(np.floor(high / step + 1e-9))
    places = [at * step for at in range(first, last + 1)]
    return places, [percent(at, decimals=0 if step >= 0.01 else 1) for at in places]


def count_ticks(highest: float, *, by_root: bool = False) -> list[float]:
    """Round numbers from 0; with a square-root axis closer at the small end."""
    if by_root:
        whole = [m * 10.0**e for e in range(0, 8) for m in (1, 2, 5)]
        chosen = [one for one in whole if highest / 400 <= one <= highest]
        kept: list[float] = []
        for one in reversed(chosen):  # no two words over one another
            if not kept or np.sqrt(kept[0] / highest) - np.sqrt(one / highest) > 0.075:
                kept.insert(0, one)
        return [0.0, *[one for one in kept if one > highest / 200]]
    raw = max(highest, 1e-9) / 6
    magnitude = 10 ** np.floor(np.log10(raw))
    step = next(m * magnitude for m in (1, 2, 5, 10) if m * magnitude >= raw)
    return [float(step * at) for at in range(int(highest / step) + 1)]
