"""Count persons of a frame into groups and times."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.analysis.counts.cells import Arrivals, Leavers
from workbench.analysis.counts.sums import Spells, summed_spells
from workbench.analysis.counts.tally import EventCounts, counted
from workbench.analysis.inputs import FollowUp


def count_persons(follow_up: FollowUp, number: np.ndarray, groups: pd.DataFrame) -> EventCounts:
    """Count persons, one row each, into their groups (numbered as the rows of `groups`)."""
    weight = follow_up.weight
    leavers = Leavers(number, follow_up.time, follow_up.cause, weight=weight)
    arrivals = None
    if follow_up.entry is not None:
        arrivals = Arrivals(number, follow_up.entry, weight=weight)
    spells = None
    if weight is not None and (weight % 1 != 0).any():
        spells = summed_spells(
            Spells(number, follow_up.entry, follow_up.time, follow_up.cause, weight**2)
        )
    return counted(leavers, arrivals, groups, spells)
