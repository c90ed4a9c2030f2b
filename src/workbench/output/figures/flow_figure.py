"""The flow figure: a spine of those who stay, and at its right those left out at each step."""

from __future__ import annotations

import textwrap
from typing import Any

from workbench.language import retold, text
from workbench.output import wording
from workbench.output.disclosure import HIDDEN, Released

LINE = 0.165  # inches a line of text takes
GAP = 0.26
SPINE, SIDE, RIGHT_EDGE = 0.18, 0.4, 0.985
WRAP_SIDE = 52
EDGE, PALE, STRONG = "#5b6b79", "#f3f6f8", "#dfe9f0"


def height_of(ledger: Released) -> float:
    """Inches the drawing needs."""
    return sum(_box_height(words) + GAP for _, words in _boxes(ledger)) + 0.05


def draw(ledger: Released, figure: Any) -> None:
    """Draw the boxes from top to bottom, in inches."""
    height = height_of(ledger)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, height)
    boxes = _boxes(ledger)
    at, spine = height - 0.05, []
    for place, words in boxes:
        middle = at - _box_height(words) / 2
        if place == "side":
            _box(axes, SIDE, RIGHT_EDGE, middle, words, fill="white", align="left")
            axes.annotate(
                "",
                (SIDE - 0.004, middle),
                (SPINE, middle),
                arrowprops={
                    "arrowstyle": "-|>",
                    "color": EDGE,
                    "lw": 0.9,
                    "shrinkA": 0,
                    "shrinkB": 0,
                },
            )
        else:
            fill = STRONG if (place, words) == boxes[-1] else PALE
            _box(axes, 0.012, 2 * SPINE - 0.012, middle, words, fill=fill, align="center")
            spine.append((at, at - _box_height(words)))
        at -= _box_height(words) + GAP
    axes.annotate(
        "",
        (SPINE, spine[-1][0]),
        (SPINE, spine[0][1]),
        zorder=0,
        arrowprops={"arrowstyle": "-|>", "color": EDGE, "lw": 0.9, "shrinkA": 0, "shrinkB": 0},
    )


def describe(ledger: Released) -> str:
    """The same boxes as one text."""
    texts = [words.replace("\n", ": ") for _, words in _boxes(ledger, wrapped=False)]
    return text("Flow of the study population.") + " " + ". ".join(texts) + "."


def _boxes(ledger: Released, *, wrapped: bool = True) -> list[tuple[str, str]]:
    """(place, text) of each box from top to bottom."""
    rows = ledger.texts().to_dict("records")
    boxes = [("spine", text("Delivered") + "\n" + _amount(rows[0], "in"))]
    left = [
        (text("{amount} left out", amount=_amount(row, "out")), retold(str(row["reason"])))
        for row in rows[:-1]
        if _left(row)
    ]
    # Reasons that nobody left for were asked all the same; one box says so.
    idle = [retold(str(row["reason"])) for row in rows[:-1] if not _left(row)]
    if idle:
        left.append((text("Nobody left out for"), "; ".join(idle)))
    for amount, reason in left:
        words = _upper_first(reason)
        words = "\n".join(textwrap.wrap(words, WRAP_SIDE)) if wrapped else words
        boxes.append(("side", f"{amount}\n{words}"))
    boxes.append(("spine", text("Study population") + "\n" + _amount(rows[-1], "in")))
    return boxes


def _left(row: dict[str, Any]) -> bool:
    """Whether a step may have left somebody out: a hidden number counts as one."""
    return any(row[column] not in (0, "0") for column in ("n_rows_out", "n_persons_out"))


def _amount(row: dict[str, Any], end: str) -> str:
    """Persons, and rows where they differ or where persons cannot be known."""
    rows, persons = row[f"n_rows_{end}"], row[f"n_persons_{end}"]
    if HIDDEN in (rows, persons) and rows == persons:
        return text("{n} persons", n=HIDDEN)
    if wording.is_missing(persons):
        return text("{n} rows", n=wording.count(rows))
    if rows == HIDDEN and persons in (0, "0"):  # rows may have left, but nobody with all of them
        return text("{n} persons ({rows} rows)", n=0, rows=HIDDEN)
    if rows in (persons, HIDDEN):
        return text("{n} persons", n=wording.count(persons))
    return text("{n} persons ({rows} rows)", n=wording.count(persons), rows=wording.count(rows))


def _upper_first(words: str) -> str:
    return words[:1].upper() + words[1:]


def _box_height(words: str) -> float:
    return LINE * (words.count("\n") + 1) + 0.14


def _box(
    axes: Any, left: float, right: float, middle: float, words: str, *, fill: str, align: str
) -> None:
    height = _box_height(words)
    xs = [left, right, right, left]
    low, high = middle - height / 2, middle + height / 2
    axes.fill(xs, [low, low, high, high], facecolor=fill, edgecolor=EDGE, linewidth=0.9, zorder=2)
    first, _, rest = words.partition("\n")
    at = left + 0.014 if align == "left" else (left + right) / 2
    style = {"ha": align, "va": "center", "zorder": 3}
    top = high - 0.07 - LINE / 2
    axes.text(at, top, first, weight="bold", **style)
    for number, line in enumerate(rest.split("\n"), start=1):
        axes.text(at, top - number * LINE, line, **style)
