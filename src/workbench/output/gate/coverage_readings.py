"""What missing cases could do to an indicator, read off counts of patients and of cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from workbench.analysis import coverage, units


def read_basis(
    counts: pd.DataFrame, facts: Mapping[str, Any], *, least_coverage: float = 0.0
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Each unit's share beside its coverage, and how far missing cases could move it.

    `both` and `only_reference` are the unit's cases in the other source, `n` and `events` the
    indicator's. A unit covered less than `least_coverage`, or of which the reference knows no case,
    has no share: `because` says why. The share could lie between `lowest` and `highest`, if none
    or all of the cases that are missing had the event; the nation's own share is reached where
    `tipping_point` of them had it.
    """
    nation = facts["events"] / facts["n"]
    known = counts["both"] + counts["only_reference"]
    covered = (counts["both"] / known.where(known > 0)).rename("coverage")
    found = coverage.bounds(counts, missing="only_reference", limit=nation)
    found = found.drop(columns="estimate").join(units.proportion(counts["events"], counts["n"]))
    found = found.assign(coverage=covered, because="")
    few = covered < least_coverage
    measured = ["estimate", "lower", "upper", "lowest", "highest", "tipping_point"]
    found.loc[covered.isna(), "because"] = "the other source has no case"
    found.loc[few, "because"] = f"coverage under {100 * least_coverage:g} %"
    found.loc[found["because"].ne(""), measured] = np.nan
    reasons = ["because"] if found["because"].any() else []
    columns = [*facts["by"], "n", "coverage", *measured, *reasons]
    return found[columns], {"least_coverage": least_coverage, "nation_estimate": nation}
