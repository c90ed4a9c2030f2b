"""Small counts in tables that are published together: what to hide, and whether it is enough."""

from workbench.output.gate.suppression.attacks import attack
from workbench.output.gate.suppression.bands import (
    Bands,
    counts_that_print,
    range_bands,
    ratio_bands,
    rounded_bands,
)
from workbench.output.gate.suppression.cells import Cells
from workbench.output.gate.suppression.greedy import row_and_column
from workbench.output.gate.suppression.patterns import Pattern, protect
from workbench.output.gate.suppression.protection import Protection
from workbench.output.gate.suppression.readers import holders, shown_before
from workbench.output.gate.suppression.tables import cells_of

__all__ = [
    "Bands",
    "Cells",
    "Pattern",
    "Protection",
    "attack",
    "cells_of",
    "counts_that_print",
    "holders",
    "protect",
    "range_bands",
    "ratio_bands",
    "rounded_bands",
    "row_and_column",
    "shown_before",
]
