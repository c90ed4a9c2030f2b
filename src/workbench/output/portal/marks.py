"""Shapes, colours and words of levels and flags: nothing is told by colour alone.

A level has a shape and a word, a flag a shape; a level that is not decided is drawn hollow. The
shapes are those of the reports' figures.
"""

from __future__ import annotations

from workbench.output.portal.results import Row, is_hidden
from workbench.output.sheet import SOFT, Mark

LINES = ("#005f87", "#a04000", "#7b3294", "#1b7837", "#5c4a00")  # up to five units
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2")
SHAPES = ("circle", "diamond", "up", "square", "down")

PLAIN = Mark("square", SOFT, "")
LEVELS = {
    "high": Mark("circle", "#005f87", "high"),
    "moderate": Mark("diamond", "#9a6700", "moderate"),
    "low": Mark("down", "#8f1d2c", "low"),
}
UNDECIDED = "not decided"
FLAGS = {
    "none": Mark("circle", SOFT, "within the limits"),
    "low 95": Mark("diamond", "#9a6700", "outside 95 %", is_hollow=True),
    "high 95": Mark("diamond", "#9a6700", "outside 95 %", is_hollow=True),
    "low 99.8": Mark("down", "#7b3294", "below 99.8 %"),
    "high 99.8": Mark("up", "#7b3294", "above 99.8 %"),
}


def level_mark(row: Row) -> Mark:
    """The mark of a unit's level; a plain one where there is no target."""
    level, words = row.get("level", ""), row.get("level_words", "")
    if level not in LEVELS or is_hidden(row, "level"):
        return PLAIN
    known = LEVELS[level]
    if words and words != level:
        return Mark(known.shape, known.colour, UNDECIDED, is_hollow=True)
    return known


def flag_mark(row: Row) -> Mark:
    """The mark of a unit's place in the funnel."""
    return FLAGS.get(row.get("flag", ""), FLAGS["none"])


def of_line(at: int) -> Mark:
    """The mark of the n-th unit in a trend."""
    return Mark(SHAPES[at % len(SHAPES)], LINES[at % len(LINES)], "")
